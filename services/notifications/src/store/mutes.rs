//! Conversations that people muted.

use std::collections::{HashMap, HashSet};

use db::{DbError, Tx};
use erasure::ErasureId;
use kernel::{ConversationId, Subject, Timestamp};

use crate::domain::mute::Mute;

/// Mutes a conversation for a person; of one that was muted before, nothing changes. Tells whether it is new.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn insert(
    tx: &mut Tx,
    subject: &Subject,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let inserted = tx
        .query(
            "INSERT INTO mutes (org_id, subject, conversation_id, create_time) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(subject)
        .bind(conversation)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(inserted > 0)
}

/// A person's mute of a conversation.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(
    tx: &mut Tx,
    subject: &Subject,
    conversation: ConversationId,
) -> Result<Option<Mute>, DbError> {
    tx.query(
        "SELECT conversation_id, create_time FROM mutes
         WHERE org_id = $1 AND subject = $2 AND conversation_id = $3",
    )
    .bind(subject)
    .bind(conversation)
    .fetch_optional(tx)
    .await
}

/// How many conversations a person muted.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn count(tx: &mut Tx, subject: &Subject) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM mutes WHERE org_id = $1 AND subject = $2")
        .bind(subject)
        .fetch_value(tx)
        .await
}

/// Ends a person's mute; tells whether there was one.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove(tx: &mut Tx, subject: &Subject, conversation: ConversationId) -> Result<bool, DbError> {
    let removed = tx
        .query("DELETE FROM mutes WHERE org_id = $1 AND subject = $2 AND conversation_id = $3")
        .bind(subject)
        .bind(conversation)
        .execute(tx)
        .await?;
    Ok(removed > 0)
}

/// At most `limit` of a person's mutes behind a conversation, by conversation.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list(
    tx: &mut Tx,
    subject: &Subject,
    after: Option<ConversationId>,
    limit: i64,
) -> Result<Vec<Mute>, DbError> {
    tx.query(
        "SELECT conversation_id, create_time FROM mutes
         WHERE org_id = $1 AND subject = $2 AND conversation_id > $3 ORDER BY conversation_id LIMIT $4",
    )
    .bind(subject)
    .bind(after.unwrap_or(ConversationId::from_uuid(uuid::Uuid::nil())))
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Which of these conversations these people muted.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_people(
    tx: &mut Tx,
    subjects: &[Subject],
    conversations: &[ConversationId],
) -> Result<HashMap<Subject, HashSet<ConversationId>>, DbError> {
    let mut muted: HashMap<Subject, HashSet<ConversationId>> = HashMap::new();
    if subjects.is_empty() {
        return Ok(muted);
    }
    for conversations in conversations.chunks(CONVERSATIONS) {
        let sql = format!(
            "SELECT subject, conversation_id FROM mutes WHERE org_id = $1 AND subject IN {} AND conversation_id IN {}",
            db::rows(2, 1, subjects.len()),
            db::rows(2 + subjects.len(), 1, conversations.len())
        );
        let query = tx.query_dynamic(sql).bind_all(subjects).bind_all(conversations.iter().copied());
        let rows: Vec<(Subject, ConversationId)> = query.fetch_all(tx).await?;
        for (subject, conversation) in rows {
            muted.entry(subject).or_default().insert(conversation);
        }
    }
    Ok(muted)
}

/// Conversations per statement, far below the most values that SQLite takes in one.
const CONVERSATIONS: usize = 500;

/// Removes the mutes of the conversations that an erasure buried; tells how many there were.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_erased(tx: &mut Tx, erasure: ErasureId) -> Result<u64, DbError> {
    tx.query(
        "DELETE FROM mutes WHERE org_id = $1 AND conversation_id IN (
             SELECT id FROM erased WHERE org_id = $1 AND erasure_id = $2 AND kind = 'conversation')",
    )
    .bind(erasure)
    .execute(tx)
    .await
}
