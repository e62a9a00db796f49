//! The history for programs: one JSON object, written entry by entry, so that its length costs no memory.
//!
//! ```json
//! {"format": "backchannel.conversation", "version": 1, "profile": "CUSTOMER_SAFE", "export_time": "2026-11-22T17:03:22.120000Z",
//!  "conversation": {"conversation_id": "..", "subject": "..", "customer": {"contact_id": "..", "display_name": ".."}, ..},
//!  "entries": [{"visibility": "CUSTOMER_FACING", "type": "message", "time": "..", "direction": "INBOUND", "text": "..", ..}, ..],
//!  "participants": [{"display_name": "..", "customer": true}, ..], "entry_count": 1}
//! ```
//!
//! A new field does not change the version; a field that is gone, or means something else, does.

use serde::Serialize;

use super::history::{Entry, Heading, Participant, Participants};
use super::{Edition, profile::Profile};
use crate::domain::timeline::Kind;

/// What the shape is called, so that a program knows the file without being told.
pub const NAME: &str = "backchannel.conversation";
/// The version of the shape.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Opening<'a> {
    format: &'static str,
    version: u32,
    profile: &'static str,
    export_time: String,
    conversation: &'a Heading,
}

#[derive(Serialize)]
struct Shown<'a> {
    visibility: &'static str,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Serialize)]
struct Ending {
    participants: Vec<Participant>,
    entry_count: u64,
}

/// A file that is being written.
pub struct JsonFile {
    participants: Participants,
    entries: u64,
}

impl JsonFile {
    /// The file's beginning.
    ///
    /// # Errors
    /// [`serde_json::Error`], which none of these types makes.
    pub fn begin(heading: &Heading, edition: &Edition) -> Result<(Self, Vec<u8>), serde_json::Error> {
        let opening = Opening {
            format: NAME,
            version: VERSION,
            profile: match edition.profile {
                Profile::CustomerSafe => "CUSTOMER_SAFE",
                Profile::WithNotes => "WITH_NOTES",
                Profile::Full => "FULL",
            },
            export_time: zones::rfc3339(edition.export_time),
            conversation: heading,
        };
        let mut bytes = serde_json::to_vec(&opening)?;
        // The object stays open.
        bytes.pop();
        bytes.extend(b",\n\"entries\":[");
        Ok((Self { participants: Participants::of(heading), entries: 0 }, bytes))
    }

    /// Writes one entry behind those before it.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn write(&mut self, entry: &Entry, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        to.extend(if self.entries == 0 { b"\n".as_slice() } else { b",\n".as_slice() });
        self.participants.meet(entry);
        self.entries += 1;
        let visibility = if entry.kind() == Kind::Message { "CUSTOMER_FACING" } else { "INTERNAL" };
        serde_json::to_writer(to, &Shown { visibility, entry })
    }

    /// How many entries were written.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The file's end.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn end(self) -> Result<Vec<u8>, serde_json::Error> {
        let ending = Ending { participants: self.participants.into_names(), entry_count: self.entries };
        let rest = serde_json::to_vec(&ending)?;
        let mut bytes = b"\n],\n".to_vec();
        // It goes on in the object that `begin` left open.
        bytes.extend(rest.iter().skip(1));
        bytes.push(b'\n');
        Ok(bytes)
    }
}
