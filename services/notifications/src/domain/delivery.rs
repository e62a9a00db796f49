//! One thing to be carried to one destination outside: an email, a push to a device, a call of a webhook.

use kernel::{Malformed, OrgId, Subject, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

kernel::id_type! {
    /// A delivery. It stays the same over all attempts: what is carried can name it, so that a repeat is known by it.
    DeliveryId
}

/// The longest reason that is stored: a reason is a code or a few words, never what somebody else's server said.
const WHY_LENGTH: usize = 200;

/// A way out of this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// An email to a person.
    Email,
    /// A push to a browser.
    WebPush,
    /// A push to a phone, through Firebase Cloud Messaging.
    Fcm,
    /// A call of an organization's endpoint.
    Webhook,
}

impl Channel {
    /// Every channel, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Email, Self::WebPush, Self::Fcm, Self::Webhook];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::WebPush => "web_push",
            Self::Fcm => "fcm",
            Self::Webhook => "webhook",
        }
    }
}

db::read_as!(Channel: String);

impl TryFrom<String> for Channel {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not a channel"))
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Not done yet: for its time, for another of its lane, for another attempt; or under way.
    Waiting,
    /// Taken by the other side.
    Sent,
    /// Nothing had to be carried any more: read before, switched off, no such destination.
    Skipped,
    /// Given up: a dead letter, until an admin has it tried again.
    Failed,
}

impl DeliveryState {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Skipped, Self::Failed];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

db::read_as!(DeliveryState: String);

impl TryFrom<String> for DeliveryState {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not a state of a delivery"))
    }
}

/// What a delivery carries: which entries of a feed or which event, as the one who planned it wrote it down. Ids only, never content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body(Value);

impl Body {
    /// A body that [`Body::read`] gives back.
    pub fn of(what: &impl Serialize) -> Self {
        Self(serde_json::to_value(what).unwrap_or_default())
    }

    /// As it was stored.
    pub const fn stored(value: Value) -> Self {
        Self(value)
    }

    /// As it is stored.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// What was written down.
    ///
    /// # Errors
    /// [`Malformed`] if it is of another type: refuse the delivery then.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_value(self.0.clone())
            .map_err(|_| Malformed::new("is not of this channel").at("body"))
    }
}

/// A delivery that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id: a new one of the clock.
    pub delivery_id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// Whom it is for, where it is for a person.
    pub subject: Option<Subject>,
    /// To which device or endpoint, by its id; empty for email.
    pub destination: String,
    /// What is delivered in order, as an object's id: of the deliveries of one destination and lane each waits until the one before is
    /// done or given up. Empty where order does not matter.
    pub lane: String,
    /// What it carries.
    pub body: Body,
    /// Not before.
    pub due_time: Timestamp,
}

/// A delivery that is due, for the one who carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whose.
    pub org: OrgId,
    /// The delivery: the same at each attempt.
    pub delivery_id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// Whom it is for, where it is for a person.
    pub subject: Option<Subject>,
    /// To which device or endpoint; empty for email.
    pub destination: String,
    /// What it carries.
    pub body: Body,
    /// Which attempt this is; the first is 1.
    pub attempt: i64,
}

/// Why an attempt ended as it did: a few words and perhaps a code. No content, no address, nothing that the other side wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    text: String,
    code: Option<i64>,
}

impl Why {
    /// A reason in words of our own.
    pub fn new(text: impl Into<String>) -> Self {
        let text: String = text.into();
        let text = if text.len() <= WHY_LENGTH { text } else { text.chars().take(WHY_LENGTH).collect() };
        Self { text, code: None }
    }

    /// With the status that the other side answered (HTTP, SMTP).
    #[must_use]
    pub fn with_code(self, code: impl Into<i64>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The code.
    pub const fn code(&self) -> Option<i64> {
        self.code
    }
}

impl From<&'static str> for Why {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it.
    Sent,
    /// There was nothing to carry any more. Done, and no failure.
    Skipped(Why),
    /// Not this time, and only this delivery is concerned: a full mailbox. Tried again by the schedule, then given up.
    Again {
        /// Why.
        why: Why,
        /// Not before, if the other side said so (`Retry-After`).
        not_before: Option<Timestamp>,
    },
    /// The destination does not answer or wants to be left alone (no connection, 5xx, 429): like [`Outcome::Again`], and its other
    /// deliveries wait as well.
    Unreachable {
        /// Why.
        why: Why,
        /// Not before, if the other side said so (`Retry-After`).
        not_before: Option<Timestamp>,
    },
    /// Its time has not come after all: quiet hours. Nobody failed, and no attempt of the schedule is used up.
    Postponed {
        /// Why.
        why: Why,
        /// Until when; it is looked at again after a day at the latest.
        until: Timestamp,
    },
    /// It will never be taken: given up at once.
    Refused(Why),
    /// The destination is no more. The carrier has removed it before it says so; nothing is tried again, and what else waits for it is
    /// skipped by the carrier when it is due and the destination is not found.
    Gone(Why),
}

impl Outcome {
    /// The body cannot be read: the same at each attempt.
    pub fn unreadable(malformed: &Malformed) -> Self {
        Self::Refused(Why::new(malformed.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_and_state_reads_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::try_from(channel.as_str().to_owned()), Ok(channel));
        }
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::try_from(state.as_str().to_owned()), Ok(state));
        }
        assert!(Channel::try_from("pigeon".to_owned()).is_err());
        assert!(DeliveryState::try_from("lost".to_owned()).is_err());
    }

    #[test]
    fn a_body_reads_back_as_what_it_was_and_as_nothing_else() {
        let body = Body::of(&vec![7_i64, 8]);
        assert_eq!(body.read::<Vec<i64>>(), Ok(vec![7, 8]));
        assert_eq!(body.read::<String>().unwrap_err().field(), Some("body"));
    }

    #[test]
    fn a_reason_is_short() {
        assert_eq!(Why::new("ä".repeat(900)).text().chars().count(), 200);
        assert_eq!(Why::from("no answer").with_code(503_i64).code(), Some(503));
    }
}
