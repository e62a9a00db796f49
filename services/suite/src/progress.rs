//! How far a command is: a clock, a count and a bar on a terminal, elsewhere a line every ten seconds.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::task::JoinHandle;

use crate::source::Share;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Characters of a bar.
const BAR: u64 = 24;

/// How much there is to do.
#[derive(Debug, Clone, Default)]
pub(crate) enum Whole {
    /// Nobody knows.
    #[default]
    Unknown,
    /// So many.
    Count(u64),
    /// As many as the file has.
    File(Share),
}

impl Whole {
    /// So many.
    pub(crate) fn of(count: usize) -> Self {
        Self::Count(count as u64)
    }

    fn percent(&self, done: u64) -> Option<u64> {
        match self {
            Self::Unknown | Self::Count(0) => None,
            Self::Count(count) => Some((done.saturating_mul(100) / count).min(100)),
            Self::File(share) => share.percent(),
        }
    }
}

/// Counts up, for whoever waits. Gone when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    whole: Arc<Mutex<Whole>>,
    lines: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show.
    pub(crate) fn shown() -> Self {
        let whole = Arc::new(Mutex::new(Whole::default()));
        let bar = ProgressBar::new_spinner();
        let drawn = Arc::clone(&whole);
        let bar = match ProgressStyle::with_template(
            "{spinner} {elapsed_precise} {share} {msg} {human_pos}{prefix}",
        ) {
            Ok(style) => {
                bar.with_style(style.with_key("share", move |state: &ProgressState, out: &mut dyn Write| {
                    let _ = out.write_str(&drawn_bar(percent(&drawn, state.pos())));
                }))
            }
            Err(_) => bar,
        };
        let lines = if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(Duration::from_millis(200));
            None
        } else {
            Some(tokio::spawn(print(bar.clone(), Arc::clone(&whole))))
        };
        Self { bar, whole, lines }
    }

    /// The next part, counted from 0.
    pub(crate) fn begin(&self, what: &'static str, whole: Whole) {
        let total = match &whole {
            Whole::Count(total) => format!(" of {total}"),
            Whole::Unknown | Whole::File(_) => String::new(),
        };
        if let Ok(mut before) = self.whole.lock() {
            *before = whole;
        }
        self.bar.set_message(what);
        self.bar.set_prefix(total);
        self.bar.set_position(0);
    }

    /// One more is done.
    pub(crate) fn one_more(&self) {
        self.bar.inc(1);
    }

    /// So many are done.
    pub(crate) fn at(&self, done: usize) {
        self.bar.set_position(done as u64);
    }

    /// What to say behind the count.
    pub(crate) fn beside(&self, what: impl Into<String>) {
        self.bar.set_prefix(what.into());
    }

    /// Says something without being in its way.
    pub(crate) fn say(&self, what: impl std::fmt::Display) {
        self.bar.suspend(|| runtime::say::aside(what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.abort();
        }
        self.bar.finish_and_clear();
    }
}

fn percent(whole: &Mutex<Whole>, done: u64) -> Option<u64> {
    whole.lock().ok().and_then(|whole| whole.percent(done))
}

/// A bar and its percentage; nothing where the whole is not known.
fn drawn_bar(percent: Option<u64>) -> String {
    let Some(percent) = percent else { return String::new() };
    let full = percent * BAR / 100;
    let part = |of: &str, count: u64| of.repeat(usize::try_from(count).unwrap_or_default());
    format!("{}{} {percent:>3} %", part("━", full), part("╌", BAR - full))
}

async fn print(bar: ProgressBar, whole: Arc<Mutex<Whole>>) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        let share = percent(&whole, bar.position()).map(|share| format!(" ({share} %)")).unwrap_or_default();
        runtime::say::aside(format_args!(
            "{} {}{}{share} after {} s",
            bar.message(),
            bar.position(),
            bar.prefix(),
            bar.elapsed().as_secs()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // G8
    #[test]
    fn a_bar_is_as_full_as_its_part_is_done() {
        assert_eq!(Whole::of(200).percent(50), Some(25));
        assert_eq!(Whole::of(2).percent(3), Some(100));
        assert_eq!(Whole::of(0).percent(0), None);
        assert_eq!(Whole::Unknown.percent(7), None);
        assert_eq!(drawn_bar(None), "");
        assert_eq!(drawn_bar(Some(0)), format!("{}   0 %", "╌".repeat(24)));
        assert_eq!(drawn_bar(Some(50)), format!("{}{}  50 %", "━".repeat(12), "╌".repeat(12)));
        assert_eq!(drawn_bar(Some(100)), format!("{} 100 %", "━".repeat(24)));
    }
}
