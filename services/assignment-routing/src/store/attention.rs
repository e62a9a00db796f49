//! What people have seen of conversations, and what would be news to them. Apart from the conversations themselves:
//! nothing that notes do may change what a contact can read.

use std::collections::BTreeMap;

use db::{DbError, Tx};
use kernel::ConversationId;

/// Adds notes to conversations.
pub async fn add_notes(tx: &mut Tx, notes: &BTreeMap<ConversationId, i64>) -> Result<(), DbError> {
    if notes.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO note_counts (org_id, conversation_id, notes) VALUES {}
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET notes = note_counts.notes + excluded.notes",
        db::org_rows(notes.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for (conversation, more) in notes {
        query = query.bind(*conversation).bind(*more);
    }
    query.execute(tx).await.map(drop)
}

/// Whose, and of which conversation.
pub type Reader = (String, ConversationId);

/// Adds notes to what people wrote themselves.
pub async fn add_own_notes(tx: &mut Tx, notes: &BTreeMap<Reader, i64>) -> Result<(), DbError> {
    if notes.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO read_cursors (org_id, subject, conversation_id, own_notes, read_position, seen_notes) VALUES {}
         ON CONFLICT (org_id, subject, conversation_id)
         DO UPDATE SET own_notes = read_cursors.own_notes + excluded.own_notes",
        db::org_rows(notes.len(), 5)
    );
    let mut query = tx.query_dynamic(sql);
    for ((subject, conversation), more) in notes {
        query = query.bind(subject.as_str()).bind(*conversation).bind(*more).bind(0_i64).bind(0_i64);
    }
    query.execute(tx).await.map(drop)
}

/// Adds mentions of people.
pub async fn add_mentions(tx: &mut Tx, mentions: &BTreeMap<Reader, i64>) -> Result<(), DbError> {
    let all: Vec<_> = mentions.iter().collect();
    // A batch may name 100,000 people, and SQLite's time for a statement grows with the square of its values.
    for some in all.chunks(500) {
        let sql = format!(
            "INSERT INTO mentions (org_id, subject, conversation_id, mentions, seen_mentions) VALUES {}
             ON CONFLICT (org_id, subject, conversation_id)
             DO UPDATE SET mentions = mentions.mentions + excluded.mentions",
            db::org_rows(some.len(), 4)
        );
        let mut query = tx.query_dynamic(sql);
        for ((subject, conversation), more) in some {
            query = query.bind(subject.as_str()).bind(*conversation).bind(**more).bind(0_i64);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Moves a reader's cursor to the present end; says whether there is such a conversation. The cursor never goes back: of two who move it
/// at once, the second may have looked first.
pub async fn read_to_end(tx: &mut Tx, subject: &str, conversation: ConversationId) -> Result<bool, DbError> {
    let moved = tx
        .query(
            "INSERT INTO read_cursors (org_id, subject, conversation_id, read_position, seen_notes, own_notes)
             SELECT c.org_id, $2, c.conversation_id, c.message_count, COALESCE(n.notes, 0) - COALESCE(r.own_notes, 0),
                 COALESCE(r.own_notes, 0)
             FROM conversations c
             LEFT JOIN note_counts n ON n.org_id = c.org_id AND n.conversation_id = c.conversation_id
             LEFT JOIN read_cursors r
                 ON r.org_id = c.org_id AND r.conversation_id = c.conversation_id AND r.subject = $2
             WHERE c.org_id = $1 AND c.conversation_id = $3
             ON CONFLICT (org_id, subject, conversation_id) DO UPDATE SET
                 read_position = CASE WHEN excluded.read_position > read_cursors.read_position
                     THEN excluded.read_position ELSE read_cursors.read_position END,
                 seen_notes = CASE WHEN excluded.seen_notes > read_cursors.seen_notes
                     THEN excluded.seen_notes ELSE read_cursors.seen_notes END",
        )
        .bind(subject)
        .bind(conversation)
        .execute(tx)
        .await?;
    Ok(moved == 1)
}

/// A reader has seen their mentions in a conversation.
pub async fn see_mentions(tx: &mut Tx, subject: &str, conversation: ConversationId) -> Result<(), DbError> {
    tx.query(
        "UPDATE mentions SET seen_mentions = mentions
         WHERE org_id = $1 AND subject = $2 AND conversation_id = $3",
    )
    .bind(subject)
    .bind(conversation)
    .execute(tx)
    .await
    .map(drop)
}

/// The conversations that are not resolved in which a reader was mentioned, at most `limit`.
pub async fn list_mentioning(tx: &mut Tx, subject: &str, limit: i64) -> Result<Vec<ConversationId>, DbError> {
    tx.query(
        "SELECT m.conversation_id FROM mentions m
         JOIN conversations c ON c.org_id = m.org_id AND c.conversation_id = m.conversation_id
         WHERE m.org_id = $1 AND m.subject = $2 AND c.status <> 'RESOLVED' LIMIT $3",
    )
    .bind(subject)
    .bind(limit)
    .fetch_values(tx)
    .await
}
