//! What is told of clocks: that one is about to be missed, that it was, and that it ended after that; each once.
//!
//! Only whoever looks at clocks because their time has come tells it. A use case that finds out that something was missed leaves that to
//! the next look, which comes at once: so no message has to wait for what is told.

use kernel::Timestamp;

use super::{Clock, Metric, Tracking, Under};
use crate::domain::conversation::Conversation;
use crate::domain::timer::{Timer, TimerKind};

/// Something to be told of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is about to be missed.
    Warned {
        /// What is measured.
        metric: Metric,
        /// The policy that says so.
        under: Under,
    },
    /// It was missed.
    Breached {
        /// What is measured.
        metric: Metric,
        /// The policy that says so.
        under: Under,
        /// From when on.
        start: Timestamp,
        /// When it was missed.
        due: Timestamp,
        /// When it ended, if it has.
        end: Option<Timestamp>,
    },
    /// It ended, after it was missed.
    Ended {
        /// What was measured.
        metric: Metric,
        /// From when on.
        start: Timestamp,
        /// When it ended.
        end: Timestamp,
    },
}

impl Clock {
    /// When it has to be looked at next; none: not before something happens.
    #[must_use]
    pub fn next_look(&self) -> Option<Timestamp> {
        match (self.missed, self.end) {
            (Some(missed), _) if !self.told.breach => Some(missed),
            (Some(_), Some(end)) if !self.told.end => Some(end.time),
            (Some(_), _) | (None, Some(_)) => None,
            (None, None) => self.warn.filter(|_| !self.told.warning).into_iter().chain(self.due).min(),
        }
    }

    fn tell(&mut self, now: Timestamp) -> Option<News> {
        let (metric, start, under) = (self.metric, self.start, self.under.clone());
        let end = self.end.map(|end| end.time);
        match self.missed {
            Some(due) if !self.told.breach => {
                (self.told.warning, self.told.breach, self.told.end) = (true, true, end.is_some());
                Some(News::Breached { metric, under, start, due, end })
            }
            Some(_) if !self.told.end => {
                self.told.end = end.is_some();
                end.map(|end| News::Ended { metric, start, end })
            }
            None if !self.told.warning && end.is_none() && self.warn.is_some_and(|warn| warn <= now) => {
                self.told.warning = true;
                Some(News::Warned { metric, under })
            }
            _ => None,
        }
    }
}

impl Tracking {
    /// When the conversation has to be looked at next.
    #[must_use]
    pub fn next_look(&self) -> Option<Timestamp> {
        self.clocks.iter().filter_map(Clock::next_look).min()
    }

    /// What is to be told at this moment, of clocks that follow how the conversation stands. From then on it is told.
    pub fn tell(&mut self, now: Timestamp) -> Vec<News> {
        let news = self.clocks.iter_mut().filter_map(|clock| clock.tell(now)).collect();
        self.tidy();
        news
    }
}

impl Conversation {
    /// The timer that looks at its clocks when that has to be; there is one for all of them.
    #[must_use]
    pub fn sla_timer(&self) -> Option<Timer> {
        let due = self.sla.as_ref().and_then(Tracking::next_look)?;
        Some(Timer { subject: self.id.as_uuid(), kind: TimerKind::Sla, rule: String::new(), since: due, due })
    }
}

/// The timer to be set for a conversation that was so and is so now: where its clocks have to be looked at sooner than before. One that
/// comes too early finds nothing to tell, and is set anew.
#[must_use]
pub fn sooner(was: Option<&Conversation>, is: &Conversation) -> Option<Timer> {
    let planned = was.and_then(Conversation::sla_timer);
    is.sla_timer().filter(|next| planned.is_none_or(|planned| next.due < planned.due))
}
