//! The table `contact_moves`: how far the rows of each merge have followed.

use db::{BoxFuture, DbError, Engine, Tx, rows};
use kernel::{ContactId, Malformed, MergeId, OrgId, Timestamp};

use crate::Heard;

/// How far the rows of a merge have followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// They go to the contact that stayed.
    Moving,
    /// They went; one look is left for those that were being written.
    Settling,
    /// They are there.
    Moved,
    /// They go back.
    Returning,
    /// They are back.
    Returned,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Moving, Self::Settling, Self::Moved, Self::Returning, Self::Returned];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Settling => "settling",
            Self::Moved => "moved",
            Self::Returning => "returning",
            Self::Returned => "returned",
        }
    }
}

db::read_as!(Phase: String);

impl TryFrom<String> for Phase {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|phase| phase.as_str() == text);
        known.ok_or_else(|| Malformed::new("is no phase of a move"))
    }
}

/// What is to be done for a merge.
#[derive(Debug, db::FromRow)]
pub(crate) struct Move {
    #[sqlx(rename = "from_contact_id")]
    pub(crate) from: ContactId,
    #[sqlx(rename = "into_contact_id")]
    pub(crate) into: ContactId,
    pub(crate) phase: Phase,
    pub(crate) due_time: Option<Timestamp>,
}

/// Begins to move the rows of a merge; false if it was heard of before, even if only that it was taken back.
pub(crate) async fn begin(tx: &mut Tx, heard: &Heard) -> Result<bool, DbError> {
    let now = tx.now().await?;
    let begun = tx
        .query(
            "INSERT INTO contact_moves
                 (org_id, merge_id, from_contact_id, into_contact_id, phase, due_time, return_number)
             VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING",
        )
        .bind(heard.merge)
        .bind(heard.from)
        .bind(heard.into)
        .bind(Phase::Moving.as_str())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(begun == 1)
}

/// Begins to return the rows of a merge, behind those of merges that were taken back before.
pub(crate) async fn take_back(tx: &mut Tx, heard: &Heard) -> Result<(), DbError> {
    let now = tx.now().await?;
    tx.query(
        "INSERT INTO contact_moves
             (org_id, merge_id, from_contact_id, into_contact_id, phase, due_time, return_number)
         SELECT $1, $2, $3, $4, $5, $6,
             (SELECT COALESCE(MAX(return_number), 0) + 1 FROM contact_moves WHERE org_id = $1)
         WHERE true ON CONFLICT (org_id, merge_id) DO UPDATE SET
             phase = excluded.phase, due_time = excluded.due_time, return_number = excluded.return_number
         WHERE contact_moves.return_number = 0",
    )
    .bind(heard.merge)
    .bind(heard.from)
    .bind(heard.into)
    .bind(Phase::Returning.as_str())
    .bind(now)
    .execute(tx)
    .await
    .map(drop)
}

/// Merges of any organization whose rows have somewhere to go, longest due first, at most `limit`; of those that return only the
/// first of each organization. In system scope.
pub(crate) async fn list_due(tx: &mut Tx, limit: i64) -> Result<Vec<(OrgId, MergeId)>, DbError> {
    let now = tx.now().await?;
    tx.query(
        "SELECT m.org_id, m.merge_id FROM contact_moves m WHERE m.due_time <= $1
             AND (m.phase <> 'returning' OR NOT EXISTS (
                 SELECT 1 FROM contact_moves e
                 WHERE e.org_id = m.org_id AND e.phase = 'returning' AND e.return_number < m.return_number))
         ORDER BY m.due_time LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// What is to be done for a merge; until the transaction ends, nobody else does it or changes what it is.
pub(crate) async fn lock(tx: &mut Tx, merge: MergeId) -> Result<Option<Move>, DbError> {
    let held = match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE",
    };
    let sql = format!(
        "SELECT from_contact_id, into_contact_id, phase, due_time FROM contact_moves
         WHERE org_id = $1 AND merge_id = $2{held}"
    );
    tx.query_dynamic(sql).bind(merge).fetch_optional(tx).await
}

/// The rows of a merge are that far; what is left to do, if anything, is due then. For the holder of its lock.
pub(crate) async fn reach(
    tx: &mut Tx,
    merge: MergeId,
    phase: Phase,
    due: Option<Timestamp>,
) -> Result<(), DbError> {
    tx.query("UPDATE contact_moves SET phase = $3, due_time = $4 WHERE org_id = $1 AND merge_id = $2")
        .bind(merge)
        .bind(phase.as_str())
        .bind(due)
        .execute(tx)
        .await
        .map(drop)
}

/// Whether rows of one of these contacts are still on their way back from a merge that was taken back, and so seem to be another's.
///
/// # Errors
/// [`DbError`] of the read.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn anything_returning<'t>(
    tx: &'t mut Tx,
    contacts: &[ContactId],
) -> BoxFuture<'t, Result<bool, DbError>> {
    let values = rows(2, contacts.len(), 1);
    let sql = format!(
        "SELECT return_number FROM contact_moves WHERE org_id = $1 AND phase = 'returning'
             AND (from_contact_id IN (VALUES {values}) OR into_contact_id IN (VALUES {values})) LIMIT 1"
    );
    let query = tx.query_dynamic(sql).bind_all(contacts.iter().copied());
    Box::pin(async move { Ok(query.fetch_optional_value::<i64>(tx).await?.is_some()) })
}
