//! Conversations of which something is to be counted for reports: triggers mark them, counting takes the marks away.

use db::{DbError, Engine, Tx};
use kernel::{ConversationId, OrgId};

use super::list;

/// Makes the transaction the only one that counts for the organization, until it ends.
pub async fn lock(tx: &mut Tx) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    tx.query("SELECT pg_advisory_xact_lock(hashtextextended('reports ' || current_schema() || ' ' || $1, 0))")
        .execute(tx)
        .await
        .map(drop)
}

/// As [`lock`], where nobody else counts at this moment; says whether it could.
pub async fn try_lock(tx: &mut Tx) -> Result<bool, DbError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(true);
    }
    tx.query(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('reports ' || current_schema() || ' ' || $1, 0))",
    )
    .fetch_value(tx)
    .await
}

/// Organizations behind this one, in order, with conversations to be counted, at most `limit`. In system scope.
pub async fn list_organizations(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<OrgId>, DbError> {
    // From each organization to the next along the key, past all marks between.
    tx.query(
        "WITH RECURSIVE marked (org_id) AS (
             SELECT MIN(org_id) FROM report_marks WHERE org_id > $1
             UNION ALL
             SELECT (SELECT MIN(m.org_id) FROM report_marks m WHERE m.org_id > k.org_id) FROM marked k
             WHERE k.org_id IS NOT NULL)
         SELECT org_id FROM marked WHERE org_id IS NOT NULL
         UNION SELECT org_id FROM report_backlogs WHERE org_id > $1
         ORDER BY org_id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_values(tx)
    .await
}

/// Whether anything is to be counted.
pub async fn anything_waits(tx: &mut Tx) -> Result<bool, DbError> {
    tx.query(
        "SELECT EXISTS (SELECT 1 FROM report_marks WHERE org_id = $1)
             OR EXISTS (SELECT 1 FROM report_backlogs WHERE org_id = $1)",
    )
    .fetch_value(tx)
    .await
}

/// The first marks, each with its number.
pub async fn list_marks(tx: &mut Tx, limit: i64) -> Result<Vec<(i64, ConversationId)>, DbError> {
    tx.query("SELECT number, conversation_id FROM report_marks WHERE org_id = $1 ORDER BY number LIMIT $2")
        .bind(limit)
        .fetch_all(tx)
        .await
}

/// Takes these marks away. Others may have lower numbers: who writes them commits later.
pub async fn delete_marks(tx: &mut Tx, numbers: &[i64]) -> Result<(), DbError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let sql = format!("DELETE FROM report_marks WHERE org_id = $1 AND number IN {}", list(2, numbers.len()));
    tx.query_dynamic(sql).bind_all(numbers.iter().copied()).execute(tx).await.map(drop)
}

/// The last conversation that is counted of those there were before there were marks, while there are more.
pub async fn find_backlog(tx: &mut Tx) -> Result<Option<ConversationId>, DbError> {
    tx.query("SELECT counted_to FROM report_backlogs WHERE org_id = $1").fetch_optional_value(tx).await
}

/// Conversations behind this one that are still there, by id.
pub async fn list_behind(
    tx: &mut Tx,
    conversation: ConversationId,
    limit: i64,
) -> Result<Vec<ConversationId>, DbError> {
    tx.query(
        "SELECT conversation_id FROM conversations WHERE org_id = $1 AND conversation_id > $2
         ORDER BY conversation_id LIMIT $3",
    )
    .bind(conversation)
    .bind(limit)
    .fetch_values(tx)
    .await
}

/// Remembers how far they are counted.
pub async fn save_backlog(tx: &mut Tx, to: ConversationId) -> Result<(), DbError> {
    tx.query("UPDATE report_backlogs SET counted_to = $2 WHERE org_id = $1")
        .bind(to)
        .execute(tx)
        .await
        .map(drop)
}

/// All of them are counted.
pub async fn delete_backlog(tx: &mut Tx) -> Result<(), DbError> {
    tx.query("DELETE FROM report_backlogs WHERE org_id = $1").execute(tx).await.map(drop)
}
