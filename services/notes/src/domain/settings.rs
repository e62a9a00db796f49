//! What an organization decides about its notes.

use std::time::Duration;

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use zones::Zone;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The policies of an organization. Without any decision of its own: [`Settings::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether a note on a contact is written only from within a conversation whose contact it is. Default: yes.
    pub contact_note_requires_conversation: bool,
    /// What deleting a note of a conversation does. Default: it is refused.
    pub conversation_note_deletion: ConversationNoteDeletion,
    /// Whether colleagues may write internal messages. Default: yes.
    pub internal_messages_enabled: bool,
    /// The zone in which a PDF of a conversation tells its times. Default: UTC.
    #[serde(default)]
    pub time_zone: Zone,
    /// How long notes are kept. Default: they stay.
    #[serde(default)]
    pub note_retention: Retention,
    /// How long internal messages are kept. Default: they stay.
    #[serde(default)]
    pub internal_message_retention: Retention,
}

/// How long something is kept after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Retention(i32);

impl Retention {
    /// Reads a number of days; 0 is for ever. The contract has refused numbers below, and above 36,500.
    #[must_use]
    pub fn of_days(days: i32) -> Self {
        Self(days.max(0))
    }

    /// How many days; 0 is for ever.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// What was written before this moment is due; nothing, if things stay.
    #[must_use]
    pub fn due_before(self, now: Timestamp) -> Option<Timestamp> {
        let days = u32::try_from(self.0).ok().filter(|days| *days > 0)?;
        Some(now.minus(DAY * days))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact_note_requires_conversation: true,
            conversation_note_deletion: ConversationNoteDeletion::Forbidden,
            internal_messages_enabled: true,
            time_zone: Zone::UTC,
            note_retention: Retention::default(),
            internal_message_retention: Retention::default(),
        }
    }
}

/// The settings as an organization has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What it decided.
    pub settings: Settings,
    /// Changes with every change: 1 while nobody changed anything.
    pub version: i64,
    /// When they last changed.
    pub update_time: Option<Timestamp>,
}

impl Default for Decided {
    /// Before the first change.
    fn default() -> Self {
        Self { settings: Settings::default(), version: 1, update_time: None }
    }
}

/// New values; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsChange {
    /// See [`Settings`].
    pub contact_note_requires_conversation: Option<bool>,
    /// See [`Settings`].
    pub conversation_note_deletion: Option<ConversationNoteDeletion>,
    /// See [`Settings`].
    pub internal_messages_enabled: Option<bool>,
    /// See [`Settings`].
    pub time_zone: Option<Zone>,
    /// See [`Settings`].
    pub note_retention: Option<Retention>,
    /// See [`Settings`].
    pub internal_message_retention: Option<Retention>,
}

impl SettingsChange {
    /// The settings after the change.
    #[must_use]
    pub fn apply(self, to: Settings) -> Settings {
        Settings {
            contact_note_requires_conversation: self
                .contact_note_requires_conversation
                .unwrap_or(to.contact_note_requires_conversation),
            conversation_note_deletion: self
                .conversation_note_deletion
                .unwrap_or(to.conversation_note_deletion),
            internal_messages_enabled: self.internal_messages_enabled.unwrap_or(to.internal_messages_enabled),
            time_zone: self.time_zone.unwrap_or(to.time_zone),
            note_retention: self.note_retention.unwrap_or(to.note_retention),
            internal_message_retention: self
                .internal_message_retention
                .unwrap_or(to.internal_message_retention),
        }
    }
}

/// What deleting a note of a conversation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ConversationNoteDeletion {
    /// It is refused: notes stay.
    #[default]
    Forbidden,
    /// The note is hidden from all but admins, who still read it.
    Tombstone,
}

impl ConversationNoteDeletion {
    /// The word under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Tombstone => "tombstone",
        }
    }
}

db::read_as!(ConversationNoteDeletion: String);

impl TryFrom<String> for ConversationNoteDeletion {
    type Error = Malformed;

    fn try_from(word: String) -> Result<Self, Malformed> {
        match word.as_str() {
            "forbidden" => Ok(Self::Forbidden),
            "tombstone" => Ok(Self::Tombstone),
            _ => Err(Malformed::new("must be forbidden or tombstone").at("conversation_note_deletion")),
        }
    }
}
