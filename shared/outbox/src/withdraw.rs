//! Taking back what nobody was told yet: it is about something that is gone.

use db::{DbError, Tx};
use uuid::Uuid;

/// Removes the events for a target under these ordering keys, dead letters among them; says how many. One that is on its way to
/// the target right now may still arrive.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn withdraw(tx: &mut Tx, target: &'static str, keys: &[Uuid]) -> Result<u64, DbError> {
    let mut gone = 0;
    for keys in keys.chunks(db::ROWS) {
        let sql = format!(
            "DELETE FROM outbox WHERE org_id = $1 AND target = $2 AND ordering_key IN {}",
            db::rows(3, 1, keys.len())
        );
        gone += tx.query_dynamic(sql).bind(target).bind_all(keys.iter().copied()).execute(tx).await?;
    }
    Ok(gone)
}
