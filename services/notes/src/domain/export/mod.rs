//! The history of a conversation as a file (N11): what is in it, and how it is written. Pure: the same history, profile and
//! time make the same bytes.
//!
//! | file | story |
//! |---|---|
//! | [`history`] | what a file says: about the conversation, and entry by entry |
//! | [`profile`] | [`Profile`]: what of a conversation is in a file, decided here and nowhere else |
//! | [`json`] | the history for programs, entry by entry |
//! | [`pdf`] | the history for people, on pages |

pub mod history;
pub mod json;
pub mod pdf;
pub mod profile;

pub use history::{Assigned, Entry, Heading, Inside, Participant, Writer};
pub use profile::Profile;

use kernel::{ConversationId, Timestamp};

use zones::Zone;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// To read and to print.
    Pdf,
    /// For programs.
    Json,
}

/// Which file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// What kind of file.
    pub format: Format,
    /// What is in it.
    pub profile: Profile,
}

/// What a file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// What is in it.
    pub profile: Profile,
    /// When it was asked for.
    pub export_time: Timestamp,
    /// The zone in which it tells times to people.
    pub zone: Zone,
}

impl Order {
    /// What the audit trail calls it.
    pub fn action(&self) -> &'static str {
        match (self.profile, self.format) {
            (Profile::CustomerSafe, Format::Pdf) => "conversation.export_customer_safe_pdf",
            (Profile::CustomerSafe, Format::Json) => "conversation.export_customer_safe_json",
            (Profile::WithNotes, Format::Pdf) => "conversation.export_with_notes_pdf",
            (Profile::WithNotes, Format::Json) => "conversation.export_with_notes_json",
            (Profile::Full, Format::Pdf) => "conversation.export_full_pdf",
            (Profile::Full, Format::Json) => "conversation.export_full_json",
        }
    }

    /// A name for the file: nothing in it comes from what people wrote.
    pub fn file_name(&self) -> String {
        let ending = match self.format {
            Format::Pdf => "pdf",
            Format::Json => "json",
        };
        format!("conversation-{}-{}.{ending}", self.conversation_id, self.profile.as_str().replace('_', "-"))
    }
}

impl Format {
    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Json => "application/json",
        }
    }
}
