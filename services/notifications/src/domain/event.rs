//! What a service tells us. An [`Event`] that exists can be stored: what could make the database refuse a row, and with
//! it the rows of other events in the same statement, was found before.

use std::collections::BTreeSet;

use kernel::{ConversationId, EventId, Malformed, NoteId, Role, Subject, Timestamp};

use super::{Excerpt, NotificationType};

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

/// The longest display name, in characters.
const NAME_MAX: usize = 200;

/// Something that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The sender's name for it: the same id takes effect once.
    pub event_id: EventId,
    /// What it is about.
    pub kind: NotificationType,
    /// Who is told; each once, however often the sender names them.
    pub recipients: BTreeSet<Subject>,
    /// Why they are told.
    pub reason: Reason,
    /// The conversation, where there is one.
    pub conversation_id: Option<ConversationId>,
    /// The note, where there is one.
    pub note_id: Option<NoteId>,
    /// Who did it, where a person did.
    pub actor: Option<Actor>,
    /// When it happened.
    pub occur_time: Timestamp,
    /// The beginning of what was written: private, and in no feed.
    pub excerpt: Option<Excerpt>,
}

/// Why a person is told something: a sentence of one line, never what a note or message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads a reason: 1 to 500 characters, none of them a control character.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        one_line(text, REASON_MAX).map(Self).map_err(|malformed| malformed.at("reason"))
    }

    /// A reason that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The sentence.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person, or a service, who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub subject: Subject,
    /// As what.
    pub role: Role,
    /// What people call them; empty where it is not known.
    pub name: String,
}

impl Actor {
    /// An actor with this display name, at most 200 characters, none of them a control character.
    ///
    /// # Errors
    /// [`Malformed`] for another name.
    pub fn new(subject: Subject, role: Role, name: &str) -> Result<Self, Malformed> {
        let name = match name {
            "" => String::new(),
            name => one_line(name, NAME_MAX).map_err(|malformed| malformed.at("actor.display_name"))?,
        };
        Ok(Self { subject, role, name })
    }
}

/// Control characters end here: PostgreSQL cannot store NUL at all, and names and reasons go into mail headers later.
fn one_line(text: &str, most: usize) -> Result<String, Malformed> {
    if text.is_empty() || text.chars().count() > most {
        return Err(Malformed::new(format!("must have 1 to {most} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Malformed::new("must not contain control characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reason_is_one_line_of_at_most_500_characters() {
        assert_eq!(Reason::parse("Ana mentioned you").unwrap().as_str(), "Ana mentioned you");
        assert!(Reason::parse(&"ä".repeat(500)).is_ok());
        for bad in ["", "a\nb", "a\u{0}b", "a\r", &"a".repeat(501)] {
            assert_eq!(Reason::parse(bad).unwrap_err().field(), Some("reason"), "{bad:?}");
        }
    }

    #[test]
    fn an_actor_may_be_nameless_but_not_misnamed() {
        let ana = || Subject::parse("ana").unwrap();
        assert_eq!(Actor::new(ana(), Role::Agent, "").unwrap().name, "");
        assert!(Actor::new(ana(), Role::Agent, "Ana\r\nBcc: eve").is_err());
        assert!(Actor::new(ana(), Role::Agent, &"x".repeat(201)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic_and_what_passes_can_be_stored(text in any::<String>()) {
            if let Ok(reason) = Reason::parse(&text) {
                prop_assert!(!reason.as_str().contains('\0') && reason.as_str() == text);
            }
        }
    }
}
