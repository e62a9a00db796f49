//! The order of the changes that somebody follows: 1, 2, 3 and so on, without gaps, whoever writes at the same time.

use kernel::{ContactId, ConversationId, NoteId, OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NoteKind, Place};

/// Whose notes are followed: those on a conversation, or those on a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// Those on this conversation.
    Conversation(ConversationId),
    /// Those on this contact.
    Contact(ContactId),
}

impl Target {
    /// Where the changes of notes there are followed.
    pub fn of(place: &Place) -> Self {
        match place {
            Place::Conversation { conversation_id, .. } => Self::Conversation(*conversation_id),
            Place::Contact { contact_id, .. } => Self::Contact(*contact_id),
        }
    }

    /// As columns have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conversation(_) => NoteKind::Conversation.as_str(),
            Self::Contact(_) => NoteKind::Contact.as_str(),
        }
    }

    /// The conversation's or the contact's id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Conversation(id) => id.as_uuid(),
            Self::Contact(id) => id.as_uuid(),
        }
    }

    /// The target of columns; none if they hold something else.
    pub fn of_columns(kind: &str, id: Uuid) -> Option<Self> {
        if kind == NoteKind::Conversation.as_str() {
            Some(Self::Conversation(id.into()))
        } else if kind == NoteKind::Contact.as_str() {
            Some(Self::Contact(id.into()))
        } else {
            None
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind(), self.id())
    }
}

/// A target of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Watched {
    /// The organization.
    pub org: OrgId,
    /// The conversation or contact.
    pub target: Target,
}

/// What happened to a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeType {
    /// It was written.
    Created,
    /// Something about it changed.
    Updated,
    /// It was deleted, for good or keeping its place.
    Deleted,
}

/// A change of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place among the changes of its target; the first one has 1.
    pub sequence: i64,
    /// Which note.
    pub note_id: NoteId,
    /// What happened.
    pub kind: ChangeType,
    /// When.
    pub time: Timestamp,
}

/// How far a reader is: the sequence of the last change they have. Sealed, it is a resume token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub i64);

impl Cursor {
    /// Before the first change.
    pub const START: Self = Self(0);

    /// True when these changes follow this place, none missing, up to the end of all changes if there are none.
    ///
    /// Otherwise something the reader has not seen is kept no longer, or (after a restore from a backup) the changes end
    /// before the place where the reader is.
    pub fn is_followed_by(self, next: &[Change], end: i64) -> bool {
        let mut expected = self.0;
        let gapless = next.iter().all(|change| {
            expected += 1;
            change.sequence == expected
        });
        gapless && if next.is_empty() { end == self.0 } else { true }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, ChangeType, Cursor, Target};
    use kernel::{Clock, Timestamp};

    fn changes(sequences: &[i64]) -> Vec<Change> {
        let change = |sequence: &i64| Change {
            sequence: *sequence,
            note_id: Clock::system().new_id().into(),
            kind: ChangeType::Updated,
            time: Timestamp::from_micros(0),
        };
        sequences.iter().map(change).collect()
    }

    // N12
    #[test]
    fn a_gap_is_noticed_and_so_is_an_end_that_went_back() {
        assert!(Cursor(2).is_followed_by(&changes(&[3, 4]), 9));
        assert!(Cursor(2).is_followed_by(&[], 2));
        assert!(Cursor::START.is_followed_by(&[], 0));
        assert!(!Cursor(2).is_followed_by(&changes(&[4, 5]), 9), "3 is gone");
        assert!(!Cursor(2).is_followed_by(&changes(&[3, 5]), 9));
        assert!(!Cursor(2).is_followed_by(&[], 1), "restored from a backup");
        assert!(!Cursor(2).is_followed_by(&[], 3));
    }

    #[test]
    fn a_target_comes_back_from_its_columns() {
        let id = Clock::system().new_id();
        for target in [Target::Conversation(id.into()), Target::Contact(id.into())] {
            assert_eq!(Target::of_columns(target.kind(), target.id()), Some(target));
        }
        assert_eq!(Target::of_columns("x", id), None);
    }
}
