//! Safe retries: the same request twice has one effect and one answer (feature P5).

use crate::{DbError, MigrationSet, Tx, step};
use futures::future::BoxFuture;
use kernel::Subject;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use uuid::Uuid;

/// How long a request's answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The most keys forgotten in one transaction, so that a sweep never holds up the writers for long.
const SWEPT: i64 = 1000;

/// The table of retry keys, for a service's [`Migrations`](crate::Migrations).
pub static RETRY_KEYS: MigrationSet =
    MigrationSet { name: "retry_keys", steps: &[step!("0001_retry_keys")], work_tables: &["retry_keys"] };

/// What makes two requests the same: who asked which method under which id, with which payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Who asks. Two callers may use the same id.
    pub caller: Subject,
    /// The path of the method, as in the contract.
    pub method: &'static str,
    /// The id the caller chose; without one nothing is remembered.
    pub request_id: Option<Uuid>,
    /// SHA-256 of the payload.
    pub digest: [u8; 32],
}

/// A request id was used before with another payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this request_id was used with another payload")]
pub struct RequestIdReused;

#[derive(sqlx_macros::FromRow)]
struct First {
    digest: Vec<u8>,
    answer: Option<String>,
}

/// Does the work unless the same request was done before, and gives the first answer either way.
///
/// The key is stored in the transaction of the effect: both are there or neither. Of two equal requests at once the
/// second waits for the first to commit and then has its answer (on PostgreSQL at most for the lock's time limit).
/// An error of the work is not remembered: the transaction is rolled back, and a retry tries again.
///
/// # Errors
/// [`RequestIdReused`], [`DbError`] or the work's own.
pub async fn once<T, E, F>(tx: &mut Tx, retry: &Retry, work: F) -> Result<T, E>
where
    T: Serialize + DeserializeOwned + Send,
    E: From<DbError> + From<RequestIdReused>,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
{
    let Some(request_id) = retry.request_id else { return work(tx).await };
    if !claim(tx, retry, request_id, None).await? {
        return repeated(tx, retry, request_id).await;
    }
    let value = work(tx).await?;
    keep(tx, retry, request_id, json(&value)?).await?;
    Ok(value)
}

/// Like [`once`], for an answer that is known before the work is done: it is stored together with the key, one
/// statement less.
///
/// # Errors
/// As [`once`].
pub async fn once_answering<T, E, F>(tx: &mut Tx, retry: &Retry, answer: T, work: F) -> Result<T, E>
where
    T: Serialize + DeserializeOwned + Send,
    E: From<DbError> + From<RequestIdReused>,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<(), E>> + Send,
{
    if let Some(request_id) = retry.request_id
        && !claim(tx, retry, request_id, Some(json(&answer)?)).await?
    {
        return repeated(tx, retry, request_id).await;
    }
    work(tx).await?;
    Ok(answer)
}

fn json<T: Serialize>(answer: &T) -> Result<String, DbError> {
    serde_json::to_string(answer).map_err(|_| DbError::Corrupt("an answer cannot be JSON".to_owned()))
}

/// The first answer to a request that was done before.
async fn repeated<T, E>(tx: &mut Tx, retry: &Retry, request_id: Uuid) -> Result<T, E>
where
    T: DeserializeOwned,
    E: From<DbError> + From<RequestIdReused>,
{
    let first = first(tx, retry, request_id).await?.ok_or(DbError::Busy)?;
    if first.digest != retry.digest {
        return Err(RequestIdReused.into());
    }
    let answer = first.answer.ok_or_else(|| DbError::Corrupt("a retry key without an answer".to_owned()))?;
    let answer = serde_json::from_str(&answer)
        .map_err(|_| DbError::Corrupt("a kept answer cannot be read as its type".to_owned()))?;
    Ok(answer)
}

/// Forgets answers older than [`KEPT`], a thousand at most; tells how many. Runs in
/// [`Db::write_system`](crate::Db::write_system), again at once while it returns that many.
///
/// # Errors
/// As for every statement.
pub async fn forget_expired(tx: &mut Tx) -> Result<u64, DbError> {
    // One replica whose clock is ahead must not forget what the others need.
    let before = tx.now().await?.minus(KEPT);
    tx.query(
        "WITH doomed AS MATERIALIZED (
             SELECT org_id, caller, method, request_id FROM retry_keys WHERE create_time < $1
             ORDER BY create_time LIMIT $2)
         DELETE FROM retry_keys WHERE (org_id, caller, method, request_id) IN (
             SELECT org_id, caller, method, request_id FROM doomed)",
    )
    .bind(before)
    .bind(SWEPT)
    .execute(tx)
    .await
}

/// True if nobody had this key. Waits for a transaction that is about to have it.
async fn claim(
    tx: &mut Tx,
    retry: &Retry,
    request_id: Uuid,
    answer: Option<String>,
) -> Result<bool, DbError> {
    let now = tx.clock().now();
    let claimed = tx
        .query(
            "INSERT INTO retry_keys (org_id, caller, method, request_id, digest, create_time, answer)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(&retry.caller)
        .bind(retry.method)
        .bind(request_id)
        .bind(retry.digest.as_slice())
        .bind(now)
        .bind(answer)
        .execute(tx)
        .await?;
    Ok(claimed == 1)
}

async fn first(tx: &mut Tx, retry: &Retry, request_id: Uuid) -> Result<Option<First>, DbError> {
    tx.query(
        "SELECT digest, answer FROM retry_keys
         WHERE org_id = $1 AND caller = $2 AND method = $3 AND request_id = $4",
    )
    .bind(&retry.caller)
    .bind(retry.method)
    .bind(request_id)
    .fetch_optional(tx)
    .await
}

async fn keep(tx: &mut Tx, retry: &Retry, request_id: Uuid, answer: String) -> Result<u64, DbError> {
    tx.query(
        "UPDATE retry_keys SET answer = $5
         WHERE org_id = $1 AND caller = $2 AND method = $3 AND request_id = $4",
    )
    .bind(&retry.caller)
    .bind(retry.method)
    .bind(request_id)
    .bind(answer)
    .execute(tx)
    .await
}
