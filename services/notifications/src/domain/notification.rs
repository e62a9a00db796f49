//! One entry of a person's feed, and what the person does with it.

use std::time::Duration;

use kernel::{ConversationId, Malformed, NoteId, NotificationId, Timestamp};

use super::{Actor, Reason, Sequence};

/// The longest snooze.
const SNOOZE_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotificationType {
    /// A conversation was given to the person.
    Assigned,
    /// Somebody mentioned them in a note.
    Mentioned,
    /// A conversation was handed over to them.
    Handoff,
    /// A supervisor or an agent wrote to them.
    InternalMessage,
    /// Somebody replied in a thread they follow.
    NoteReply,
    /// A customer wrote again in a conversation of theirs.
    Reopened,
    /// A conversation was escalated to them.
    Escalated,
    /// A target is about to be missed.
    SlaWarning,
    /// A target was missed.
    SlaBreach,
    /// A customer has waited too long.
    NoReply,
    /// A workflow of the organization had something to tell them.
    Workflow,
    /// A conversation is offered to the person, who has to answer soon.
    Offered,
    /// A webhook of the organization was disabled.
    WebhookDisabled,
}

impl NotificationType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 13] = [
        Self::Assigned,
        Self::Mentioned,
        Self::Handoff,
        Self::InternalMessage,
        Self::NoteReply,
        Self::Reopened,
        Self::Escalated,
        Self::SlaWarning,
        Self::SlaBreach,
        Self::NoReply,
        Self::Workflow,
        Self::Offered,
        Self::WebhookDisabled,
    ];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Mentioned => "mentioned",
            Self::Handoff => "handoff",
            Self::InternalMessage => "internal_message",
            Self::NoteReply => "note_reply",
            Self::Reopened => "reopened",
            Self::Escalated => "escalated",
            Self::SlaWarning => "sla_warning",
            Self::SlaBreach => "sla_breach",
            Self::NoReply => "no_reply",
            Self::Workflow => "workflow",
            Self::Offered => "offered",
            Self::WebhookDisabled => "webhook_disabled",
        }
    }
}

db::read_as!(NotificationType: String);

impl TryFrom<String> for NotificationType {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Malformed::new("is not a type of notification"))
    }
}

/// One thing one person was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub notification_id: NotificationId,
    /// Its place in the person's feed.
    pub sequence: Sequence,
    /// What it is about.
    pub kind: NotificationType,
    /// Why the person gets it.
    pub reason: Reason,
    /// The conversation, where there is one.
    pub conversation_id: Option<ConversationId>,
    /// The note, where there is one.
    pub note_id: Option<NoteId>,
    /// Who did it, where a person did.
    pub actor: Option<Actor>,
    /// When it happened.
    pub occur_time: Timestamp,
    /// When it entered the feed.
    pub create_time: Timestamp,
    /// What the person has done with it.
    pub handling: Handling,
}

/// What a person has done with an entry. A snoozed one is neither read nor archived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, db::FromRow)]
pub struct Handling {
    /// When it was read.
    pub read_time: Option<Timestamp>,
    /// When it was taken out of the list.
    pub archive_time: Option<Timestamp>,
    /// Until when it is hidden. A time that has passed hides nothing: the entry is unread again.
    pub snooze_until_time: Option<Timestamp>,
}

impl Handling {
    /// Out of the list, for good. The first time counts.
    #[must_use]
    pub fn archived(self, now: Timestamp) -> Self {
        Self { archive_time: self.archive_time.or(Some(now)), snooze_until_time: None, ..self }
    }

    /// Hidden, then unread again: also one that was read or archived.
    #[must_use]
    pub const fn snoozed(self, until: SnoozeUntil) -> Self {
        Self { read_time: None, archive_time: None, snooze_until_time: Some(until.0) }
    }

    /// 1 if it is unread in the sense of the feed's counter (snoozed ones are), else 0.
    pub const fn unread(self) -> i64 {
        if self.read_time.is_none() && self.archive_time.is_none() { 1 } else { 0 }
    }
}

/// An entry with which the person did something, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Changed {
    /// Its id.
    pub notification_id: NotificationId,
    /// Its place in the person's feed.
    pub sequence: Sequence,
    /// The last of the person's handlings that changed it.
    pub last_handling: i64,
    /// What the person has done with it.
    #[sqlx(flatten)]
    pub handling: Handling,
}

/// A time to which an entry can be put off: in the future, at most a year away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnoozeUntil(Timestamp);

impl SnoozeUntil {
    /// Checks the time against the present.
    ///
    /// # Errors
    /// [`Malformed`] if it is not in the future, or more than a year (366 days) away.
    pub fn of(until: Timestamp, now: Timestamp) -> Result<Self, Malformed> {
        let wrong = |reason| Err(Malformed::new(reason).at("snooze_until_time"));
        if until <= now {
            return wrong("must be in the future");
        }
        if until > now.plus(SNOOZE_MAX) {
            return wrong("must be at most a year away");
        }
        Ok(Self(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    #[test]
    fn every_type_reads_back() {
        for kind in NotificationType::ALL {
            assert_eq!(NotificationType::try_from(kind.as_str().to_owned()), Ok(kind));
        }
        assert!(NotificationType::try_from("other".to_owned()).is_err());
    }

    #[test]
    fn a_snooze_ends_in_the_future_and_within_a_year() {
        let now = second(1_700_000_000);
        assert!(SnoozeUntil::of(now, now).is_err() && SnoozeUntil::of(second(0), now).is_err());
        assert!(SnoozeUntil::of(now.plus(Duration::from_micros(1)), now).is_ok());
        assert!(SnoozeUntil::of(now.plus(SNOOZE_MAX), now).is_ok());
        assert!(SnoozeUntil::of(now.plus(SNOOZE_MAX + Duration::from_micros(1)), now).is_err());
    }

    #[test]
    fn archiving_twice_keeps_the_first_time_and_ends_a_snooze() {
        let snoozed = Handling { snooze_until_time: Some(second(9)), ..Handling::default() };
        let archived = snoozed.archived(second(1));
        assert_eq!((archived.archive_time, archived.snooze_until_time), (Some(second(1)), None));
        assert_eq!(archived.archived(second(5)), archived);
    }

    proptest! {
        #[test]
        fn whatever_happens_a_snoozed_entry_is_neither_read_nor_archived(steps in proptest::collection::vec(0..3, 0..8)) {
            let now = second(100);
            let mut handling = Handling::default();
            for step in steps {
                handling = match step {
                    0 => handling.archived(now),
                    1 => handling.snoozed(SnoozeUntil::of(second(200), now).unwrap()),
                    _ => Handling { read_time: Some(now), snooze_until_time: None, ..handling },
                };
                prop_assert!(handling.snooze_until_time.is_none() || handling.unread() == 1);
            }
        }
    }
}
