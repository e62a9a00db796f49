//! The table `contact_aliases`: which contact stands for one that was merged away.

use db::{BoxFuture, DbError, Tx};
use kernel::{ContactId, MergeId};

use crate::Heard;

/// Merges that one contact can have gone through, one into the other. Only a circle is longer, and there is none as long as events
/// arrive in their order.
const LONGEST: i64 = 1_000;

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
    let links = tx.query(
        "WITH RECURSIVE chain (contact_id, merge_id, place) AS (
             SELECT into_contact_id, merge_id, 1 FROM contact_aliases WHERE org_id = $1 AND contact_id = $2
             UNION ALL
             SELECT a.into_contact_id, a.merge_id, c.place + 1 FROM chain c
             JOIN contact_aliases a ON a.org_id = $1 AND a.contact_id = c.contact_id WHERE c.place < $3)
         SELECT contact_id, merge_id FROM chain ORDER BY place",
    );
    let links = links.bind(contact).bind(LONGEST);
    Box::pin(async move {
        let links: Vec<Link> = links.fetch_all(tx).await?;
        let contact_id = links.last().map_or(contact, |last| last.contact_id);
        Ok(Home { contact_id, merges: links.into_iter().map(|link| link.merge_id).collect() })
    })
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
