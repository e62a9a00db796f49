//! The tables `duplicate_keys`, `duplicate_pairs` and `duplicate_dismissals`.

use db::{DbError, Engine, Query, Tx, org_rows, rows};
use kernel::ContactId;

use crate::domain::{DuplicateKey, DuplicateReason};

/// Two contacts, the one with the smaller id first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, db::FromRow)]
pub struct Pair {
    /// The contact that was made first.
    pub contact_id: ContactId,
    /// The other.
    pub other_contact_id: ContactId,
}

impl Pair {
    /// These two, in whichever order they come.
    pub fn of(one: ContactId, other: ContactId) -> Self {
        Self { contact_id: one.min(other), other_contact_id: one.max(other) }
    }
}

#[derive(db::FromRow)]
struct KeyRow {
    reason: DuplicateReason,
    duplicate_key: String,
}

impl From<KeyRow> for DuplicateKey {
    fn from(KeyRow { reason, duplicate_key: key }: KeyRow) -> Self {
        Self { reason, key }
    }
}

/// A contact that has a key.
#[derive(Debug, db::FromRow)]
pub struct Holder {
    /// The contact.
    pub contact_id: ContactId,
    reason: DuplicateReason,
    duplicate_key: String,
}

impl Holder {
    /// The key.
    pub fn key(&self) -> DuplicateKey {
        DuplicateKey { reason: self.reason, key: self.duplicate_key.clone() }
    }
}

fn bind_key(query: Query, key: &DuplicateKey) -> Query {
    query.bind(key.reason.code()).bind(key.key.as_str())
}

/// The keys of the contact.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contact: ContactId) -> Result<Vec<DuplicateKey>, DbError> {
    const SQL: &str =
        "SELECT reason, duplicate_key FROM duplicate_keys WHERE org_id = $1 AND contact_id = $2";
    let rows: Vec<KeyRow> = tx.query(SQL).bind(contact).fetch_all(tx).await?;
    Ok(rows.into_iter().map(DuplicateKey::from).collect())
}

/// Lets nobody else give these keys to contacts before the transaction ends: of two that do at once, the second sees the first.
/// SQLite's writer is alone anyway.
///
/// # Errors
/// As for every statement.
pub async fn hold(tx: &mut Tx, keys: &[DuplicateKey]) -> Result<(), DbError> {
    if tx.engine() == Engine::Sqlite || keys.is_empty() {
        return Ok(());
    }
    // In one order. The key holds the schema, since advisory locks belong to the whole database.
    let sql = format!(
        "SELECT pg_advisory_xact_lock(hashtextextended(
             current_schema() || ' duplicate ' || $1 || ' ' || k.reason || ' ' || k.duplicate_key, 0))
         FROM (SELECT column1 AS reason, column2 AS duplicate_key FROM (VALUES {}) AS v ORDER BY 1, 2) AS k",
        rows(2, keys.len(), 2)
    );
    keys.iter().fold(tx.query_dynamic(sql), bind_key).execute(tx).await.map(drop)
}

/// Gives keys to the contact.
///
/// # Errors
/// As for every statement.
pub async fn insert(tx: &mut Tx, contact: ContactId, keys: &[DuplicateKey]) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO duplicate_keys (org_id, contact_id, reason, duplicate_key) VALUES {}",
        org_rows(keys.len(), 3)
    );
    let query = tx.query_dynamic(sql);
    keys.iter().fold(query, |query, key| bind_key(query.bind(contact), key)).execute(tx).await.map(drop)
}

/// Takes keys from the contact.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId, keys: &[DuplicateKey]) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM duplicate_keys WHERE org_id = $1 AND contact_id = $2";
    remove_with(tx, SQL, contact, keys).await
}

/// Removes pairs of the contact that these keys made.
///
/// # Errors
/// As for every statement.
pub async fn remove_pairs(tx: &mut Tx, contact: ContactId, keys: &[DuplicateKey]) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM duplicate_pairs WHERE org_id = $1
        AND (contact_id = $2 OR other_contact_id = $2)";
    remove_with(tx, SQL, contact, keys).await
}

async fn remove_with(
    tx: &mut Tx,
    sql: &str,
    contact: ContactId,
    keys: &[DuplicateKey],
) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!("{sql} AND (reason, duplicate_key) IN (VALUES {})", rows(3, keys.len(), 2));
    let query = tx.query_dynamic(sql).bind(contact);
    keys.iter().fold(query, bind_key).execute(tx).await.map(drop)
}

/// Other contacts with these keys: of each key the newest, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list_holders(
    tx: &mut Tx,
    not: ContactId,
    keys: &[DuplicateKey],
    limit: i64,
) -> Result<Vec<Holder>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let of_key = |index: usize| {
        let (reason, key) = (4 + 2 * index, 5 + 2 * index);
        format!(
            "SELECT * FROM (SELECT contact_id, reason, duplicate_key FROM duplicate_keys
                 WHERE org_id = $1 AND reason = ${reason} AND duplicate_key = ${key} AND contact_id <> $2
                 ORDER BY contact_id DESC LIMIT $3) AS k{index}"
        )
    };
    let sql = (0..keys.len()).map(of_key).collect::<Vec<_>>().join(" UNION ALL ");
    let query = tx.query_dynamic(sql).bind(not).bind(limit);
    keys.iter().fold(query, bind_key).fetch_all(tx).await
}

/// The keys that both contacts have.
///
/// # Errors
/// As for every statement.
pub async fn list_shared(tx: &mut Tx, pair: Pair) -> Result<Vec<DuplicateKey>, DbError> {
    const SQL: &str = "SELECT o.reason, o.duplicate_key FROM duplicate_keys o JOIN duplicate_keys t
            ON t.org_id = o.org_id AND t.reason = o.reason AND t.duplicate_key = o.duplicate_key
        WHERE o.org_id = $1 AND o.contact_id = $2 AND t.contact_id = $3";
    let query = tx.query(SQL).bind(pair.contact_id).bind(pair.other_contact_id);
    let rows: Vec<KeyRow> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(DuplicateKey::from).collect())
}

/// Suggests pairs, each for a key; those that are suggested for it stay so.
///
/// # Errors
/// As for every statement.
pub async fn insert_pairs(tx: &mut Tx, pairs: &[(Pair, DuplicateKey)]) -> Result<(), DbError> {
    if pairs.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO duplicate_pairs (org_id, contact_id, other_contact_id, reason, duplicate_key) VALUES {} \
         ON CONFLICT DO NOTHING",
        org_rows(pairs.len(), 4)
    );
    let bind = |query: Query, (pair, key): &(Pair, DuplicateKey)| {
        bind_key(query.bind(pair.contact_id).bind(pair.other_contact_id), key)
    };
    pairs.iter().fold(tx.query_dynamic(sql), bind).execute(tx).await.map(drop)
}

/// Suggests the pair no more, whatever the two share.
///
/// # Errors
/// As for every statement.
pub async fn delete_pair(tx: &mut Tx, pair: Pair) -> Result<(), DbError> {
    const SQL: &str =
        "DELETE FROM duplicate_pairs WHERE org_id = $1 AND contact_id = $2 AND other_contact_id = $3";
    tx.query(SQL).bind(pair.contact_id).bind(pair.other_contact_id).execute(tx).await.map(drop)
}

/// Pairs behind one, newest contacts first, at most `limit`.
///
/// # Errors
/// As for every statement.
pub async fn list(tx: &mut Tx, after: Pair, limit: i64) -> Result<Vec<Pair>, DbError> {
    const SQL: &str = "SELECT DISTINCT other_contact_id, contact_id FROM duplicate_pairs
        WHERE org_id = $1 AND (other_contact_id, contact_id) < ($2, $3)
        ORDER BY other_contact_id DESC, contact_id DESC LIMIT $4";
    let query = tx.query(SQL).bind(after.other_contact_id).bind(after.contact_id);
    query.bind(limit).fetch_all(tx).await
}

/// Like [`list`], of the pairs with this contact.
///
/// # Errors
/// As for every statement.
pub async fn list_with(
    tx: &mut Tx,
    contact: ContactId,
    after: Pair,
    limit: i64,
) -> Result<Vec<Pair>, DbError> {
    const SQL: &str = "SELECT other_contact_id, contact_id FROM duplicate_pairs
        WHERE org_id = $1 AND other_contact_id = $2 AND (other_contact_id, contact_id) < ($3, $4)
        UNION SELECT other_contact_id, contact_id FROM duplicate_pairs
        WHERE org_id = $1 AND contact_id = $2 AND (other_contact_id, contact_id) < ($3, $4)
        ORDER BY other_contact_id DESC, contact_id DESC LIMIT $5";
    let query = tx.query(SQL).bind(contact).bind(after.other_contact_id).bind(after.contact_id);
    query.bind(limit).fetch_all(tx).await
}

#[derive(db::FromRow)]
struct ReasonRow {
    #[sqlx(flatten)]
    pair: Pair,
    reason: DuplicateReason,
}

/// Why these pairs are suggested, each reason once.
///
/// # Errors
/// As for every statement.
pub async fn list_reasons(tx: &mut Tx, pairs: &[Pair]) -> Result<Vec<(Pair, DuplicateReason)>, DbError> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT DISTINCT contact_id, other_contact_id, reason FROM duplicate_pairs \
         WHERE org_id = $1 AND (contact_id, other_contact_id) IN (VALUES {}) ORDER BY reason",
        rows(2, pairs.len(), 2)
    );
    let bind = |query: Query, pair: &Pair| query.bind(pair.contact_id).bind(pair.other_contact_id);
    let rows: Vec<ReasonRow> = pairs.iter().fold(tx.query_dynamic(sql), bind).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.pair, row.reason)).collect())
}

/// Dismisses the pair; false if it was.
///
/// # Errors
/// As for every statement.
pub async fn dismiss(tx: &mut Tx, pair: Pair) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO duplicate_dismissals (org_id, contact_id, other_contact_id)
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(tx.query(SQL).bind(pair.contact_id).bind(pair.other_contact_id).execute(tx).await? > 0)
}

/// Takes the dismissal of the pair back; false if there was none.
///
/// # Errors
/// As for every statement.
pub async fn restore(tx: &mut Tx, pair: Pair) -> Result<bool, DbError> {
    const SQL: &str =
        "DELETE FROM duplicate_dismissals WHERE org_id = $1 AND contact_id = $2 AND other_contact_id = $3";
    Ok(tx.query(SQL).bind(pair.contact_id).bind(pair.other_contact_id).execute(tx).await? > 0)
}

/// Which of these pairs are dismissed.
///
/// # Errors
/// As for every statement.
pub async fn list_dismissed(tx: &mut Tx, pairs: &[Pair]) -> Result<Vec<Pair>, DbError> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id, other_contact_id FROM duplicate_dismissals \
         WHERE org_id = $1 AND (contact_id, other_contact_id) IN (VALUES {})",
        rows(2, pairs.len(), 2)
    );
    let bind = |query: Query, pair: &Pair| query.bind(pair.contact_id).bind(pair.other_contact_id);
    pairs.iter().fold(tx.query_dynamic(sql), bind).fetch_all(tx).await
}
