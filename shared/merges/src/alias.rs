//! The table `contact_aliases`: which contact stands for one that was merged away.

use db::{BoxFuture, DbError, Engine, Tx, rows};
use kernel::{ContactId, MergeId};

use crate::Heard;

/// Merges that one contact can have gone through, one into the other. Only a circle is longer, and there is none as long as events
/// arrive in their order.
const LONGEST: i64 = 1_000;

/// How often to look for who stands for a contact. Each round ends because a merge was taken back at that very moment.
const ROUNDS: usize = 5;

/// Whose the rows of a contact are by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The contact itself, or who stands for it.
    pub contact_id: ContactId,
    /// The merges through which it went there, first to last.
    pub merges: Vec<MergeId>,
}

#[derive(db::FromRow)]
struct Link {
    contact_id: ContactId,
    merge_id: MergeId,
}

/// Whose the rows of this contact are.
///
/// # Errors
/// [`DbError`] of the read.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn home_of(tx: &mut Tx, contact: ContactId) -> BoxFuture<'_, Result<Home, DbError>> {
    Box::pin(async move { Ok(home(contact, &chain(tx, contact).await?)) })
}

/// Whose the rows of this contact are, for whoever writes one: none of the merges is taken back before the transaction ends, so that
/// what it writes is there to return. A contact that was never merged costs what [`home_of`] does.
///
/// # Errors
/// [`DbError`] of the statements.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn hold_home(tx: &mut Tx, contact: ContactId) -> BoxFuture<'_, Result<Home, DbError>> {
    Box::pin(async move {
        for _ in 0..ROUNDS {
            let links = chain(tx, contact).await?;
            if holds(tx, contact, &links).await? {
                return Ok(home(contact, &links));
            }
        }
        Err(DbError::Busy)
    })
}

fn home(contact: ContactId, links: &[Link]) -> Home {
    let contact_id = links.last().map_or(contact, |last| last.contact_id);
    Home { contact_id, merges: links.iter().map(|link| link.merge_id).collect() }
}

/// The merges through which a contact went, first to last, with where each led.
async fn chain(tx: &mut Tx, contact: ContactId) -> Result<Vec<Link>, DbError> {
    const SQL: &str = "WITH RECURSIVE chain (contact_id, merge_id, place) AS (
             SELECT into_contact_id, merge_id, 1 FROM contact_aliases WHERE org_id = $1 AND contact_id = $2
             UNION ALL
             SELECT a.into_contact_id, a.merge_id, c.place + 1 FROM chain c
             JOIN contact_aliases a ON a.org_id = $1 AND a.contact_id = c.contact_id WHERE c.place < $3)
         SELECT contact_id, merge_id FROM chain ORDER BY place";
    tx.query(SQL).bind(contact).bind(LONGEST).fetch_all(tx).await
}

/// Keeps these merges of a contact until the transaction ends; false if one of them was taken back meanwhile.
async fn holds(tx: &mut Tx, contact: ContactId, links: &[Link]) -> Result<bool, DbError> {
    // SQLite's only writer has locked everything already.
    if links.is_empty() || tx.engine() == Engine::Sqlite {
        return Ok(true);
    }
    let gone: Vec<ContactId> =
        std::iter::once(contact).chain(links.iter().map(|link| link.contact_id)).take(links.len()).collect();
    let sql = format!(
        "SELECT merge_id FROM contact_aliases WHERE org_id = $1 AND contact_id IN (VALUES {})
         ORDER BY contact_id FOR SHARE",
        rows(2, gone.len(), 1)
    );
    let held: Vec<MergeId> = tx.query_dynamic(sql).bind_all(gone).fetch_values(tx).await?;
    Ok(links.iter().all(|link| held.contains(&link.merge_id)))
}

/// From now on `into` stands for `from`.
pub(crate) async fn insert(tx: &mut Tx, heard: &Heard) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO contact_aliases (org_id, contact_id, into_contact_id, merge_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (org_id, contact_id) DO UPDATE SET
             into_contact_id = excluded.into_contact_id, merge_id = excluded.merge_id",
    )
    .bind(heard.from)
    .bind(heard.into)
    .bind(heard.merge)
    .execute(tx)
    .await
    .map(drop)
}

/// From now on `from` stands for itself.
pub(crate) async fn remove(tx: &mut Tx, heard: &Heard) -> Result<(), DbError> {
    tx.query("DELETE FROM contact_aliases WHERE org_id = $1 AND contact_id = $2 AND merge_id = $3")
        .bind(heard.from)
        .bind(heard.merge)
        .execute(tx)
        .await
        .map(drop)
}
