//! Webhooks.

use std::collections::BTreeSet;

use db::{DbError, Engine, Json, Tx};
use kernel::{EventId, OrgId, Timestamp};

use crate::domain::webhook::{Terms, Webhook, WebhookId, WebhookState};
use crate::domain::webhook_event::{EventType, Interest};
use crate::domain::webhook_secret::{Secret, Secrets};

macro_rules! select_webhooks {
    ($rest:literal) => {
        concat!(
            "SELECT webhook_id, url, description, event_types, include_private, state, secret, previous_secret, \
             previous_secret_until, failing_since, version, create_time, update_time FROM webhooks ",
            $rest
        )
    };
}

#[derive(db::FromRow)]
struct Row {
    webhook_id: WebhookId,
    url: String,
    description: String,
    event_types: Json<Vec<String>>,
    include_private: bool,
    state: WebhookState,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_secret_until: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    version: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl Row {
    /// A secret of another length is none of ours.
    fn read(self) -> Result<Webhook, DbError> {
        let unreadable = || DbError::Corrupt("the secret of a webhook cannot be read".to_owned());
        let previous = match self.previous_secret.zip(self.previous_secret_until) {
            Some((secret, until)) => Some((Secret::stored(&secret).ok_or_else(unreadable)?, until)),
            None => None,
        };
        Ok(Webhook {
            webhook_id: self.webhook_id,
            version: self.version,
            terms: Terms {
                url: self.url,
                description: self.description,
                event_types: kinds(self.event_types.0),
                include_private: self.include_private,
            },
            state: self.state,
            secrets: Secrets { current: Secret::stored(&self.secret).ok_or_else(unreadable)?, previous },
            failing_since: self.failing_since,
            create_time: self.create_time,
            update_time: self.update_time,
        })
    }
}

/// The types that this version knows: a later one that ran beside it may have stored others.
fn kinds(names: Vec<String>) -> BTreeSet<EventType> {
    names.into_iter().filter_map(|name| EventType::try_from(name).ok()).collect()
}

fn names(kinds: &BTreeSet<EventType>) -> Json<Vec<&'static str>> {
    Json(kinds.iter().map(|kind| kind.as_str()).collect())
}

/// Adds a webhook.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn insert(tx: &mut Tx, webhook: &Webhook) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO webhooks (org_id, webhook_id, url, description, event_types, include_private, state, secret, \
         version, create_time, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(webhook.webhook_id)
    .bind(webhook.terms.url.as_str())
    .bind(webhook.terms.description.as_str())
    .bind(names(&webhook.terms.event_types))
    .bind(webhook.terms.include_private)
    .bind(webhook.state.as_str())
    .bind(webhook.secrets.current.bytes())
    .bind(webhook.version)
    .bind(webhook.create_time)
    .bind(webhook.update_time)
    .execute(tx)
    .await
    .map(drop)
}

/// How many webhooks the organization has.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn count(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM webhooks WHERE org_id = $1").fetch_value(tx).await
}

/// The webhook, if the organization has it.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find(tx: &mut Tx, id: WebhookId) -> Result<Option<Webhook>, DbError> {
    let query = tx.query(select_webhooks!("WHERE org_id = $1 AND webhook_id = $2")).bind(id);
    let row: Option<Row> = query.fetch_optional(tx).await?;
    row.map(Row::read).transpose()
}

/// Like [`find`], and nobody else changes the webhook before this transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn lock(tx: &mut Tx, id: WebhookId) -> Result<Option<Webhook>, DbError> {
    let sql = match tx.engine() {
        // The only writer there is holds the whole database already.
        Engine::Sqlite => select_webhooks!("WHERE org_id = $1 AND webhook_id = $2"),
        Engine::Postgres => select_webhooks!("WHERE org_id = $1 AND webhook_id = $2 FOR UPDATE"),
    };
    let row: Option<Row> = tx.query(sql).bind(id).fetch_optional(tx).await?;
    row.map(Row::read).transpose()
}

/// Webhooks in the order of their making, at most `limit` behind one; all are few.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list(tx: &mut Tx, after: WebhookId, limit: i64) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<Row> = tx
        .query(select_webhooks!("WHERE org_id = $1 AND webhook_id > $2 ORDER BY webhook_id LIMIT $3"))
        .bind(after)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The organization's first `limit` webhooks: more than it may have. None of them changes before the transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn hold(tx: &mut Tx, limit: i64) -> Result<Vec<Webhook>, DbError> {
    let sql = match tx.engine() {
        // The only writer there is.
        Engine::Sqlite => select_webhooks!("WHERE org_id = $1 ORDER BY webhook_id LIMIT $2"),
        Engine::Postgres => select_webhooks!("WHERE org_id = $1 ORDER BY webhook_id LIMIT $2 FOR SHARE"),
    };
    let rows: Vec<Row> = tx.query(sql).bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(Row::read).collect()
}

/// Writes a changed webhook. The caller holds the lock.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn update(tx: &mut Tx, webhook: &Webhook) -> Result<(), DbError> {
    let previous = webhook.secrets.previous.as_ref();
    tx.query(
        "UPDATE webhooks SET url = $3, description = $4, event_types = $5, include_private = $6, state = $7, \
         secret = $8, previous_secret = $9, previous_secret_until = $10, failing_since = $11, version = $12, \
         update_time = $13 WHERE org_id = $1 AND webhook_id = $2",
    )
    .bind(webhook.webhook_id)
    .bind(webhook.terms.url.as_str())
    .bind(webhook.terms.description.as_str())
    .bind(names(&webhook.terms.event_types))
    .bind(webhook.terms.include_private)
    .bind(webhook.state.as_str())
    .bind(webhook.secrets.current.bytes())
    .bind(previous.map(|(secret, _)| secret.bytes()))
    .bind(previous.map(|(_, until)| *until))
    .bind(webhook.failing_since)
    .bind(webhook.version)
    .bind(webhook.update_time)
    .execute(tx)
    .await
    .map(drop)
}

/// Removes a webhook.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn delete(tx: &mut Tx, id: WebhookId) -> Result<(), DbError> {
    tx.query("DELETE FROM webhooks WHERE org_id = $1 AND webhook_id = $2")
        .bind(id)
        .execute(tx)
        .await
        .map(drop)
}

/// Notes since when every call of this URL failed, unless that is known, or another URL is called by now.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn note_failing(tx: &mut Tx, id: WebhookId, url: &str, since: Timestamp) -> Result<(), DbError> {
    tx.query(
        "UPDATE webhooks SET failing_since = $4 \
         WHERE org_id = $1 AND webhook_id = $2 AND url = $3 AND failing_since IS NULL",
    )
    .bind(id)
    .bind(url.to_owned())
    .bind(since)
    .execute(tx)
    .await
    .map(drop)
}

/// Notes that a call of this URL went well, unless another one is called by now.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn note_well(tx: &mut Tx, id: WebhookId, url: &str) -> Result<(), DbError> {
    tx.query("UPDATE webhooks SET failing_since = NULL WHERE org_id = $1 AND webhook_id = $2 AND url = $3")
        .bind(id)
        .bind(url.to_owned())
        .execute(tx)
        .await
        .map(drop)
}

/// Why a webhook is disabled.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What was called; another URL knows nothing of it.
    pub url: String,
    /// Since when it failed, where that is why: not if it was well or enabled again meanwhile.
    pub failing_since: Option<Timestamp>,
    /// The event that tells admins.
    pub notice: EventId,
}

/// Disables a webhook that is enabled, if that for which it is disabled still holds; tells whether it did.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn disable(tx: &mut Tx, id: WebhookId, ended: Ended, now: Timestamp) -> Result<bool, DbError> {
    let disabled = tx
        .query(
            "UPDATE webhooks SET state = 'disabled', notice_event_id = $3, version = version + 1, update_time = $4 \
             WHERE org_id = $1 AND webhook_id = $2 AND state = 'enabled' AND url = $5 \
             AND COALESCE($6, failing_since, 0) = COALESCE(failing_since, 0)",
        )
        .bind(id)
        .bind(ended.notice)
        .bind(now)
        .bind(ended.url)
        .bind(ended.failing_since)
        .execute(tx)
        .await?;
    Ok(disabled == 1)
}

/// A webhook of whose end admins are to be told.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Notice {
    /// Whose.
    pub org_id: OrgId,
    /// Which.
    pub webhook_id: WebhookId,
    /// The event that tells it.
    pub notice_event_id: EventId,
}

/// Webhooks of every organization of whose end admins are to be told, at most `limit` (system scope).
///
/// # Errors
/// [`DbError`] of the read.
pub async fn notices(tx: &mut Tx, limit: i64) -> Result<Vec<Notice>, DbError> {
    tx.query(
        "SELECT org_id, webhook_id, notice_event_id FROM webhooks WHERE notice_event_id IS NOT NULL \
         ORDER BY notice_event_id LIMIT $1",
    )
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Notes that admins were told by this event.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn note_told(tx: &mut Tx, id: WebhookId, notice: EventId) -> Result<(), DbError> {
    tx.query(
        "UPDATE webhooks SET notice_event_id = NULL \
         WHERE org_id = $1 AND webhook_id = $2 AND notice_event_id = $3",
    )
    .bind(id)
    .bind(notice)
    .execute(tx)
    .await
    .map(drop)
}

/// What the organization's webhooks want to be told, whatever their state: what a paused one misses can be replayed.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn interest(tx: &mut Tx) -> Result<Interest, DbError> {
    let rows: Vec<(Json<Vec<String>>, bool)> =
        tx.query("SELECT event_types, include_private FROM webhooks WHERE org_id = $1").fetch_all(tx).await?;
    let private_text = rows.iter().any(|(_, private)| *private);
    let types = rows.into_iter().flat_map(|(names, _)| kinds(names.0)).collect();
    Ok(Interest { types, private_text })
}
