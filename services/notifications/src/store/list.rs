//! A page of a feed.

use db::{DbError, Tx};
use kernel::{Subject, Timestamp};

use super::row::{Row, columns};
use crate::domain::{Filter, Notification, Sequence};

/// At most `limit` of a person's entries before a place, newest first.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn before(
    tx: &mut Tx,
    subject: &Subject,
    filter: &Filter,
    place: Sequence,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Notification>, DbError> {
    let mut sql = String::from(concat!(
        "SELECT ",
        columns!(),
        " FROM feed_entries WHERE org_id = $1 AND subject = $2 AND sequence < $3"
    ));
    let mut values = 4;
    if filter.unread_only {
        sql.push_str(" AND read_time IS NULL");
    }
    if !filter.include_archived {
        sql.push_str(" AND archive_time IS NULL");
    }
    if !filter.include_snoozed {
        values += 1;
        sql.push_str(&format!(" AND (snooze_until_time IS NULL OR snooze_until_time <= ${values})"));
    }
    if filter.kind.is_some() {
        values += 1;
        sql.push_str(&format!(" AND type = ${values}"));
    }
    sql.push_str(" ORDER BY sequence DESC LIMIT $4");

    let mut query = tx.query_dynamic(sql).bind(subject).bind(place).bind(limit);
    if !filter.include_snoozed {
        query = query.bind(now);
    }
    if let Some(kind) = filter.kind {
        query = query.bind(kind.as_str());
    }
    let rows: Vec<Row> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(Notification::from).collect())
}
