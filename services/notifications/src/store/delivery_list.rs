//! Deliveries as admins see them: listed, read, tried again.

use db::{DbError, Tx};
use kernel::{Subject, Timestamp};

use super::destinations::Queue;
use crate::domain::delivery::{Channel, DeliveryId, DeliveryState};

/// A delivery, without what it carries.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Delivery {
    /// Its id.
    pub delivery_id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// To which device or endpoint; empty for email.
    pub destination: String,
    /// In order with what; empty: with nothing.
    pub lane: String,
    /// Whom it is for; empty: no person.
    pub subject: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Whether an earlier one of its lane is not done.
    pub behind: bool,
    /// When it may be claimed; while it is claimed, when the claim ends.
    pub due_time: Timestamp,
    /// Attempts so far.
    pub attempt: i64,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was done.
    pub done_time: Option<Timestamp>,
}

impl Delivery {
    /// Where it waits, or waited.
    pub fn queue(&self) -> Queue {
        Queue { channel: self.channel, destination: self.destination.clone() }
    }
}

/// The columns of a [`Delivery`].
macro_rules! columns {
    () => {
        "delivery_id, channel, destination, lane, subject, state, behind, due_time, attempt, last_error, create_time, \
         done_time"
    };
}

/// Which deliveries. What is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only by this channel.
    pub channel: Option<Channel>,
    /// Only for this person.
    pub subject: Option<Subject>,
    /// Only to this device or endpoint.
    pub destination: Option<String>,
}

impl DeliveryFilter {
    /// The filter as text: two filters have the same text only if they are the same.
    pub fn fingerprint(&self) -> String {
        let Self { state, channel, subject, destination } = self;
        let (state, channel) = (state.map_or("", DeliveryState::as_str), channel.map_or("", Channel::as_str));
        // A subject has no white space, nor has an id.
        let subject = subject.as_ref().map_or("", Subject::as_str);
        format!("{state} {channel} {subject} {}", destination.as_deref().unwrap_or_default())
    }

    /// The conditions, for the values of [`DeliveryFilter::values`] from `$3` on. Each is of an index of its own; what waits or failed is
    /// little, so that its index alone is the one to use then.
    fn conditions(&self) -> String {
        let few = matches!(self.state, Some(DeliveryState::Waiting | DeliveryState::Failed));
        let hidden = if few { " || ''" } else { "" };
        let all = [
            (self.state.is_some(), "state", "", ""),
            (self.channel.is_some(), "channel", hidden, ""),
            (self.subject.is_some(), "subject", hidden, " AND subject <> ''"),
            (self.destination.is_some(), "destination", hidden, " AND destination <> ''"),
        ];
        let set = all.into_iter().filter(|(set, ..)| *set).zip(3..);
        set.map(|((_, column, hidden, more), place)| format!(" AND {column}{hidden} = ${place}{more}"))
            .collect()
    }

    fn values(&self) -> impl Iterator<Item = String> {
        let Self { state, channel, subject, destination } = self;
        let texts = [
            state.map(|state| state.as_str().to_owned()),
            channel.map(|channel| channel.as_str().to_owned()),
            subject.as_ref().map(ToString::to_string),
            destination.clone(),
        ];
        texts.into_iter().flatten()
    }
}

/// At most `limit` deliveries before one, newest first.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn before(
    tx: &mut Tx,
    filter: &DeliveryFilter,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let before = before.unwrap_or(DeliveryId::from_uuid(uuid::Uuid::max()));
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM deliveries WHERE org_id = $1 AND delivery_id < $2{} ORDER BY delivery_id DESC LIMIT {}"
        ),
        filter.conditions(),
        limit
    );
    tx.query_dynamic(sql).bind(before).bind_all(filter.values()).fetch_all(tx).await
}

/// A delivery.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(tx: &mut Tx, id: DeliveryId) -> Result<Option<Delivery>, DbError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM deliveries WHERE org_id = $1 AND delivery_id = $2");
    tx.query(SQL).bind(id).fetch_optional(tx).await
}

/// At most `limit` dead letters, the oldest first.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn oldest(tx: &mut Tx, filter: &DeliveryFilter, limit: i64) -> Result<Vec<Delivery>, DbError> {
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM deliveries WHERE org_id = $1 AND delivery_id > $2{} ORDER BY delivery_id LIMIT {}"
        ),
        filter.conditions(),
        limit
    );
    let from = DeliveryId::from_uuid(uuid::Uuid::nil());
    tx.query_dynamic(sql).bind(from).bind_all(filter.values()).fetch_all(tx).await
}

/// Gives dead letters all their attempts again, and tells how many of them were dead. Those of a lane wait there until
/// [`super::deliveries::bring_forward`] finds their turn; their queues are locked.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn revive(tx: &mut Tx, ids: &[DeliveryId], now: Timestamp) -> Result<u64, DbError> {
    let mut revived = 0;
    for rows in ids.chunks(db::ROWS) {
        let sql = format!(
            "UPDATE deliveries SET state = 'waiting', tries = 0, due_time = $2, done_time = NULL, behind = (lane <> '')
             WHERE org_id = $1 AND state = 'failed' AND delivery_id IN (VALUES {})",
            db::rows(3, rows.len(), 1)
        );
        revived += tx.query_dynamic(sql).bind(now).bind_all(rows.iter().copied()).execute(tx).await?;
    }
    Ok(revived)
}

/// Those of these deliveries that are kept, in the order of their ids.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_ids(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<Delivery>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM deliveries WHERE org_id = $1 AND delivery_id IN {} ORDER BY delivery_id"
        ),
        db::rows(2, 1, ids.len())
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await
}
