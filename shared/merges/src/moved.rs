//! The table `moved_rows`: which rows followed which merge.

use db::{BoxFuture, DbError, Query, Tx, org_rows, rows};
use kernel::MergeId;
use uuid::Uuid;

/// Rows per statement; SQLite allows 32,766 values in one.
const AT_ONCE: usize = 500;

/// Rows that are where they are because of these merges: they return with them.
///
/// # Errors
/// [`DbError`] of the insert.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn remember<'t>(tx: &'t mut Tx, merges: &[MergeId], rows: &[Uuid]) -> BoxFuture<'t, Result<(), DbError>> {
    let pairs: Vec<(MergeId, Uuid)> =
        merges.iter().flat_map(|merge| rows.iter().map(|row| (*merge, *row))).collect();
    let statements: Vec<Query> = pairs.chunks(AT_ONCE).map(|pairs| insert(tx, pairs)).collect();
    Box::pin(async move {
        for statement in statements {
            statement.execute(tx).await?;
        }
        Ok(())
    })
}

fn insert(tx: &Tx, pairs: &[(MergeId, Uuid)]) -> Query {
    let sql = format!(
        "INSERT INTO moved_rows (org_id, merge_id, row_id) VALUES {} ON CONFLICT DO NOTHING",
        org_rows(pairs.len(), 2)
    );
    pairs.iter().fold(tx.query_dynamic(sql), |query, (merge, row)| query.bind(*merge).bind(*row))
}

/// Rows that followed the merge, at most `limit`.
pub(crate) async fn list(tx: &mut Tx, merge: MergeId, limit: i64) -> Result<Vec<Uuid>, DbError> {
    tx.query("SELECT row_id FROM moved_rows WHERE org_id = $1 AND merge_id = $2 ORDER BY row_id LIMIT $3")
        .bind(merge)
        .bind(limit)
        .fetch_values(tx)
        .await
}

/// These rows no longer are where they are because of the merge.
pub(crate) async fn forget(tx: &mut Tx, merge: MergeId, moved: &[Uuid]) -> Result<(), DbError> {
    for moved in moved.chunks(AT_ONCE) {
        let sql = format!(
            "DELETE FROM moved_rows WHERE org_id = $1 AND merge_id = $2 AND row_id IN (VALUES {})",
            rows(3, moved.len(), 1)
        );
        tx.query_dynamic(sql).bind(merge).bind_all(moved.iter().copied()).execute(tx).await?;
    }
    Ok(())
}
