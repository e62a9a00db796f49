//! The consumer's side: an event takes effect once, however often it arrives.

use std::collections::HashSet;
use std::time::Duration;

use db::{DbError, Tx};
use kernel::EventId;

/// How long the inbox remembers an event. A relay gives up refused events after minutes; only a peer that was away for
/// longer than this, and lost the answer to its last delivery before, could cause a second effect.
pub const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Which of `ids` had not arrived before. They are remembered in the caller's transaction, which must be that of their
/// effect: either both happen or neither does. Two deliveries of one event at once wait for one another here.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn first_time(tx: &mut Tx, ids: &[EventId]) -> Result<HashSet<EventId>, DbError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let now = tx.now().await?;
    // In one order everywhere: two batches that share events would otherwise lock them crosswise.
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let sql = format!(
        "INSERT INTO inbox (org_id, event_id, apply_time) VALUES {} ON CONFLICT DO NOTHING RETURNING event_id",
        db::org_rows(sorted.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for id in sorted {
        query = query.bind(id).bind(now);
    }
    Ok(query.fetch_values::<EventId>(tx).await?.into_iter().collect())
}
