//! Handoffs: notes that give a conversation into somebody's hands, and that this person acknowledges (N9).

use kernel::{Malformed, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::internal_message::Person;
use super::{Author, Handle, Note};

/// How soon a handoff wants to be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Can wait.
    Low,
    /// As usual.
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
}

impl Urgency {
    /// As sentences have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// What a handoff says beside the note's text. Private: it has no `Debug` that shows it. Its default is what is not shown.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HandoffTexts {
    steps_taken: String,
    expected_outcome: String,
}

impl HandoffTexts {
    /// Longest text of each, in bytes of UTF-8.
    pub const MOST_BYTES: usize = 8 * 1024;

    /// Checks texts from outside and keeps them.
    ///
    /// # Errors
    /// [`Malformed`] at the field that is longer than 8 KiB or holds U+0000, which PostgreSQL cannot store.
    pub fn parse(steps_taken: String, expected_outcome: String) -> Result<Self, Malformed> {
        let fields = [("handoff.steps_taken", &steps_taken), ("handoff.expected_outcome", &expected_outcome)];
        for (field, text) in fields {
            if text.len() > Self::MOST_BYTES {
                return Err(Malformed::new("must have at most 8192 bytes in UTF-8").at(field));
            }
            if text.contains('\0') {
                return Err(Malformed::new("may not contain the character U+0000").at(field));
            }
        }
        Ok(Self { steps_taken, expected_outcome })
    }

    /// What was done so far, and how it should end.
    pub fn into_parts(self) -> (String, String) {
        (self.steps_taken, self.expected_outcome)
    }

    /// The bytes of both.
    pub fn bytes(&self) -> usize {
        self.steps_taken.len() + self.expected_outcome.len()
    }
}

impl std::fmt::Debug for HandoffTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HandoffTexts({} bytes)", self.bytes())
    }
}

/// That the receiver has taken note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The receiver, as their token said.
    pub by: Author,
    /// When.
    pub time: Timestamp,
    /// Which text of the note they had.
    pub revision: i64,
}

/// What makes a note a handoff. Edits of the note change its text only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Who takes over. Where a team does, somebody who stands for it: see [`Handoff::person`].
    pub receiver: Person,
    /// The team that takes over, where it is no single agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Handle>,
    /// How soon.
    pub urgency: Urgency,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
    /// What it says beside the note's text.
    pub texts: HandoffTexts,
    /// None until the receiver gives it.
    pub acknowledgement: Option<Acknowledgement>,
}

impl Handoff {
    /// Who stands for a team where earlier versions of the service look for a person: nobody has such a token.
    ///
    /// # Errors
    /// None for a handle: it is a subject with any prefix.
    pub fn stand_in(team: &Handle) -> Result<Person, Malformed> {
        let subject = Subject::parse(&format!("team:{team}"))?;
        Ok(Person { subject, display_name: format!("@{team}") })
    }

    /// The agent who takes over; none if a team does.
    #[must_use]
    pub fn person(&self) -> Option<&Subject> {
        self.team.is_none().then_some(&self.receiver.subject)
    }

    /// Whether this person may acknowledge it: its receiver; of one to a team, anybody but its author.
    fn is_for(&self, who: &Subject, author: &Subject) -> bool {
        self.person().map_or(who != author, |receiver| receiver == who)
    }

    /// The same without what it says.
    #[must_use]
    pub fn without_texts(&self) -> Self {
        Self { texts: HandoffTexts::default(), ..self.clone() }
    }
}

/// Why a note is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAcknowledged {
    /// It hands nothing over.
    NoHandoff,
    /// It is for somebody else.
    NotTheReceiver,
    /// It is deleted.
    Deleted,
}

impl Note {
    /// Whom it waits for: the agent to whom a handoff is that is not acknowledged yet.
    pub fn awaits(&self) -> Option<&Subject> {
        let handoff = self.handoff.as_ref().filter(|_| self.deletion.is_none())?;
        handoff.person().filter(|_| handoff.acknowledgement.is_none())
    }

    /// Acknowledges the present text of a handoff; says whether that changed anything. The first acknowledgement stays.
    ///
    /// # Errors
    /// [`NotAcknowledged`].
    pub fn acknowledge(&mut self, by: Author, time: Timestamp) -> Result<bool, NotAcknowledged> {
        let (revision, deleted) = (self.revision, self.deletion.is_some());
        let handoff = self.handoff.as_mut().ok_or(NotAcknowledged::NoHandoff)?;
        if !handoff.is_for(&by.subject, &self.author.subject) {
            return Err(NotAcknowledged::NotTheReceiver);
        }
        if deleted {
            return Err(NotAcknowledged::Deleted);
        }
        if handoff.acknowledgement.is_some() {
            return Ok(false);
        }
        handoff.acknowledgement = Some(Acknowledgement { by, time, revision });
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, Role, Subject, Timestamp};

    use super::{Handoff, HandoffTexts, NotAcknowledged, Urgency};
    use crate::domain::internal_message::Person;
    use crate::domain::{Author, Body, Handle, Mark, Note, Place};

    fn person(subject: &str) -> Author {
        let subject = Subject::parse(subject).unwrap();
        Author { subject, role: Role::Agent, display_name: "Secret Name".to_owned() }
    }

    fn handoff() -> Note {
        let clock = Clock::system();
        let texts = HandoffTexts::parse("secret steps".to_owned(), "secret end".to_owned()).unwrap();
        Note {
            note_id: clock.new_id().into(),
            place: Place::Conversation {
                conversation_id: clock.new_id().into(),
                contact_id: clock.new_id().into(),
            },
            reply: None,
            author: person("ana"),
            body: Body::parse("secret summary".to_owned()).unwrap(),
            mentions: vec![],
            revision: 3,
            version: 7,
            create_time: Timestamp::from_micros(1),
            update_time: Timestamp::from_micros(1),
            pin: None,
            deletion: None,
            handoff: Some(Handoff {
                receiver: Person::from(&person("bob")),
                team: None,
                urgency: Urgency::High,
                due_time: None,
                texts,
                acknowledgement: None,
            }),
        }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    // N9
    #[test]
    fn the_receiver_alone_acknowledges_and_the_first_time_counts() {
        let mut note = handoff();
        assert_eq!(note.acknowledge(person("ana"), at(5)), Err(NotAcknowledged::NotTheReceiver));
        assert_eq!(note.awaits().map(Subject::as_str), Some("bob"));
        assert_eq!(note.acknowledge(person("bob"), at(6)), Ok(true));
        assert_eq!(note.awaits(), None);
        note.revision = 4;
        assert_eq!(note.acknowledge(person("bob"), at(9)), Ok(false));
        let given = note.handoff.unwrap().acknowledgement.unwrap();
        assert_eq!((given.time, given.revision), (at(6), 3), "with the text they had");
    }

    // N9, R14
    #[test]
    fn a_handoff_to_a_team_waits_for_nobody_and_anybody_but_its_author_acknowledges_it() {
        let mut note = handoff();
        let team = Handle::parse("billing").unwrap();
        let old = serde_json::to_value(note.handoff.as_ref().unwrap()).unwrap();
        assert!(old.get("team").is_none(), "as earlier versions wrote it");
        note.handoff = note.handoff.map(|it| Handoff {
            receiver: Handoff::stand_in(&team).unwrap(),
            team: Some(team),
            ..it
        });
        assert_eq!(note.awaits(), None);
        assert_eq!(note.acknowledge(person("ana"), at(5)), Err(NotAcknowledged::NotTheReceiver));
        assert_eq!(note.acknowledge(person("cem"), at(6)), Ok(true));
        assert_eq!(note.acknowledge(person("bob"), at(7)), Ok(false), "the first one counts");
    }

    // N9
    #[test]
    fn what_is_no_handoff_or_deleted_is_not_acknowledged() {
        let mut plain = Note { handoff: None, ..handoff() };
        assert_eq!(plain.acknowledge(person("bob"), at(5)), Err(NotAcknowledged::NoHandoff));
        let mut gone = Note { deletion: Some(Mark { by: person("ana"), time: at(2) }), ..handoff() };
        assert_eq!(gone.acknowledge(person("bob"), at(5)), Err(NotAcknowledged::Deleted));
        assert_eq!(gone.awaits(), None, "and nobody is waited for");
    }

    // N9, N6
    #[test]
    fn neither_a_receipt_nor_debug_nor_a_deleted_one_says_what_it_said() {
        let note = handoff();
        let kept = serde_json::to_string(&note.receipt()).unwrap();
        assert!(!kept.contains("secret"), "{kept}");
        assert!(!format!("{note:?}").to_lowercase().contains("secret"));
        let gone = Note { deletion: Some(Mark { by: person("ana"), time: at(2) }), ..note.clone() };
        let shown = serde_json::to_string(&gone.shown_to(Role::Supervisor).handoff).unwrap();
        assert!(!shown.contains("secret") && shown.contains("high"), "{shown}");
        assert_eq!(note.receipt().with_texts(note.body.clone(), note.handoff_texts()), note);
    }

    // N9
    #[test]
    fn texts_are_measured_in_bytes_and_hold_no_nul() {
        let most = "€".repeat(HandoffTexts::MOST_BYTES / 3);
        assert_eq!(HandoffTexts::parse(most.clone(), most.clone()).unwrap().bytes(), 2 * most.len());
        let long = HandoffTexts::parse(String::new(), format!("{most}€€")).unwrap_err();
        assert_eq!(long.field(), Some("handoff.expected_outcome"));
        let nul = HandoffTexts::parse("a\0b".to_owned(), String::new()).unwrap_err();
        assert_eq!(nul.field(), Some("handoff.steps_taken"));
    }
}
