//! How far a command is: a clock and a count on a terminal, elsewhere a line every ten seconds.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts up, for whoever waits. Gone when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show.
    pub(crate) fn shown() -> Self {
        let bar = ProgressBar::new_spinner();
        let bar = match ProgressStyle::with_template("{spinner} {elapsed_precise}  {msg} {human_pos}{prefix}")
        {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let lines = if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(Duration::from_millis(200));
            None
        } else {
            Some(tokio::spawn(print(bar.clone())))
        };
        Self { bar, lines }
    }

    /// The next part, counted from 0, up to `total` where that is known.
    pub(crate) fn begin(&self, what: &'static str, total: Option<usize>) {
        self.bar.set_message(what);
        self.bar.set_prefix(total.map(|total| format!(" of {total}")).unwrap_or_default());
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

async fn print(bar: ProgressBar) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        runtime::say::aside(format_args!(
            "{} {}{} after {} s",
            bar.message(),
            bar.position(),
            bar.prefix(),
            bar.elapsed().as_secs()
        ));
    }
}
