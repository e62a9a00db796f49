//! What a file says: about the conversation, and entry by entry.

use std::collections::BTreeSet;

use kernel::{Role, Timestamp};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::domain::timeline::Kind;

/// The conversation itself.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// Its id.
    pub conversation_id: Uuid,
    /// What it is about.
    pub subject: String,
    /// The line of business or inbox it came from.
    pub source: String,
    /// The channel.
    pub channel: String,
    /// The channel's own id of it.
    pub external_id: String,
    /// The person outside.
    pub customer: Customer,
    /// Whether it is resolved.
    pub resolved: bool,
    /// When it began.
    #[serde(serialize_with = "moment")]
    pub create_time: Timestamp,
    /// When it was last resolved.
    #[serde(serialize_with = "maybe_moment", skip_serializing_if = "Option::is_none")]
    pub resolve_time: Option<Timestamp>,
    /// What customers do not see of it.
    #[serde(rename = "internal", skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside>,
}

/// The person outside.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// Their id.
    pub contact_id: String,
    /// What people call them; empty if nobody knows.
    pub display_name: String,
}

/// What of a conversation is for people inside.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Inside {
    /// How urgent it is: `NORMAL`.
    pub priority: &'static str,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who has it; nobody, perhaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Assigned>,
}

/// Somebody inside who has, or had, the conversation.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// The `sub` of their tokens.
    pub subject: String,
    /// What people call them.
    pub display_name: String,
}

/// Who wrote or did something.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// What people call them.
    pub display_name: String,
    /// How services call them, which is for people inside.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// How services call a person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The `sub` of their tokens.
    pub subject: String,
    /// The role they had.
    #[serde(serialize_with = "role")]
    pub role: Role,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// From the customer.
    Inbound,
    /// To the customer.
    Outbound,
}

/// Something in the history, at its place.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// Between the customer and the organization.
    Message(Message),
    /// A private note.
    Note(Box<Noted>),
    /// Between an agent and the supervisors.
    InternalMessage(Whisper),
    /// Something that happened to the conversation.
    Event(Event),
}

/// A message which the customer wrote or can see. Its text is no Markdown.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its id.
    pub message_id: String,
    /// When it was recorded.
    #[serde(serialize_with = "moment")]
    pub time: Timestamp,
    /// When it was written, as the channel says.
    #[serde(serialize_with = "maybe_moment", skip_serializing_if = "Option::is_none")]
    pub sent_time: Option<Timestamp>,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it; of an inbound one without a name: the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Writer>,
    /// What was written.
    pub text: String,
}

/// A private note.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// Its id.
    pub note_id: Uuid,
    /// When it was written.
    #[serde(serialize_with = "moment")]
    pub time: Timestamp,
    /// When its present text was written.
    #[serde(serialize_with = "moment")]
    pub update_time: Timestamp,
    /// 1 for the first text, one more with each edit.
    pub revision: i64,
    /// Who wrote it.
    pub author: Writer,
    /// The note it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Uuid>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Who deleted it, and when. Then it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// What makes it a handoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandedOver>,
    /// Markdown.
    pub body: String,
    /// Whether it is on the contact, not on the conversation.
    #[serde(skip)]
    pub on_contact: bool,
}

/// Who deleted a note.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Deletion {
    /// Who.
    pub by: Writer,
    /// When.
    #[serde(serialize_with = "moment")]
    pub time: Timestamp,
}

/// What makes a note a handoff.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HandedOver {
    /// Who takes over.
    pub receiver: Assigned,
    /// Markdown: what was done so far.
    pub steps_taken: String,
    /// Markdown: how it should end.
    pub expected_outcome: String,
    /// How soon: `NORMAL`.
    pub urgency: &'static str,
    /// By when it should be done.
    #[serde(serialize_with = "maybe_moment", skip_serializing_if = "Option::is_none")]
    pub due_time: Option<Timestamp>,
    /// When its receiver took note of it.
    #[serde(serialize_with = "maybe_moment", skip_serializing_if = "Option::is_none")]
    pub acknowledge_time: Option<Timestamp>,
}

/// An internal message.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Whisper {
    /// Its id.
    pub internal_message_id: Uuid,
    /// Its thread.
    pub internal_thread_id: Uuid,
    /// When it was written.
    #[serde(serialize_with = "moment")]
    pub time: Timestamp,
    /// Who wrote it.
    pub author: Writer,
    /// Markdown.
    pub body: String,
}

/// Something that happened to the conversation.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its id.
    pub event_id: String,
    /// When it happened.
    #[serde(serialize_with = "moment")]
    pub time: Timestamp,
    /// Who did it; nobody: it came by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Writer>,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened to a conversation.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Happening {
    /// An agent has it.
    Assigned {
        /// Who.
        assignee: Assigned,
        /// Who had it until then.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_assignee: Option<Assigned>,
    },
    /// Nobody has it any more.
    Unassigned {
        /// Who had it until then.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_assignee: Option<Assigned>,
    },
    /// A team has it, and none of its agents yet.
    Queued {
        /// The team's name; empty if it is gone.
        team_handle: String,
        /// Who had it until then.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_assignee: Option<Assigned>,
    },
    /// It was resolved.
    Resolved,
    /// It is open again.
    Reopened,
    /// It was put aside.
    Snoozed {
        /// Until when.
        #[serde(serialize_with = "maybe_moment", skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A target is about to be missed.
    SlaWarned {
        /// Which: `FIRST_RESPONSE`.
        metric: &'static str,
        /// Who had it then.
        #[serde(skip_serializing_if = "Option::is_none")]
        assignee: Option<Assigned>,
    },
    /// A target was missed.
    SlaBreached {
        /// Which: `FIRST_RESPONSE`.
        metric: &'static str,
        /// Who had it then.
        #[serde(skip_serializing_if = "Option::is_none")]
        assignee: Option<Assigned>,
    },
}

impl Entry {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Message(_) => Kind::Message,
            Self::Note(note) if note.on_contact => Kind::ContactNote,
            Self::Note(_) => Kind::Note,
            Self::InternalMessage(_) => Kind::InternalMessage,
            Self::Event(_) => Kind::Event,
        }
    }

    /// When it was written or happened.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.time,
            Self::Note(note) => note.time,
            Self::InternalMessage(message) => message.time,
            Self::Event(event) => event.time,
        }
    }

    /// Its texts, in bytes.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.text.len(),
            Self::Note(note) => {
                let handoff = note.handoff.as_ref();
                note.body.len() + handoff.map_or(0, |it| it.steps_taken.len() + it.expected_outcome.len())
            }
            Self::InternalMessage(message) => message.body.len(),
            Self::Event(_) => 0,
        }
    }

    /// Who wrote it or did it.
    pub fn writer(&self) -> Option<&Writer> {
        match self {
            Self::Message(message) => message.author.as_ref(),
            Self::Note(note) => Some(&note.author),
            Self::InternalMessage(message) => Some(&message.author),
            Self::Event(event) => event.actor.as_ref(),
        }
    }
}

/// One of those who took part.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// What people call them.
    pub display_name: String,
    /// Whether they are the customer.
    pub customer: bool,
}

/// Those who took part: the customer, then everybody who wrote or did something, as they first appear.
#[derive(Clone)]
pub struct Participants {
    names: Vec<Participant>,
    seen: BTreeSet<String>,
}

impl Participants {
    /// The customer alone.
    pub fn of(heading: &Heading) -> Self {
        let display_name = heading.customer.display_name.clone();
        Self { names: vec![Participant { display_name, customer: true }], seen: BTreeSet::new() }
    }

    /// Counts in who wrote this.
    pub fn meet(&mut self, entry: &Entry) {
        let outside = matches!(entry, Entry::Message(message) if message.direction == Direction::Inbound);
        let Some(writer) = entry.writer().filter(|_| !outside) else { return };
        let key = writer.identity.as_ref().map_or(&writer.display_name, |identity| &identity.subject);
        if !writer.display_name.is_empty() && self.seen.insert(key.clone()) {
            self.names.push(Participant { display_name: writer.display_name.clone(), customer: false });
        }
    }

    /// All of them.
    pub fn into_names(self) -> Vec<Participant> {
        self.names
    }
}

fn moment<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&zones::rfc3339(*time))
}

fn maybe_moment<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => moment(time, to),
        None => to.serialize_none(),
    }
}

fn role<S: Serializer>(role: &Role, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&role.to_string().to_uppercase())
}
