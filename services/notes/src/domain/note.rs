//! A private note.

use kernel::{Malformed, NoteId, Role, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Handoff, HandoffTexts, Mention, NoteKind, Place, Reply};

/// The text of a note: Markdown as it was written, 1 byte to 64 KiB. Private: it has no `Debug` that shows it.
/// Its default is the text that is not shown. That it is not blank is the contract's matter: files bring what was written elsewhere.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(String);

impl Body {
    /// Longest text of a note, in bytes of UTF-8.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// Checks a text from outside and keeps it.
    ///
    /// # Errors
    /// [`Malformed`] at `body` when it is empty, longer than 64 KiB, or holds U+0000, which PostgreSQL cannot store.
    pub fn parse(text: String) -> Result<Self, Malformed> {
        let reason = match text.as_bytes() {
            [] => "is required",
            bytes if bytes.len() > Self::MOST_BYTES => "must have at most 65536 bytes in UTF-8",
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

/// Who did something to a note, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: Author,
    /// When.
    pub time: Timestamp,
}

/// A note as it is now. Where it is written as JSON, its text is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub note_id: NoteId,
    /// What it is on.
    pub place: Place,
    /// What it replies to, if it is a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Who wrote it first. Edits do not change that.
    pub author: Author,
    /// The present text.
    #[serde(skip)]
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
    /// Who pinned it, if it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Mark>,
    /// Who deleted it, if it is deleted and keeps its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Mark>,
    /// To whom it hands the conversation over, and how, if it is a handoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<Handoff>,
}

impl Note {
    /// Whether `who` may change or delete it: its author may, and admins.
    pub fn may_be_changed_by(&self, who: &Author) -> bool {
        who.role == Role::Admin || who.subject == self.author.subject
    }

    /// Whether somebody with this role reads what it says: of a deleted note only admins do.
    pub fn is_legible_to(&self, reader: Role) -> bool {
        self.deletion.is_none() || reader == Role::Admin
    }

    /// The note as somebody with this role sees it.
    #[must_use]
    pub fn shown_to(self, reader: Role) -> Self {
        if self.is_legible_to(reader) {
            return self;
        }
        let handoff = self.handoff.as_ref().map(Handoff::without_texts);
        Self { body: Body::default(), mentions: Vec::new(), handoff, ..self }
    }

    /// What kind of note it is.
    pub fn kind(&self) -> NoteKind {
        if self.handoff.is_some() { NoteKind::Handoff } else { self.place.kind() }
    }

    /// All it says, in bytes: pages end at a number of them.
    pub fn text_bytes(&self) -> usize {
        self.body.as_str().len() + self.handoff.as_ref().map_or(0, |handoff| handoff.texts.bytes())
    }

    /// What it says beside its text, if it is a handoff.
    pub fn handoff_texts(&self) -> Option<HandoffTexts> {
        self.handoff.as_ref().map(|handoff| handoff.texts.clone())
    }

    /// The note that began its thread: itself, if it is no reply.
    pub fn thread(&self) -> NoteId {
        self.reply.map_or(self.note_id, |reply| reply.thread)
    }

    /// What is remembered for a retry of the request that wrote this.
    pub fn receipt(&self) -> Receipt {
        let handoff = self.handoff.as_ref().map(Handoff::without_texts);
        Receipt(Self { body: Body::default(), handoff, ..self.clone() })
    }
}

/// A [`Note`] without its texts: the answer that is kept for retries.
///
/// A retry brings the same text again (its digest is compared), so that it need not be stored a second time, where an
/// erasure could miss it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(Note);

impl Receipt {
    /// Of which note.
    pub fn note_id(&self) -> NoteId {
        self.0.note_id
    }

    /// The whole answer again, with what it says and, of a handoff, what it says beside.
    pub fn with_texts(self, body: Body, handoff: Option<HandoffTexts>) -> Note {
        let texts = handoff.unwrap_or_default();
        let handoff = self.0.handoff.map(|kept| Handoff { texts, ..kept });
        Note { body, handoff, ..self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Author, Body, Mark, Note};
    use crate::domain::{Place, Reply};
    use kernel::{Clock, Role, Subject, Timestamp};

    fn person(subject: &str, role: Role) -> Author {
        Author { subject: Subject::parse(subject).unwrap(), role, display_name: "Secret Name".to_owned() }
    }

    fn note() -> Note {
        let clock = Clock::system();
        Note {
            note_id: clock.new_id().into(),
            place: Place::Conversation {
                conversation_id: clock.new_id().into(),
                contact_id: clock.new_id().into(),
            },
            reply: None,
            author: person("ana", Role::Agent),
            body: Body::parse("secret".to_owned()).unwrap(),
            mentions: vec![],
            revision: 1,
            version: 1,
            create_time: Timestamp::from_micros(1),
            update_time: Timestamp::from_micros(1),
            pin: None,
            deletion: None,
            handoff: None,
        }
    }

    fn deleted() -> Note {
        let by = person("root", Role::Admin);
        Note { deletion: Some(Mark { by, time: Timestamp::from_micros(2) }), ..note() }
    }

    #[test]
    fn a_body_is_measured_in_bytes_not_characters() {
        assert!(Body::parse("€".repeat(Body::MOST_BYTES / 3)).is_ok());
        let long = Body::parse("€".repeat(Body::MOST_BYTES / 3 + 1)).unwrap_err();
        assert_eq!(long.field(), Some("body"));
        assert!(Body::parse(String::new()).is_err() && Body::parse("a\0b".to_owned()).is_err());
    }

    #[test]
    fn the_author_and_admins_change_it_and_nobody_else() {
        let note = note();
        assert!(note.may_be_changed_by(&person("ana", Role::Agent)));
        assert!(note.may_be_changed_by(&person("root", Role::Admin)));
        assert!(!note.may_be_changed_by(&person("bob", Role::Agent)));
        assert!(!note.may_be_changed_by(&person("eve", Role::Supervisor)));
    }

    // N6
    #[test]
    fn a_deleted_note_says_something_to_admins_only() {
        for role in [Role::Agent, Role::Supervisor] {
            let seen = deleted().shown_to(role);
            assert_eq!((seen.body.as_str(), seen.mentions.len()), ("", 0), "{role}");
            assert!(seen.deletion.is_some() && seen.author == deleted().author, "who and when stays");
        }
        assert_eq!(deleted().shown_to(Role::Admin).body.as_str(), "secret");
        assert_eq!(note().shown_to(Role::Agent).body.as_str(), "secret");
    }

    // N4
    #[test]
    fn a_thread_is_known_by_the_note_that_began_it() {
        let (first, other) = (note(), note());
        let reply = Note { reply: Some(Reply { to: other.note_id, thread: first.note_id }), ..note() };
        assert_eq!((first.thread(), reply.thread()), (first.note_id, first.note_id));
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
        for note in [note(), deleted()] {
            let receipt: super::Receipt =
                serde_json::from_str(&serde_json::to_string(&note.receipt()).unwrap()).unwrap();
            assert_eq!(receipt.with_texts(note.body.clone(), None), note);
        }
    }
}
