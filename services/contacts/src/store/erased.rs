//! What the erasure of a contact removes here.

use std::time::Duration;

use db::{DbError, Engine, Tx};
use kernel::{ContactId, Timestamp};

use crate::domain::Held;

/// A table with rows of contacts which is emptied by one statement.
#[derive(Debug, Clone, Copy)]
pub struct Belonging {
    /// What its rows are called in the report.
    pub kind: &'static str,
    table: &'static str,
}

const fn belonging(kind: &'static str, table: &'static str) -> Belonging {
    Belonging { kind, table }
}

/// What belongs to a contact; the contact's own row goes last.
pub const BELONGINGS: [Belonging; 7] = [
    belonging("identities", "identities"),
    belonging("tags", "contact_tags"),
    belonging("attributes", "contact_attributes"),
    belonging("search_entries", "search_entries"),
    belonging("activities", "contact_activities"),
    belonging("list_memberships", "list_members"),
    belonging("contacts", "contacts"),
];

/// Removes the rows of a contact from a table.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId, of: Belonging) -> Result<u64, DbError> {
    let sql = format!("DELETE FROM {} WHERE org_id = $1 AND contact_id = $2", of.table);
    tx.query_dynamic(sql).bind(contact).execute(tx).await
}

/// Locks the lists on which a contact is, in one order. Whoever puts contacts on lists locks these before the contacts.
///
/// # Errors
/// As for every statement.
pub async fn lock_lists(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    const SQL: &str = "SELECT list_id FROM lists WHERE org_id = $1 AND list_id IN (
            SELECT list_id FROM list_members WHERE org_id = $1 AND contact_id = $2)
        ORDER BY list_id FOR UPDATE";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}

/// The version of a contact. Until the transaction ends, nobody changes the contact or adds anything to it.
///
/// # Errors
/// As for every statement.
pub async fn lock_contact(tx: &mut Tx, contact: ContactId) -> Result<Option<i64>, DbError> {
    let sql = match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => "SELECT version FROM contacts WHERE org_id = $1 AND contact_id = $2",
        Engine::Postgres => "SELECT version FROM contacts WHERE org_id = $1 AND contact_id = $2 FOR UPDATE",
    };
    tx.query(sql).bind(contact).fetch_optional_value(tx).await
}

/// Counts a contact off the lists on which it is. For the holder of their locks.
///
/// # Errors
/// As for every statement.
pub async fn count_off_lists(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    const SQL: &str = "UPDATE lists SET member_count = member_count - 1 WHERE org_id = $1 AND list_id IN (
            SELECT list_id FROM list_members WHERE org_id = $1 AND contact_id = $2)";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}

/// Takes a contact out of those that searches do not know yet.
///
/// # Errors
/// As for every statement.
pub async fn leave_backlog(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM search_backlog WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}

/// Forgets first answers to requests that hold the contact, but for those of `method`.
///
/// # Errors
/// As for every statement.
pub async fn forget_answers(tx: &mut Tx, contact: ContactId, method: &'static str) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM retry_keys WHERE org_id = $1 AND answer LIKE $2 AND method <> $3";
    tx.query(SQL).bind(format!("%{contact}%")).bind(method).execute(tx).await
}

/// Forgets first answers to requests that hold a contact which had somebody else's data then, but for those of `method`. Times may be
/// off by `slack`.
///
/// # Errors
/// As for every statement.
pub async fn forget_answers_of(
    tx: &mut Tx,
    held: &Held,
    method: &'static str,
    slack: Duration,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM retry_keys WHERE org_id = $1 AND answer LIKE $2 AND method <> $3
        AND create_time >= $4 AND create_time <= $5";
    let until = held.until.map_or(Timestamp::from_micros(i64::MAX), |until| until.plus(slack));
    let query = tx.query(SQL).bind(format!("%{}%", held.contact)).bind(method);
    query.bind(held.since.minus(slack)).bind(until).execute(tx).await
}

/// Who was merged into these contacts, by merges that stand.
///
/// # Errors
/// As for every statement.
pub async fn list_merged_into(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<ContactId>, DbError> {
    let sql = format!(
        "SELECT from_contact_id FROM contact_merges \
         WHERE org_id = $1 AND unmerge_time IS NULL AND into_contact_id IN {} ORDER BY from_contact_id",
        db::rows(2, 1, contacts.len())
    );
    tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_values(tx).await
}

/// Removes the merges in which a contact occurs, also those that were taken back, with what they keep of both contacts.
///
/// # Errors
/// As for every statement.
pub async fn remove_merges(tx: &mut Tx, contact: ContactId) -> Result<u64, DbError> {
    const SQL: &str =
        "DELETE FROM contact_merges WHERE org_id = $1 AND (from_contact_id = $2 OR into_contact_id = $2)";
    tx.query(SQL).bind(contact).execute(tx).await
}

/// Removes what those merges keep of activity. Before [`remove_merges`].
///
/// # Errors
/// As for every statement.
pub async fn remove_merged_activities(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM merged_activities WHERE org_id = $1 AND merge_id IN (
            SELECT merge_id FROM contact_merges
            WHERE org_id = $1 AND (from_contact_id = $2 OR into_contact_id = $2))";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}

/// Forgets with whom a contact was said not to be one person.
///
/// # Errors
/// As for every statement.
pub async fn remove_dismissals(tx: &mut Tx, contact: ContactId) -> Result<(), DbError> {
    const SQL: &str =
        "DELETE FROM duplicate_dismissals WHERE org_id = $1 AND (contact_id = $2 OR other_contact_id = $2)";
    tx.query(SQL).bind(contact).execute(tx).await?;
    Ok(())
}

/// Whether there is an event that this service has not heard of yet. One that was given up is not waited for.
///
/// # Errors
/// As for every statement.
pub async fn anything_untold(tx: &mut Tx, target: &'static str) -> Result<bool, DbError> {
    const SQL: &str = "SELECT seq FROM outbox WHERE org_id = $1 AND target = $2 AND state <> 'dead' LIMIT 1";
    let untold: Option<i64> = tx.query(SQL).bind(target).fetch_optional_value(tx).await?;
    Ok(untold.is_some())
}
