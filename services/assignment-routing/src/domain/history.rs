//! What happened to a conversation, as its timeline shows it (N10).

use std::time::Duration;

use kernel::{AgentId, ConversationId, EventId, TeamId, Timestamp};
use uuid::Uuid;

use super::agent::Person;
use super::conversation::Conversation;
use super::message::Author;
use super::sla::Metric;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An agent has it.
    Assigned,
    /// Nobody has it any more.
    Unassigned,
    /// It was given to a team.
    Queued,
    /// It was resolved.
    Resolved,
    /// It is open again.
    Reopened,
    /// It was put aside.
    Snoozed,
    /// A target is about to be missed.
    SlaWarned,
    /// A target was missed.
    SlaBreached,
}

impl EventKind {
    const ALL: [Self; 8] = [
        Self::Assigned,
        Self::Unassigned,
        Self::Queued,
        Self::Resolved,
        Self::Reopened,
        Self::Snoozed,
        Self::SlaWarned,
        Self::SlaBreached,
    ];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "ASSIGNED",
            Self::Unassigned => "UNASSIGNED",
            Self::Queued => "QUEUED",
            Self::Resolved => "RESOLVED",
            Self::Reopened => "REOPENED",
            Self::Snoozed => "SNOOZED",
            Self::SlaWarned => "SLA_WARNED",
            Self::SlaBreached => "SLA_BREACHED",
        }
    }

    /// Reads what [`EventKind::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Why something happened by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventReason {
    /// Who had it was offline for too long while the customer waited.
    AgentOffline,
    /// Who had it left the waiting customer without a reply for too long.
    NoReply,
}

impl EventReason {
    const ALL: [Self; 2] = [Self::AgentOffline, Self::NoReply];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgentOffline => "AGENT_OFFLINE",
            Self::NoReply => "NO_REPLY",
        }
    }

    /// Reads what [`EventReason::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Something that happened to a conversation. Names are looked up when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// The event.
    pub id: EventId,
    /// The conversation.
    pub conversation: ConversationId,
    /// When: later than every message and event of the conversation before it.
    pub time: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// Who did it, where a person did.
    pub actor: Option<Author>,
    /// Who has it from then on.
    pub agent: Option<AgentId>,
    /// Who had it until then.
    pub previous: Option<AgentId>,
    /// The team it was given to, or whose turn it was.
    pub team: Option<TeamId>,
    /// Until when it is put aside.
    pub snooze_until: Option<Timestamp>,
    /// Why it came by itself.
    pub reason: Option<EventReason>,
    /// Which target.
    pub metric: Option<Metric>,
}

/// An event with the people and the team it speaks of, as they are called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEvent {
    /// The event.
    pub event: HistoryEvent,
    /// Who has it from then on.
    pub assignee: Option<Person>,
    /// Who had it until then.
    pub previous: Option<Person>,
    /// The team's handle; none if there is no team, or it is gone.
    pub team_handle: Option<String>,
}

impl HistoryEvent {
    /// An event of which nothing is known but when and what.
    #[must_use]
    pub fn new(id: EventId, conversation: ConversationId, time: Timestamp, kind: EventKind) -> Self {
        Self {
            id,
            conversation,
            time,
            kind,
            actor: None,
            agent: None,
            previous: None,
            team: None,
            snooze_until: None,
            reason: None,
            metric: None,
        }
    }
}

/// The time of an entry behind the `last` one: now, or as soon as can be told where the clock is behind.
#[must_use]
pub fn entry_time(last: Timestamp, now: Timestamp) -> Timestamp {
    now.max(last.plus(Duration::from_micros(1)))
}

impl Conversation {
    /// The time of a new message or event. Whoever asks holds the conversation's lock and writes it.
    pub fn next_entry(&mut self, now: Timestamp) -> Timestamp {
        self.last_entry_time = entry_time(self.last_entry_time, now);
        self.last_entry_time
    }

    /// What happens to it now, by `actor` or by itself.
    pub fn happened(
        &mut self,
        kind: EventKind,
        id: EventId,
        now: Timestamp,
        actor: Option<Author>,
    ) -> HistoryEvent {
        HistoryEvent { actor, ..HistoryEvent::new(id, self.id, self.next_entry(now), kind) }
    }
}

/// In which direction a history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From its beginning on.
    OldestFirst,
    /// From now back.
    NewestFirst,
}

/// A place in it: what is read stands behind this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The time.
    pub time: Timestamp,
    /// The id, which need not be an entry's.
    pub id: Uuid,
}

impl Edge {
    /// Before the first entry in this direction.
    #[must_use]
    pub fn start(order: Order) -> Self {
        match order {
            Order::OldestFirst => Self { time: Timestamp::from_micros(i64::MIN), id: Uuid::nil() },
            Order::NewestFirst => Self { time: Timestamp::from_micros(i64::MAX), id: Uuid::max() },
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::{EventKind, EventReason, entry_time};

    // N10
    #[test]
    fn entries_have_an_order_even_where_the_clock_goes_back() {
        let at = Timestamp::from_micros;
        assert_eq!(entry_time(at(5), at(9)), at(9));
        assert_eq!(entry_time(at(9), at(9)), at(10));
        assert_eq!(entry_time(at(9), at(5)), at(10));
    }

    // N10
    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::read(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::read("other"), None);
        for reason in EventReason::ALL {
            assert_eq!(EventReason::read(reason.as_str()), Some(reason));
        }
    }
}
