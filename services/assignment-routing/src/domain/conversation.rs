//! Conversations, and how each event changes one (R4, R6).

use std::collections::BTreeSet;

use kernel::{AgentId, ContactId, ConversationId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::agent::Person;
use super::message::Direction;
use super::priority::Priority;
use super::sharing::Sharing;
use super::sla::Tracking;

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It wants work.
    Open,
    /// Put aside until a time.
    Snoozed,
    /// Done, until the customer writes again.
    Resolved,
}

impl Status {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Snoozed => "SNOOZED",
            Self::Resolved => "RESOLVED",
        }
    }

    /// Reads what [`Status::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Open, Self::Snoozed, Self::Resolved].into_iter().find(|status| status.as_str() == text)
    }
}

/// Tags of one conversation, at most: as many as the contract takes.
pub const MOST_TAGS: usize = 50;

/// A conversation with a person outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The conversation.
    pub id: ConversationId,
    /// Grows by one with every change.
    pub version: i64,
    /// The line of business or inbox it came from.
    pub source: String,
    /// The channel.
    pub channel: String,
    /// The channel's own id of it.
    pub external_id: String,
    /// The person outside.
    pub contact: ContactId,
    /// With whom it began, or whose address it began from, where that contact is merged into another: it returns to them.
    pub first_contact: Option<ContactId>,
    /// What it is about.
    pub subject: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    pub assignee: Option<Person>,
    /// The team it belongs to.
    pub team: Option<TeamId>,
    /// Since when the customer waits for an answer.
    pub waiting_since: Option<Timestamp>,
    /// When the customer was first answered.
    pub first_reply_time: Option<Timestamp>,
    /// When a message last went in or out.
    pub last_activity_time: Timestamp,
    /// Until when it is put aside.
    pub snooze_until: Option<Timestamp>,
    /// When it was last resolved.
    pub resolve_time: Option<Timestamp>,
    /// When it began.
    pub create_time: Timestamp,
    /// Messages in it.
    pub message_count: i64,
    /// The place of the last message from the customer.
    pub last_inbound_position: i64,
    /// When its latest message or event was written down.
    #[serde(default = "never")]
    pub last_entry_time: Timestamp,
    /// What it costs who has it, in units: what its channel cost when it began.
    #[serde(default = "one")]
    pub units: i64,
    /// How its team shares it, where a workflow said so.
    #[serde(default)]
    pub sharing: Option<Sharing>,
    /// What it is held against, and how it stands; none: nothing ever was.
    #[serde(default)]
    pub sla: Option<Tracking>,
}

/// Answers that were kept for retries before there were entries.
fn never() -> Timestamp {
    Timestamp::from_micros(0)
}

/// Answers that were kept for retries before there were units.
fn one() -> i64 {
    1
}

/// What an event did to a conversation's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Same,
    /// It is open again.
    Opened,
    /// It was open and is not any more.
    Closed,
}

impl Conversation {
    /// A message went in or out at `at`. One from the customer opens the conversation again; its assignee stays (KEEP).
    pub fn record(&mut self, direction: Direction, at: Timestamp) -> Turn {
        self.message_count += 1;
        self.last_activity_time = self.last_activity_time.max(at);
        match direction {
            Direction::Inbound => {
                self.last_inbound_position = self.message_count;
                self.waiting_since.get_or_insert(at);
                self.reopen()
            }
            // Written before the customer's message that waits, it does not answer that.
            Direction::Outbound if self.waiting_since.is_some_and(|since| at < since) => Turn::Same,
            Direction::Outbound => {
                self.waiting_since = None;
                self.first_reply_time.get_or_insert(at);
                Turn::Same
            }
        }
    }

    /// A blocked contact wrote at `at`: the message counts and is read, but nobody waits for an answer, nothing is new to anybody, and
    /// its status stays (C9).
    pub fn record_unheard(&mut self, at: Timestamp) {
        self.message_count += 1;
        self.last_activity_time = self.last_activity_time.max(at);
    }

    /// Whether a message would open it.
    #[must_use]
    pub fn would_open(&self, direction: Direction) -> bool {
        direction == Direction::Inbound && self.status != Status::Open
    }

    /// Opens it, if it is not.
    pub fn reopen(&mut self) -> Turn {
        if self.status == Status::Open {
            return Turn::Same;
        }
        self.status = Status::Open;
        self.snooze_until = None;
        Turn::Opened
    }

    /// Marks it as done. The customer waits no longer.
    pub fn resolve(&mut self, now: Timestamp) -> Turn {
        let turn = self.left_open();
        self.status = Status::Resolved;
        self.snooze_until = None;
        self.waiting_since = None;
        self.resolve_time = Some(now);
        turn
    }

    /// Puts it aside.
    pub fn snooze(&mut self, until: Timestamp) -> Turn {
        let turn = self.left_open();
        self.status = Status::Snoozed;
        self.snooze_until = Some(until);
        turn
    }

    /// Who has it, by id.
    #[must_use]
    pub fn assignee_id(&self) -> Option<AgentId> {
        self.assignee.as_ref().map(|person| person.agent)
    }

    fn left_open(&self) -> Turn {
        if self.status == Status::Open { Turn::Closed } else { Turn::Same }
    }
}

/// New values for some fields of a conversation.
#[derive(Debug, Clone, Default)]
pub struct ConversationChange {
    /// What it is about.
    pub subject: Option<String>,
    /// Its tags, all of them.
    pub tags: Option<BTreeSet<String>>,
    /// How urgent it is.
    pub priority: Option<Priority>,
}

impl ConversationChange {
    /// Takes the new values over; says whether anything changed.
    pub fn apply(self, to: &mut Conversation) -> bool {
        let before = (to.subject.clone(), to.tags.clone(), to.priority);
        to.subject = self.subject.unwrap_or_else(|| before.0.clone());
        to.tags = self.tags.unwrap_or_else(|| before.1.clone());
        to.priority = self.priority.unwrap_or(before.2);
        before != (to.subject.clone(), to.tags.clone(), to.priority)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn conversation() -> Conversation {
        let clock = Clock::system();
        Conversation {
            id: clock.new_id().into(),
            version: 1,
            source: "airline".into(),
            channel: "chat".into(),
            external_id: "c-1".into(),
            contact: clock.new_id().into(),
            subject: String::new(),
            tags: BTreeSet::new(),
            priority: Priority::Normal,
            status: Status::Open,
            assignee: None,
            team: None,
            waiting_since: None,
            first_reply_time: None,
            last_activity_time: at(0),
            snooze_until: None,
            resolve_time: None,
            create_time: at(0),
            message_count: 0,
            first_contact: None,
            last_inbound_position: 0,
            last_entry_time: at(0),
            units: 1,
            sharing: None,
            sla: None,
        }
    }

    // R4
    #[test]
    fn the_customer_waits_from_the_first_unanswered_message_to_the_answer() {
        let mut it = conversation();
        it.record(Direction::Inbound, at(1));
        it.record(Direction::Inbound, at(2));
        assert_eq!(it.waiting_since, Some(at(1)));
        it.record(Direction::Outbound, at(5));
        it.record(Direction::Outbound, at(6));
        assert_eq!((it.waiting_since, it.first_reply_time), (None, Some(at(5))));
        it.record(Direction::Inbound, at(9));
        assert_eq!(it.waiting_since, Some(at(9)));
        assert_eq!((it.message_count, it.last_inbound_position, it.last_activity_time), (5, 5, at(9)));
    }

    // R4
    #[test]
    fn an_answer_that_is_older_than_what_waits_does_not_answer_it() {
        let mut it = conversation();
        it.record(Direction::Inbound, at(9));
        it.record(Direction::Outbound, at(8));
        assert_eq!((it.waiting_since, it.first_reply_time), (Some(at(9)), None));
        it.record(Direction::Outbound, at(9));
        assert_eq!((it.waiting_since, it.first_reply_time), (None, Some(at(9))));
    }

    // R6
    #[test]
    fn a_message_from_the_customer_opens_it_again_and_one_to_the_customer_does_not() {
        let mut it = conversation();
        assert_eq!(it.resolve(at(1)), Turn::Closed);
        assert_eq!(it.resolve(at(2)), Turn::Same);
        assert_eq!((it.record(Direction::Outbound, at(3)), it.status), (Turn::Same, Status::Resolved));
        assert_eq!((it.record(Direction::Inbound, at(4)), it.status), (Turn::Opened, Status::Open));
        assert_eq!(it.snooze(at(9)), Turn::Closed);
        assert_eq!((it.record(Direction::Inbound, at(5)), it.snooze_until), (Turn::Opened, None));
    }

    // C9
    #[test]
    fn what_a_blocked_contact_writes_counts_and_is_heard_by_nobody() {
        let mut it = conversation();
        it.record(Direction::Inbound, at(1));
        it.resolve(at(2));
        assert!(it.would_open(Direction::Inbound) && !it.would_open(Direction::Outbound));
        it.record_unheard(at(3));
        assert_eq!((it.status, it.waiting_since, it.last_inbound_position), (Status::Resolved, None, 1));
        assert_eq!((it.message_count, it.last_activity_time), (2, at(3)));
    }

    // R4
    #[test]
    fn a_message_that_comes_late_does_not_turn_the_activity_back() {
        let mut it = conversation();
        it.record(Direction::Inbound, at(7));
        it.record(Direction::Inbound, at(3));
        assert_eq!(it.last_activity_time, at(7));
    }
}
