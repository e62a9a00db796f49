//! Which lines there are, and what is in each. A kind of line is a table; a line is a row, without what can be found out again.
//!
//! A new column, or a new table, is a new field, or a new kind, here: a test holds this list against the tables, so that none is
//! forgotten. What a file of an earlier version does not name is then its default, or a new version of the kind.

use std::fmt;

use erasure::Kind as Erasable;
use kernel::Malformed;

use super::checks::{self, Fits};
use super::line::Line;
use super::value::{Type, Value};

/// A field of a line.
#[derive(Debug)]
pub struct Field {
    /// Its name in the line.
    pub name: &'static str,
    /// Its column.
    pub column: &'static str,
    /// What it says.
    pub of: Type,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A column that is no field, as it follows from others.
#[derive(Debug)]
pub struct Derived {
    /// The column.
    pub column: &'static str,
    /// What it holds.
    pub of: Type,
    /// What it holds for this line when it comes in.
    pub value: fn(&Line) -> Option<Value>,
}

/// Another line without which this one cannot be.
#[derive(Debug)]
pub struct Parent {
    /// Of which kind it is; its key is one field.
    pub kind: &'static str,
    /// The field with its key.
    pub field: &'static str,
    /// Whether this line (the first) can belong to that one.
    pub fits: Fits,
}

/// A kind of line.
pub struct Kind {
    /// What the line says it is.
    pub name: &'static str,
    /// The version of what is in it.
    pub version: i64,
    /// Where its rows are.
    pub table: &'static str,
    /// What is in it, the key first.
    pub fields: &'static [Field],
    /// How many of the fields are the key within the organization.
    pub key: usize,
    /// Further fields that no two lines have in common.
    pub unique: &'static [&'static [&'static str]],
    /// What follows from the others.
    pub derived: &'static [Derived],
    /// The line it belongs to.
    pub parent: Option<Parent>,
    /// The fields with the contact and the conversation it is about: nothing comes in about what was erased.
    pub about: &'static [(Erasable, &'static str)],
    /// What its fields must be to each other.
    pub check: fn(&Line) -> Vec<Malformed>,
    /// What the audit trail says when it comes in; the object is the first field of the key.
    pub action: &'static str,
    /// Rows read at once, so that about 4 MiB of text are in memory at most.
    pub at_once: i64,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Kind {
    /// The fields of the key.
    pub fn key_fields(&self) -> &'static [Field] {
        self.fields.get(..self.key).unwrap_or_default()
    }

    /// Where a field is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// The kind of that name.
pub fn kind_named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

const fn field(name: &'static str, of: Type) -> Field {
    Field { name, column: name, of, optional: false }
}

const fn optional(name: &'static str, of: Type) -> Field {
    Field { name, column: name, of, optional: true }
}

/// A row's version, from which etags are made: never so high that the next change has none. In a line `version` is that of its kind.
const ETAG_VERSION: Field =
    Field { name: "etag_version", column: "version", of: Type::Number(1, 1 << 53), optional: false };

/// Which text of a note it is. Answers have 32 bits for it; the next text has a number, too.
const REVISION: Field = field("revision", Type::Number(1, checks::MOST_REVISION));

/// For how long something is kept.
const DAYS: Type = Type::Number(0, checks::MOST_RETENTION_DAYS);

/// Every kind, in the order of a file: what others belong to comes before them.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "settings",
        version: 1,
        table: "settings",
        fields: &[
            field("contact_note_requires_conversation", Type::Flag),
            field("conversation_note_deletion", Type::Word(&["forbidden", "tombstone"])),
            field("internal_messages_enabled", Type::Flag),
            field("time_zone", Type::Text(checks::time_zone)),
            field("note_retention_days", DAYS),
            field("internal_message_retention_days", DAYS),
            ETAG_VERSION,
            field("update_time", Type::Time),
        ],
        key: 0,
        unique: &[],
        derived: &[],
        parent: None,
        about: &[],
        check: checks::nothing,
        action: "settings.import",
        at_once: 1,
    },
    Kind {
        name: "note_template",
        version: 1,
        table: "note_templates",
        fields: &[
            field("note_template_id", Type::Id),
            field("name", Type::Text(checks::template_name)),
            field("body", Type::Text(checks::no_nul)),
            field("fields", Type::Json(checks::template_fields)),
            ETAG_VERSION,
            field("create_time", Type::Time),
            field("update_time", Type::Time),
        ],
        key: 1,
        unique: &[&["name"]],
        derived: &[],
        parent: None,
        about: &[],
        check: checks::template,
        action: "note_template.import",
        at_once: 250,
    },
    Kind {
        name: "note",
        version: 1,
        table: "notes",
        fields: &[
            field("note_id", Type::Id),
            optional("conversation_id", Type::Id),
            field("contact_id", Type::Id),
            optional("origin_conversation_id", Type::Id),
            optional("reply_to", Type::Id),
            optional("thread_id", Type::Id),
            field("author_subject", Type::Subject),
            field("author_role", Type::Role),
            field("author_name", Type::Name),
            field("editor_subject", Type::Subject),
            field("editor_role", Type::Role),
            field("editor_name", Type::Name),
            field("body", Type::Body),
            field("mentions", Type::Json(checks::mentions)),
            optional("handoff", Type::Json(checks::handoff)),
            REVISION,
            ETAG_VERSION,
            field("create_time", Type::Time),
            field("update_time", Type::Time),
            optional("pin_time", Type::Time),
            optional("pinner_subject", Type::Subject),
            optional("pinner_role", Type::Role),
            optional("pinner_name", Type::Name),
            optional("delete_time", Type::Time),
            optional("deleter_subject", Type::Subject),
            optional("deleter_role", Type::Role),
            optional("deleter_name", Type::Name),
        ],
        key: 1,
        unique: &[],
        derived: &[
            Derived {
                column: "kind",
                of: Type::Word(&["conversation", "contact"]),
                value: checks::note_kind,
            },
            Derived { column: "awaits_subject", of: Type::Subject, value: checks::awaits },
        ],
        parent: None,
        about: &[(Erasable::Contact, "contact_id"), (Erasable::Conversation, "conversation_id")],
        check: checks::note,
        action: "note.import",
        at_once: 64,
    },
    Kind {
        name: "note_revision",
        version: 1,
        table: "note_revisions",
        fields: &[
            field("note_id", Type::Id),
            REVISION,
            field("actor_subject", Type::Subject),
            field("actor_role", Type::Role),
            field("actor_name", Type::Name),
            field("body", Type::Body),
            field("write_time", Type::Time),
        ],
        key: 2,
        unique: &[],
        derived: &[],
        parent: Some(Parent { kind: "note", field: "note_id", fits: checks::earlier_than_note }),
        about: &[],
        check: checks::nothing,
        action: "note_revision.import",
        at_once: 64,
    },
    Kind {
        name: "note_mention",
        version: 1,
        table: "mentioned_people",
        fields: &[
            field("note_id", Type::Id),
            field("subject", Type::Subject),
            field("mention_time", Type::Time),
        ],
        key: 2,
        unique: &[],
        derived: &[],
        parent: Some(Parent { kind: "note", field: "note_id", fits: checks::always }),
        about: &[],
        check: checks::nothing,
        action: "note_mention.import",
        at_once: 500,
    },
    Kind {
        name: "note_reply_recipient",
        version: 1,
        table: "reply_recipients",
        fields: &[field("note_id", Type::Id), field("subject", Type::Subject)],
        key: 2,
        unique: &[],
        derived: &[],
        parent: Some(Parent { kind: "note", field: "note_id", fits: checks::always }),
        about: &[],
        check: checks::nothing,
        action: "note_reply_recipient.import",
        at_once: 500,
    },
    Kind {
        name: "note_thread_follower",
        version: 1,
        table: "thread_followers",
        fields: &[
            field("thread_id", Type::Id),
            field("subject", Type::Subject),
            field("follow_time", Type::Time),
        ],
        key: 2,
        unique: &[],
        derived: &[],
        // Replies outlive the note that began their thread, if that is gone.
        parent: None,
        about: &[],
        check: checks::nothing,
        action: "note_thread_follower.import",
        at_once: 500,
    },
    Kind {
        name: "internal_thread",
        version: 1,
        table: "internal_threads",
        fields: &[
            field("internal_thread_id", Type::Id),
            field("conversation_id", Type::Id),
            field("agent_subject", Type::Subject),
            field("last_message_time", Type::Time),
            field("create_time", Type::Time),
        ],
        key: 1,
        unique: &[&["conversation_id", "agent_subject"]],
        derived: &[],
        parent: None,
        about: &[(Erasable::Conversation, "conversation_id")],
        check: checks::nothing,
        action: "internal_thread.import",
        at_once: 500,
    },
    Kind {
        name: "internal_person",
        version: 1,
        table: "internal_people",
        fields: &[
            field("internal_thread_id", Type::Id),
            field("subject", Type::Subject),
            field("display_name", Type::Name),
            field("conversation_id", Type::Id),
            field("read_time", Type::Time),
        ],
        key: 2,
        unique: &[],
        // Counted anew from the messages.
        derived: &[Derived {
            column: "unread_count",
            of: Type::Number(0, i64::MAX),
            value: checks::none_unread,
        }],
        parent: Some(Parent {
            kind: "internal_thread",
            field: "internal_thread_id",
            fits: checks::same_conversation,
        }),
        about: &[],
        check: checks::nothing,
        action: "internal_person.import",
        at_once: 500,
    },
    Kind {
        name: "internal_message",
        version: 1,
        table: "internal_messages",
        fields: &[
            field("internal_message_id", Type::Id),
            field("internal_thread_id", Type::Id),
            field("conversation_id", Type::Id),
            field("author_subject", Type::Subject),
            field("author_role", Type::Role),
            field("author_name", Type::Name),
            field("body", Type::Body),
            field("create_time", Type::Time),
        ],
        key: 1,
        unique: &[&["conversation_id", "create_time"]],
        derived: &[],
        parent: Some(Parent {
            kind: "internal_thread",
            field: "internal_thread_id",
            fits: checks::same_conversation,
        }),
        about: &[(Erasable::Conversation, "conversation_id")],
        check: checks::internal_message,
        action: "internal_message.import",
        at_once: 64,
    },
];

#[cfg(test)]
mod tests {
    use super::{KINDS, kind_named};

    // P13
    #[test]
    fn what_others_belong_to_comes_before_them_and_has_a_key_of_one_field() {
        for (place, kind) in KINDS.iter().enumerate() {
            assert!(kind.key <= kind.fields.len() && kind.at_once > 0, "{}", kind.name);
            assert!(kind.key_fields().iter().all(|field| !field.optional), "{}", kind.name);
            let named = kind.unique.iter().flat_map(|fields| fields.iter().copied());
            let named = named.chain(kind.about.iter().map(|(_, field)| *field));
            assert!(named.into_iter().all(|field| kind.position(field).is_some()), "{}", kind.name);
            if let Some(parent) = &kind.parent {
                let before = KINDS.iter().position(|other| other.name == parent.kind).unwrap();
                assert!(before < place, "{}", kind.name);
                assert_eq!(kind_named(parent.kind).unwrap().key, 1, "{}", kind.name);
                assert!(kind.position(parent.field).is_some(), "{}", kind.name);
            }
        }
    }
}
