//! SQLite's index of words holds those of deleted notes until its parts are merged, as FTS5 only marks them as removed. In system
//! scope: the index is of all organizations. PostgreSQL's vacuum does it by itself.

use db::{DbError, Tx};

/// Whether the index may hold words of deleted notes.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn are_there(tx: &mut Tx) -> Result<bool, DbError> {
    let some = tx.query("SELECT EXISTS (SELECT 1 FROM note_index_debts)").fetch_value::<i64>(tx).await?;
    Ok(some == 1)
}

/// Merges at most so many pages of the index; tells whether it holds no word of a deleted note any more.
///
/// # Errors
/// [`DbError`] of the statements.
pub async fn pay(tx: &mut Tx, pages: i64) -> Result<bool, DbError> {
    if merge(tx, pages).await? && anything_marked(tx).await? {
        return Ok(false);
    }
    tx.query("DELETE FROM note_index_debts").execute(tx).await?;
    Ok(true)
}

/// Merges at most so many pages of the index; tells whether there may be more. What came since the last time is merged with the rest,
/// from the beginning.
pub(super) async fn merge(tx: &mut Tx, pages: i64) -> Result<bool, DbError> {
    let before = changes(tx).await?;
    tx.query("INSERT INTO note_index (note_index, rank) VALUES ('merge', $1)")
        .bind(-pages)
        .execute(tx)
        .await?;
    // As its documentation says: less than two changes are none.
    Ok(changes(tx).await? - before >= 2)
}

async fn changes(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT total_changes()").fetch_value(tx).await
}

/// Whether a part of the index has rows that are marked as removed. Pages of such marks are numbered from here on: FTS5_TOMBSTONE_ROWID
/// in FTS5's source.
async fn anything_marked(tx: &mut Tx) -> Result<bool, DbError> {
    let some = tx.query("SELECT EXISTS (SELECT 1 FROM note_index_data WHERE id >= (1 << 16) << 37)");
    Ok(some.fetch_value::<i64>(tx).await? == 1)
}
