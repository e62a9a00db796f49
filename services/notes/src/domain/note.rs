//! A private note on a conversation.

use kernel::{ConversationId, Malformed, NoteId, Role, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::Mention;

/// Longest text of a note, in bytes of UTF-8.
const MOST_BYTES: usize = 64 * 1024;

/// The text of a note: Markdown as it was written, 1 byte to 64 KiB. Private: it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Checks a text from outside and keeps it.
    ///
    /// # Errors
    /// [`Malformed`] at `body` when it is empty, longer than 64 KiB, or holds U+0000, which PostgreSQL cannot store.
    pub fn parse(text: String) -> Result<Self, Malformed> {
        let reason = match text.as_bytes() {
            [] => "is required",
            bytes if bytes.len() > MOST_BYTES => "must have at most 65536 bytes in UTF-8",
            bytes if bytes.contains(&0) => "may not contain the character U+0000",
            _ => return Ok(Self(text)),
        };
        Err(Malformed::new(reason).at("body"))
    }

    /// A text that was checked before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl From<Body> for String {
    fn from(body: Body) -> Self {
        body.0
    }
}

/// Who wrote a text, as their token said when they did.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The `sub` of the token.
    pub subject: Subject,
    /// The role of the token.
    pub role: Role,
    /// What people call them.
    pub display_name: String,
}

impl std::fmt::Debug for Author {
    /// Without the name, which is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Author")
            .field("subject", &self.subject)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A note as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub note_id: NoteId,
    /// The conversation it is on.
    pub conversation_id: ConversationId,
    /// Who wrote it first. Edits do not change that.
    pub author: Author,
    /// The present text.
    pub body: Body,
    /// The names after `@` in the present text, in its order, and what became of each.
    pub mentions: Vec<Mention>,
    /// 1 for the first text, one more with each edit.
    pub revision: i64,
    /// One more with each change of anything; what etags are made from.
    pub version: i64,
    /// When it was written.
    pub create_time: Timestamp,
    /// When its present text was written.
    pub update_time: Timestamp,
}

impl Note {
    /// Whether `editor` may change the text: its author may, and admins.
    pub fn may_be_edited_by(&self, editor: &Author) -> bool {
        editor.role == Role::Admin || editor.subject == self.author.subject
    }

    /// What is remembered for a retry of the request that wrote this.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            note_id: self.note_id,
            conversation_id: self.conversation_id,
            author: self.author.clone(),
            mentions: self.mentions.clone(),
            revision: self.revision,
            version: self.version,
            create_time: self.create_time,
            update_time: self.update_time,
        }
    }
}

/// A [`Note`] without its text: the answer that is kept for retries.
///
/// A retry brings the same text again (its digest is compared), so that it need not be stored a second time, where an
/// erasure could miss it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    note_id: NoteId,
    conversation_id: ConversationId,
    author: Author,
    mentions: Vec<Mention>,
    revision: i64,
    version: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl Receipt {
    /// The whole answer again.
    pub fn with_body(self, body: Body) -> Note {
        Note {
            note_id: self.note_id,
            conversation_id: self.conversation_id,
            author: self.author,
            body,
            mentions: self.mentions,
            revision: self.revision,
            version: self.version,
            create_time: self.create_time,
            update_time: self.update_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Author, Body, MOST_BYTES, Note};
    use kernel::{Clock, Role, Subject, Timestamp};

    fn person(subject: &str, role: Role) -> Author {
        Author { subject: Subject::parse(subject).unwrap(), role, display_name: "Secret Name".to_owned() }
    }

    fn note() -> Note {
        let clock = Clock::system();
        Note {
            note_id: clock.new_id().into(),
            conversation_id: clock.new_id().into(),
            author: person("ana", Role::Agent),
            body: Body::parse("secret".to_owned()).unwrap(),
            mentions: vec![],
            revision: 1,
            version: 1,
            create_time: Timestamp::from_micros(1),
            update_time: Timestamp::from_micros(1),
        }
    }

    #[test]
    fn a_body_is_measured_in_bytes_not_characters() {
        assert!(Body::parse("€".repeat(MOST_BYTES / 3)).is_ok());
        let long = Body::parse("€".repeat(MOST_BYTES / 3 + 1)).unwrap_err();
        assert_eq!(long.field(), Some("body"));
        assert!(Body::parse(String::new()).is_err() && Body::parse("a\0b".to_owned()).is_err());
    }

    #[test]
    fn the_author_and_admins_edit_and_nobody_else() {
        let note = note();
        assert!(note.may_be_edited_by(&person("ana", Role::Agent)));
        assert!(note.may_be_edited_by(&person("root", Role::Admin)));
        assert!(!note.may_be_edited_by(&person("bob", Role::Agent)));
        assert!(!note.may_be_edited_by(&person("eve", Role::Supervisor)));
    }

    #[test]
    fn debug_shows_neither_text_nor_name() {
        let shown = format!("{:?} {:?}", note(), note().receipt());
        assert!(!shown.to_lowercase().contains("secret"), "{shown}");
    }

    #[test]
    fn a_receipt_and_the_same_text_are_the_note_again() {
        let kept = serde_json::to_string(&note().receipt()).unwrap();
        assert!(!kept.contains("secret"), "the text is not kept twice");
        let note = note();
        let receipt: super::Receipt =
            serde_json::from_str(&serde_json::to_string(&note.receipt()).unwrap()).unwrap();
        assert_eq!(receipt.with_body(note.body.clone()), note);
    }
}
