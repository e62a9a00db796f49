//! What happened around a contact (C8). Never what was written.

use kernel::{ContactId, ConversationId, Timestamp, id_type};
use serde::{Deserialize, Serialize};

use super::{Actor, Line, Tag};

id_type!(
    /// One thing that happened around a contact.
    ActivityId
);

/// One thing that happened around a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its id: of what another service told us, the id of the event.
    pub activity_id: ActivityId,
    /// Around whom.
    pub contact_id: ContactId,
    /// When.
    pub occur_time: Timestamp,
    /// Who did it; nobody where it was the contact, or happened by itself.
    pub actor: Option<Actor>,
    /// What it was.
    pub happened: Happened,
}

/// What can happen around a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The contact was made.
    Created,
    /// Tags were added.
    Tagged(Vec<Tag>),
    /// Tags were removed.
    Untagged(Vec<Tag>),
    /// The contact was blocked, for this reason.
    Blocked(Line),
    /// The block ended.
    Unblocked,
    /// This other contact was merged into it.
    Merged(ContactId),
    /// A merge of this other contact into it was undone.
    Unmerged(ContactId),
    /// A conversation began.
    ConversationOpened(ConversationId),
    /// A conversation was resolved.
    ConversationResolved(ConversationId),
    /// A resolved conversation is open again.
    ConversationReopened(ConversationId),
    /// A colleague wrote a note, from within this conversation if from within one.
    NoteWritten(Option<ConversationId>),
}

impl Happened {
    /// Bytes of text that it adds to an answer.
    pub fn weight(&self) -> usize {
        match self {
            Self::Tagged(tags) | Self::Untagged(tags) => tags.iter().map(|tag| tag.as_str().len()).sum(),
            Self::Blocked(reason) => reason.as_str().len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Happened;
    use crate::domain::{Line, Tag};
    use kernel::{ContactId, ConversationId};

    // C8
    #[test]
    fn what_happened_is_stored_under_words_that_stay() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let (contact, conversation) = (ContactId::parse(id).unwrap(), ConversationId::parse(id).unwrap());
        let tags = vec![Tag::parse("vip").unwrap()];
        for (happened, text) in [
            (Happened::Created, r#""created""#.to_owned()),
            (Happened::Tagged(tags.clone()), r#"{"tagged":["vip"]}"#.to_owned()),
            (Happened::Untagged(tags), r#"{"untagged":["vip"]}"#.to_owned()),
            (Happened::Blocked(Line::parse("spam").unwrap()), r#"{"blocked":"spam"}"#.to_owned()),
            (Happened::Unblocked, r#""unblocked""#.to_owned()),
            (Happened::Merged(contact), format!(r#"{{"merged":"{id}"}}"#)),
            (Happened::Unmerged(contact), format!(r#"{{"unmerged":"{id}"}}"#)),
            (Happened::ConversationOpened(conversation), format!(r#"{{"conversation_opened":"{id}"}}"#)),
            (Happened::ConversationResolved(conversation), format!(r#"{{"conversation_resolved":"{id}"}}"#)),
            (Happened::ConversationReopened(conversation), format!(r#"{{"conversation_reopened":"{id}"}}"#)),
            (Happened::NoteWritten(None), r#"{"note_written":null}"#.to_owned()),
        ] {
            assert_eq!(serde_json::to_string(&happened).unwrap(), text);
            assert_eq!(serde_json::from_str::<Happened>(&text).unwrap(), happened);
        }
    }
}
