//! Timers: reminders to look at something later. What is found then, under its lock, decides what happens. So nothing has to delete a
//! timer: one whose wait is over, or is another by now, is dropped when it is due.

use std::time::Duration;

use kernel::Timestamp;
use uuid::Uuid;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerKind {
    /// Whether a conversation waits for so long that a workflow runs (R9).
    Workflow,
    /// Whether an agent leaves a waiting customer without a reply (R13).
    ReplyLimit,
    /// Whether an agent who went offline is back (R13). The only kind whose subject is an agent.
    Grace,
    /// Whether an agent is back who was offline already when a customer began to wait for them (R13).
    Absence,
    /// Whether an offer was answered (R12).
    Offer,
    /// Whether a target is near, or missed (R17).
    Sla,
}

impl TimerKind {
    /// All that this program knows. Those of a newer one are left to it.
    pub const ALL: [Self; 6] =
        [Self::Workflow, Self::ReplyLimit, Self::Grace, Self::Absence, Self::Offer, Self::Sla];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "WORKFLOW",
            Self::ReplyLimit => "REPLY_LIMIT",
            Self::Grace => "GRACE",
            Self::Absence => "ABSENCE",
            Self::Offer => "OFFER",
            Self::Sla => "SLA",
        }
    }

    /// Reads what [`TimerKind::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A reminder. There is one for each subject, kind and rule: setting it anew replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// A conversation, or an agent.
    pub subject: Uuid,
    /// What is looked at.
    pub kind: TimerKind,
    /// What of the kind: the id of a workflow, a team or an agent, the name of a target, or nothing.
    pub rule: String,
    /// The beginning of the wait that it was set for: another one there by then is none of its business.
    pub since: Timestamp,
    /// When to look.
    pub due: Timestamp,
}

impl Timer {
    /// The same wait, looked at again later.
    #[must_use]
    pub fn later(self, due: Timestamp) -> Self {
        Self { due, ..self }
    }

    /// What was set by a clock that shows `here`, by another that shows `there` at the same moment. A target is a time of day and stays.
    #[must_use]
    pub fn shown_by(self, here: Timestamp, there: Timestamp) -> Self {
        if self.kind == TimerKind::Sla {
            return self;
        }
        Self { since: shown_by(self.since, here, there), due: shown_by(self.due, here, there), ..self }
    }

    /// A timer for what lasts so long after its beginning.
    #[must_use]
    pub fn after(
        wait: Duration,
        subject: Uuid,
        kind: TimerKind,
        rule: impl ToString,
        since: Timestamp,
    ) -> Self {
        Self { subject, kind, rule: rule.to_string(), since, due: since.plus(wait) }
    }
}

/// A time that a clock showed, as another shows it: at the same moment one shows `here` and the other `there`.
#[must_use]
pub fn shown_by(time: Timestamp, here: Timestamp, there: Timestamp) -> Timestamp {
    time.plus(there.since(here)).minus(here.since(there))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Clock, Timestamp};

    use super::{Timer, TimerKind};

    // R13
    #[test]
    fn a_span_is_as_long_by_any_clock() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let id = Clock::system().new_id();
        let timer = Timer::after(Duration::from_secs(60), id, TimerKind::ReplyLimit, "", at(95));
        let ahead = timer.clone().shown_by(at(100), at(40));
        assert_eq!((ahead.since, ahead.due), (at(35), at(95)));
        let behind = timer.clone().shown_by(at(100), at(4_000));
        assert_eq!((behind.since, behind.due), (at(3_995), at(4_055)));
        assert_eq!(timer.clone().shown_by(at(100), at(100)), timer);
    }

    // R13
    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in TimerKind::ALL {
            assert_eq!(TimerKind::read(kind.as_str()), Some(kind));
        }
        assert_eq!(TimerKind::read("NEWER"), None);
    }
}
