//! The table `search_backlog`: contacts that were there before searches were.

use db::{DbError, Tx};
use kernel::{ContactId, OrgId};

/// Contacts of any organization that wait for their entries, at most `limit`. In system scope.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<(OrgId, ContactId)>, DbError> {
    const SQL: &str = "SELECT org_id, contact_id FROM search_backlog ORDER BY org_id, contact_id LIMIT $1";
    tx.query(SQL).bind(limit).fetch_all(tx).await
}

/// The contact waits no longer.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM search_backlog WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}
