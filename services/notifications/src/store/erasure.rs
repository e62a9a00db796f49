//! What an erasure removes.

use db::{DbError, Tx};
use erasure::ErasureId;
use kernel::Subject;

use crate::domain::Sequence;

/// Somebody whose feed has entries about conversations that the erasure buried.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find_reader(tx: &mut Tx, erasure: ErasureId) -> Result<Option<Subject>, DbError> {
    tx.query(
        "SELECT t.subject FROM erased e
         JOIN feed_entries t ON t.org_id = e.org_id AND t.conversation_id = e.id
         WHERE e.org_id = $1 AND e.erasure_id = $2 AND e.kind = 'conversation' LIMIT 1",
    )
    .bind(erasure)
    .fetch_optional_value(tx)
    .await
}

/// Removes at most `limit` of a person's entries about those conversations, oldest first; tells the places they had.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove(
    tx: &mut Tx,
    erasure: ErasureId,
    subject: &Subject,
    limit: i64,
) -> Result<Vec<Sequence>, DbError> {
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT t.sequence FROM erased e
             JOIN feed_entries t ON t.org_id = e.org_id AND t.conversation_id = e.id AND t.subject = $2
             WHERE e.org_id = $1 AND e.erasure_id = $3 AND e.kind = 'conversation'
             ORDER BY t.sequence LIMIT $4)
         DELETE FROM feed_entries WHERE org_id = $1 AND subject = $2 AND sequence IN (
             SELECT sequence FROM doomed)
         RETURNING sequence",
    )
    .bind(subject)
    .bind(erasure)
    .bind(limit)
    .fetch_values(tx)
    .await
}
