//! The table `lists`.

use db::{DbError, Engine, Tx, rows};
use kernel::{ContactId, Timestamp};

use crate::domain::{ContactList, Line, ListId, ListName};

/// The columns of a [`ListRow`].
macro_rules! columns {
    () => {
        "list_id, version, display_name, description, member_count, create_time, update_time"
    };
}

#[derive(db::FromRow)]
struct ListRow {
    list_id: ListId,
    version: i64,
    display_name: ListName,
    description: Line,
    member_count: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<ListRow> for ContactList {
    fn from(row: ListRow) -> Self {
        let ListRow { list_id, version, display_name, description, member_count, create_time, update_time } =
            row;
        Self { list_id, version, display_name, description, member_count, create_time, update_time }
    }
}

/// Stores a new list, without members.
///
/// # Errors
/// [`DbError::Unique`] on `name_key` when another list has the name.
pub async fn insert(tx: &mut Tx, list: &ContactList) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO lists
            (org_id, list_id, version, display_name, name_key, description, member_count, create_time, update_time)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)";
    let query = tx.query(SQL).bind(list.list_id).bind(list.version).bind(&list.display_name);
    let query = query.bind(list.display_name.key()).bind(&list.description);
    query.bind(list.create_time).bind(list.update_time).execute(tx).await?;
    Ok(())
}

/// Replaces name, description, version and update time. For the holder of the list's lock.
///
/// # Errors
/// [`DbError::Unique`] on `name_key` when another list has the name.
pub async fn update(tx: &mut Tx, list: &ContactList) -> Result<(), DbError> {
    const SQL: &str =
        "UPDATE lists SET version = $3, display_name = $4, name_key = $5, description = $6, update_time = $7
        WHERE org_id = $1 AND list_id = $2";
    let query = tx.query(SQL).bind(list.list_id).bind(list.version).bind(&list.display_name);
    let query = query.bind(list.display_name.key()).bind(&list.description);
    query.bind(list.update_time).execute(tx).await?;
    Ok(())
}

/// Counts members who came, or, below zero, who went. For the holder of the list's lock.
///
/// # Errors
/// As for every statement.
pub async fn count(tx: &mut Tx, id: ListId, more: i64) -> Result<(), DbError> {
    const SQL: &str = "UPDATE lists SET member_count = member_count + $3 WHERE org_id = $1 AND list_id = $2";
    tx.query(SQL).bind(id).bind(more).execute(tx).await?;
    Ok(())
}

/// Removes a list and its members.
///
/// # Errors
/// As for every statement.
pub async fn delete(tx: &mut Tx, id: ListId) -> Result<(), DbError> {
    tx.query("DELETE FROM lists WHERE org_id = $1 AND list_id = $2").bind(id).execute(tx).await?;
    Ok(())
}

/// The list of this id.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx, id: ListId) -> Result<Option<ContactList>, DbError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM lists WHERE org_id = $1 AND list_id = $2");
    Ok(tx.query(SQL).bind(id).fetch_optional::<ListRow>(tx).await?.map(ContactList::from))
}

/// Like [`find`]; until the transaction ends, nobody else changes the list or its members.
///
/// # Errors
/// As for every statement.
pub async fn lock(tx: &mut Tx, id: ListId) -> Result<Option<ContactList>, DbError> {
    match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => find(tx, id).await,
        Engine::Postgres => {
            const SQL: &str =
                concat!("SELECT ", columns!(), " FROM lists WHERE org_id = $1 AND list_id = $2 FOR UPDATE");
            Ok(tx.query(SQL).bind(id).fetch_optional::<ListRow>(tx).await?.map(ContactList::from))
        }
    }
}

/// Which of these lists there are; until the transaction ends, nobody else changes them or their members.
///
/// # Errors
/// As for every statement.
pub async fn lock_all(tx: &mut Tx, ids: &[ListId]) -> Result<Vec<ListId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let held = match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE",
    };
    // In one order, so that two who want several do not wait for one another.
    let sql = format!(
        "SELECT list_id FROM lists WHERE org_id = $1 AND list_id IN (VALUES {}) ORDER BY list_id{held}",
        rows(2, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values(tx).await
}

/// Like [`count`], the same for several lists.
///
/// # Errors
/// As for every statement.
pub async fn count_each(tx: &mut Tx, ids: &[ListId], more: i64) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE lists SET member_count = member_count + $2 WHERE org_id = $1 AND list_id IN (VALUES {})",
        rows(3, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind(more).bind_all(ids.iter().copied()).execute(tx).await?;
    Ok(())
}

/// How many lists there are.
///
/// # Errors
/// As for every statement.
pub async fn count_all(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM lists WHERE org_id = $1").fetch_value(tx).await
}

/// Lists made before `before`, newest first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, before: ListId, limit: i64) -> Result<Vec<ContactList>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM lists WHERE org_id = $1 AND list_id < $2 ORDER BY list_id DESC LIMIT $3"
    );
    let rows: Vec<ListRow> = tx.query(SQL).bind(before).bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(ContactList::from).collect())
}

/// Lists made after `after`, oldest first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list_after(tx: &mut Tx, after: ListId, limit: i64) -> Result<Vec<ContactList>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM lists WHERE org_id = $1 AND list_id > $2 ORDER BY list_id LIMIT $3"
    );
    let rows: Vec<ListRow> = tx.query(SQL).bind(after).bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(ContactList::from).collect())
}

/// Like [`lock`], the lists with these names in their compared form.
///
/// # Errors
/// As for every statement.
pub async fn lock_named(tx: &mut Tx, names: &[String]) -> Result<Vec<ContactList>, DbError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let lock = if tx.engine() == Engine::Postgres { "FOR UPDATE" } else { "" };
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM lists WHERE org_id = $1 AND name_key IN (VALUES {}) ORDER BY list_id {}"
        ),
        rows(2, names.len(), 1),
        lock
    );
    let rows: Vec<ListRow> = tx.query_dynamic(sql).bind_all(names).fetch_all(tx).await?;
    Ok(rows.into_iter().map(ContactList::from).collect())
}

/// Like [`list`], of the lists on which the contact is.
///
/// # Errors
/// As for every statement.
pub async fn list_of(
    tx: &mut Tx,
    contact: ContactId,
    before: ListId,
    limit: i64,
) -> Result<Vec<ContactList>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM lists WHERE org_id = $1 AND list_id IN (
            SELECT list_id FROM list_members WHERE org_id = $1 AND contact_id = $2 AND list_id < $3
            ORDER BY list_id DESC LIMIT $4)
          ORDER BY list_id DESC"
    );
    let rows: Vec<ListRow> = tx.query(SQL).bind(contact).bind(before).bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(ContactList::from).collect())
}
