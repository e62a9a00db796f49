//! What an erasure removes: everything about the conversations or contacts it buried, table by table.

use db::{DbError, Engine, Tx};
use erasure::{ErasureId, Kind};

use super::index_debts;

/// How the rows of a table are found from a buried id `e`; `n` is a note there, `t` the row.
#[derive(Debug, Clone, Copy)]
enum Way {
    Note,
    OfNote,
    OfThread,
    OfThreadOfReply,
    OfConversation,
    OfTarget,
}

/// A table with rows about what is erased.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What its rows are called in the report; nothing for what is not worth telling.
    pub kind: Option<&'static str>,
    table: &'static str,
    key: &'static str,
    way: Way,
}

const fn part(kind: Option<&'static str>, table: &'static str, key: &'static str, way: Way) -> Part {
    Part { kind, table, key, way }
}

/// What belongs to notes, on a conversation or on a contact; rows that refer to others go before them.
const OF_NOTES: [Part; 8] = [
    part(Some("note_revisions"), "note_revisions", "note_id, revision", Way::OfNote),
    part(Some("mentions"), "mentioned_people", "note_id, subject", Way::OfNote),
    part(Some("reply_recipients"), "reply_recipients", "note_id, subject", Way::OfNote),
    part(Some("thread_followers"), "thread_followers", "thread_id, subject", Way::OfThread),
    part(Some("thread_followers"), "thread_followers", "thread_id, subject", Way::OfThreadOfReply),
    part(Some("notes"), "notes", "note_id, org_id", Way::Note),
    part(None, "note_changes", "kind, target_id, sequence", Way::OfTarget),
    part(None, "note_heads", "kind, target_id, sequence", Way::OfTarget),
];

/// What belongs to conversations beside notes.
const OF_CONVERSATIONS: [Part; 4] = [
    part(Some("internal_messages"), "internal_messages", "internal_message_id, org_id", Way::OfConversation),
    part(Some("internal_people"), "internal_people", "internal_thread_id, subject", Way::OfConversation),
    part(Some("internal_threads"), "internal_threads", "internal_thread_id, org_id", Way::OfConversation),
    part(None, "internal_conversations", "conversation_id, org_id", Way::OfConversation),
];

/// All tables with rows about things of this kind, in the order in which they are emptied.
pub fn parts(kind: Kind) -> Vec<Part> {
    let beside: &[Part] = match kind {
        Kind::Conversation => &OF_CONVERSATIONS,
        Kind::Contact => &[],
    };
    OF_NOTES.iter().chain(beside).copied().collect()
}

/// Removes rows of a table about what the erasure buried, at most `limit`.
///
/// # Errors
/// [`DbError`] of the statement; [`DbError::ForeignKey`] if something was added to a note at this moment.
pub async fn remove(
    tx: &mut Tx,
    erasure: ErasureId,
    kind: Kind,
    part: Part,
    limit: i64,
) -> Result<u64, DbError> {
    let (note, notes) = match kind {
        Kind::Conversation => {
            ("t.conversation_id = e.id", "JOIN notes n ON n.org_id = e.org_id AND n.conversation_id = e.id")
        }
        // Those on conversations, too, though they should be gone by then.
        Kind::Contact => {
            ("t.contact_id = e.id", "JOIN notes n ON n.org_id = e.org_id AND n.contact_id = e.id")
        }
    };
    let (notes, on) = match part.way {
        Way::Note => ("", note),
        Way::OfNote => (notes, "t.note_id = n.note_id"),
        Way::OfThread => (notes, "t.thread_id = n.note_id"),
        Way::OfThreadOfReply => (notes, "t.thread_id = n.thread_id"),
        Way::OfConversation => ("", "t.conversation_id = e.id"),
        Way::OfTarget => ("", "t.kind = e.kind AND t.target_id = e.id"),
    };
    let Part { table, key, .. } = part;
    let of_t = key.split(", ").map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ");
    // Looked for once: a subquery PostgreSQL may ask again for every row of the table.
    let sql = format!(
        "WITH doomed AS MATERIALIZED (\
             SELECT {of_t} FROM erased e {notes} JOIN {table} t ON t.org_id = e.org_id AND {on} \
             WHERE e.org_id = $1 AND e.erasure_id = $2 AND e.kind = $3 LIMIT $4) \
         DELETE FROM {table} WHERE org_id = $1 AND ({key}) IN (SELECT {key} FROM doomed)"
    );
    tx.query_dynamic(sql).bind(erasure).bind(kind.as_str()).bind(limit).execute(tx).await
}

/// Lets SQLite's index of words drop some of what it holds of removed notes, at once; tells whether there may be more. In system scope,
/// like [`index_debts`].
///
/// # Errors
/// [`DbError`] of the statements.
pub async fn merge_index(tx: &mut Tx, pages: i64) -> Result<bool, DbError> {
    if tx.engine() == Engine::Postgres {
        return Ok(false);
    }
    index_debts::merge(tx, pages).await
}
