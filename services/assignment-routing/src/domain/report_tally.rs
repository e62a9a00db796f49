//! Counting for reports (R19): each entry of a conversation's history is counted once, in order, from how the conversation stood before.
//! That is exact however late a conversation is looked at, since its entries are in order whatever clocks say.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{AgentId, TeamId, Timestamp};
use uuid::Uuid;

use super::conversation::Status;
use super::history::EventKind;
use super::report::{Counts, Slot, Waits};

/// An event that comes so soon behind the beginning of a conversation was written with it.
const AT_ONCE: Duration = Duration::from_micros(1);

/// An entry of a conversation's history, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When it was written down: later than all entries of the conversation before it.
    pub time: Timestamp,
    /// What it says.
    pub what: What,
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The customer began the conversation, with a message that was sent then.
    Began {
        /// As the channel says.
        sent: Timestamp,
    },
    /// The customer was first answered, with a message that was sent then.
    Answered {
        /// As the channel says.
        sent: Timestamp,
    },
    /// Something happened.
    Event {
        /// What; `None` for what a newer version of the program writes.
        kind: Option<EventKind>,
        /// Whether nobody did it.
        by_itself: bool,
        /// Who has it from then on.
        agent: Option<AgentId>,
        /// The team it was given to, or whose turn it was.
        team: Option<TeamId>,
    },
}

/// How a conversation stood after all its entries that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The time of the last of them.
    pub counted_to: Timestamp,
    /// Where it stood.
    pub status: Status,
    /// Who had it.
    pub agent: Option<AgentId>,
    /// Whose it was.
    pub team: Option<TeamId>,
    /// When it began, or was opened again after it had been resolved.
    pub open_time: Timestamp,
    /// Since when the customer waited for their first answer.
    pub asked_time: Option<Timestamp>,
    /// Whether they had one.
    pub answered: bool,
}

impl Standing {
    /// Before the first entry.
    #[must_use]
    pub fn before(first: &Entry) -> Self {
        Self {
            counted_to: Timestamp::from_micros(i64::MIN),
            status: Status::Open,
            agent: None,
            team: None,
            open_time: first.time,
            asked_time: None,
            answered: false,
        }
    }

    /// Counts the next entry.
    pub fn count(&mut self, entry: &Entry, tally: &mut Tally) {
        let (before, slot) = (self.open_with(), Slot::of(entry.time));
        match entry.what {
            What::Began { sent } => self.asked_time = Some(sent.min(entry.time)),
            What::Answered { sent } => self.was_answered(slot, sent.min(entry.time), tally),
            What::Event { kind, by_itself, agent, team } => match kind {
                Some(EventKind::Assigned) => {
                    (self.agent, self.team) = (agent, team.or(self.team));
                    tally.assigned(slot, self.agent, self.team);
                }
                Some(EventKind::Unassigned) => self.agent = None,
                Some(EventKind::Queued) => (self.agent, self.team) = (None, team.or(self.team)),
                Some(EventKind::Resolved) => self.was_resolved(entry.time, by_itself, tally),
                Some(EventKind::Reopened) => self.was_reopened(entry.time),
                Some(EventKind::Snoozed) => self.status = Status::Snoozed,
                // What else happens changes nothing that is counted.
                _ => {}
            },
        }
        self.counted_to = entry.time;
        tally.moved(slot, before, self.open_with());
    }

    /// It is gone: from now on it is open with nobody.
    pub fn close(mut self, now: Timestamp, tally: &mut Tally) {
        let before = self.open_with();
        self.status = Status::Resolved;
        tally.moved(Slot::of(now.max(self.counted_to)), before, self.open_with());
    }

    fn was_answered(&mut self, slot: Slot, sent: Timestamp, tally: &mut Tally) {
        if let Some(asked) = self.asked_time.take().filter(|_| !self.answered) {
            let took = millis(sent.since(asked));
            tally.waited(slot, self.subjects(), |waits| waits.first_responses.push(took));
        }
        self.answered = true;
    }

    fn was_resolved(&mut self, time: Timestamp, by_itself: bool, tally: &mut Tally) {
        if by_itself && time.since(self.open_time) <= AT_ONCE {
            // It was born so, as its contact is blocked: nobody did anything, and nobody was to answer.
            self.asked_time = None;
        } else if self.status != Status::Resolved {
            let (slot, took) = (Slot::of(time), millis(time.since(self.open_time)));
            tally.resolved(slot, self.subjects());
            tally.waited(slot, self.subjects(), |waits| waits.resolutions.push(took));
        }
        self.status = Status::Resolved;
    }

    fn was_reopened(&mut self, time: Timestamp) {
        if self.status == Status::Resolved {
            self.open_time = time;
            if !self.answered {
                self.asked_time.get_or_insert(time);
            }
        }
        self.status = Status::Open;
    }

    /// Who had it, and whose it was.
    fn subjects(&self) -> [Option<Uuid>; 2] {
        [self.agent.map(|it| it.as_uuid()), self.team.map(|it| it.as_uuid())]
    }

    /// The same while it is open.
    fn open_with(&self) -> [Option<Uuid>; 2] {
        if self.status == Status::Open { self.subjects() } else { [None; 2] }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A team, a day in UTC as a number of days since 1970, and an agent.
pub type ShareKey = (TeamId, i64, AgentId);

/// What was counted and is to be added to what was counted before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What agents and teams did.
    pub counts: BTreeMap<(Uuid, Slot), Counts>,
    /// How long it took.
    pub waits: BTreeMap<(Uuid, Slot), Waits>,
    /// Whom conversations of teams were given to, and when.
    pub shares: BTreeMap<ShareKey, Vec<Slot>>,
}

impl Tally {
    fn assigned(&mut self, slot: Slot, agent: Option<AgentId>, team: Option<TeamId>) {
        for subject in [agent.map(|it| it.as_uuid()), team.map(|it| it.as_uuid())].into_iter().flatten() {
            self.counts.entry((subject, slot)).or_default().assigned += 1;
        }
        if let Some((agent, team)) = agent.zip(team) {
            self.shares.entry((team, slot.of_day().0, agent)).or_default().push(slot);
        }
    }

    fn resolved(&mut self, slot: Slot, subjects: [Option<Uuid>; 2]) {
        for subject in subjects.into_iter().flatten() {
            self.counts.entry((subject, slot)).or_default().resolved += 1;
        }
    }

    fn waited(&mut self, slot: Slot, subjects: [Option<Uuid>; 2], add: impl Fn(&mut Waits)) {
        for subject in subjects.into_iter().flatten() {
            add(self.waits.entry((subject, slot)).or_default());
        }
    }

    fn moved(&mut self, slot: Slot, before: [Option<Uuid>; 2], after: [Option<Uuid>; 2]) {
        for (before, after) in before.into_iter().zip(after).filter(|(before, after)| before != after) {
            if let Some(subject) = before {
                self.counts.entry((subject, slot)).or_default().opened -= 1;
            }
            if let Some(subject) = after {
                self.counts.entry((subject, slot)).or_default().opened += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
