//! What the erasure of a contact leaves behind in every service (P12): ids without content, so that nothing late brings the person
//! back, and how much was removed.
//!
//! An id is *buried* before anything about it is removed ([`bury`]). From then on a trigger of the service refuses rows about it
//! (`not_erased`, see [`refused`]), or the service asks before it writes ([`hold`], then [`list_buried`]). On PostgreSQL both sides
//! take an advisory lock of the id: whoever began to write before is waited for, so that what is removed afterwards is all there is.
//!
//! Removals and the counts of them ([`count`]) are in one transaction, and counts only grow: however often a step is repeated, after
//! a crash or by two at once, it is counted once. [`removed`] is the sum so far.

use std::collections::HashSet;

use db::{BoxFuture, DbError, Engine, Query, Tx, org_rows, rows};
use uuid::Uuid;

kernel::id_type! {
    /// One erasure, in all services.
    ErasureId
}

/// The tables `erased` and `erased_counts`. They come before a service's own, whose triggers name them.
pub static TABLES: db::MigrationSet =
    db::MigrationSet { name: "erasure", steps: &[db::step!("0001_erasure")], work_tables: &[] };

/// Ids per statement, far below the most values that SQLite takes in one.
const ROWS: usize = 500;

/// What is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person outside.
    Contact,
    /// A conversation with one.
    Conversation,
}

impl Kind {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Conversation => "conversation",
        }
    }
}

/// How much of one kind of thing was removed.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// The kind, such as `messages`.
    pub kind: String,
    /// How many.
    pub count: i64,
}

/// True for the error of a write about something erased.
#[must_use]
pub fn refused(error: &DbError) -> bool {
    error.violates_check("not_erased")
}

/// Lets nothing more be written about these, once the transaction is durable. It has to be its first statement and nearly its only
/// one: on PostgreSQL it waits for whoever is writing about them.
///
/// # Errors
/// [`DbError`] of the statements.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn bury<'t>(
    tx: &'t mut Tx,
    erasure: ErasureId,
    kind: Kind,
    ids: &[Uuid],
) -> BoxFuture<'t, Result<(), DbError>> {
    let locks = locks(tx, "pg_advisory_xact_lock", kind, ids);
    let buried: Vec<Query> = ids
        .chunks(ROWS)
        .map(|ids| {
            let sql = format!(
                "INSERT INTO erased (org_id, kind, id, erasure_id) VALUES {} ON CONFLICT DO NOTHING",
                org_rows(ids.len(), 3)
            );
            ids.iter()
                .fold(tx.query_dynamic(sql), |query, id| query.bind(kind.as_str()).bind(*id).bind(erasure))
        })
        .collect();
    Box::pin(async move {
        for statement in locks.into_iter().chain(buried) {
            statement.execute(tx).await?;
        }
        Ok(())
    })
}

/// Lets nobody bury these before the transaction ends. Whoever asks [`list_buried`] then, in a statement of its own, has an answer
/// that stays true.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn hold<'t>(tx: &'t mut Tx, kind: Kind, ids: &[Uuid]) -> BoxFuture<'t, Result<(), DbError>> {
    let locks = locks(tx, "pg_advisory_xact_lock_shared", kind, ids);
    Box::pin(async move {
        for statement in locks {
            statement.execute(tx).await?;
        }
        Ok(())
    })
}

/// The locks of these, taken in one order. SQLite's writer is alone anyway.
fn locks(tx: &Tx, lock: &str, kind: Kind, ids: &[Uuid]) -> Vec<Query> {
    if tx.engine() == Engine::Sqlite {
        return Vec::new();
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    // The subquery ends with its order before the first lock is taken.
    let statement = |ids: &[Uuid]| {
        let sql = format!(
            "SELECT {lock}(l.key) FROM (SELECT erasure_lock($1, $2, v.column1) AS key FROM (VALUES {}) AS v \
             ORDER BY v.column1 OFFSET 0) AS l",
            rows(3, ids.len(), 1)
        );
        tx.query_dynamic(sql).bind(kind.as_str()).bind_all(ids.iter().copied())
    };
    sorted.chunks(ROWS).map(statement).collect()
}

/// Which of these are buried.
///
/// # Errors
/// [`DbError`] of the read.
pub fn list_buried<'t>(
    tx: &'t mut Tx,
    kind: Kind,
    ids: &[Uuid],
) -> BoxFuture<'t, Result<HashSet<Uuid>, DbError>> {
    let questions: Vec<Query> = ids
        .chunks(ROWS)
        .map(|ids| {
            let sql = format!(
                "SELECT id FROM erased WHERE org_id = $1 AND kind = $2 AND id IN {}",
                rows(3, 1, ids.len())
            );
            tx.query_dynamic(sql).bind(kind.as_str()).bind_all(ids.iter().copied())
        })
        .collect();
    Box::pin(async move {
        let mut buried = HashSet::new();
        for question in questions {
            buried.extend(question.fetch_values::<Uuid>(tx).await?);
        }
        Ok(buried)
    })
}

/// What an erasure buried, by id, at most `limit` behind one.
///
/// # Errors
/// [`DbError`] of the read.
pub fn list(
    tx: &mut Tx,
    erasure: ErasureId,
    kind: Kind,
    after: Uuid,
    limit: i64,
) -> BoxFuture<'_, Result<Vec<Uuid>, DbError>> {
    let query = tx.query(
        "SELECT id FROM erased WHERE org_id = $1 AND erasure_id = $2 AND kind = $3 AND id > $4 ORDER BY id LIMIT $5",
    );
    let query = query.bind(erasure).bind(kind.as_str()).bind(after).bind(limit);
    Box::pin(async move { query.fetch_values(tx).await })
}

/// Counts what the transaction removes.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn count<'t>(
    tx: &'t mut Tx,
    erasure: ErasureId,
    removed: &[(&'static str, u64)],
) -> BoxFuture<'t, Result<(), DbError>> {
    let some: Vec<_> = removed.iter().copied().filter(|(_, count)| *count > 0).collect();
    if some.is_empty() {
        return Box::pin(async { Ok(()) });
    }
    let sql = format!(
        "INSERT INTO erased_counts (org_id, erasure_id, kind, count) VALUES {} \
         ON CONFLICT (org_id, erasure_id, kind) DO UPDATE SET count = erased_counts.count + excluded.count",
        org_rows(some.len(), 3)
    );
    let query = some.into_iter().fold(tx.query_dynamic(sql), |query, (kind, count)| {
        query.bind(erasure).bind(kind).bind(i64::try_from(count).unwrap_or(i64::MAX))
    });
    Box::pin(async move { query.execute(tx).await.map(drop) })
}

/// What an erasure removed here so far, by kind.
///
/// # Errors
/// [`DbError`] of the read.
pub fn removed(tx: &mut Tx, erasure: ErasureId) -> BoxFuture<'_, Result<Vec<Removed>, DbError>> {
    let query =
        tx.query("SELECT kind, count FROM erased_counts WHERE org_id = $1 AND erasure_id = $2 ORDER BY kind");
    let query = query.bind(erasure);
    Box::pin(async move { query.fetch_all(tx).await })
}
