//! Recording: one row in the transaction of the effect.

use db::{BoxFuture, DbError, Query, Tx};

use crate::{Event, Origin};

/// Columns of a row beside the organization.
const COLUMNS: usize = 9;

/// Records what the transaction does: one statement for every [`db::ROWS`] events, none for none. If the transaction rolls
/// back, nothing was recorded.
///
/// # Errors
/// [`DbError`] of the insert.
// Not `async fn`, like everything that many crates await: see `db::Db::open`.
pub fn record<'t>(tx: &'t mut Tx, origin: &Origin, events: &[Event]) -> BoxFuture<'t, Result<(), DbError>> {
    let statements: Vec<Query> = events.chunks(db::ROWS).map(|events| insert(tx, origin, events)).collect();
    Box::pin(async move {
        for statement in statements {
            statement.execute(tx).await?;
        }
        Ok(())
    })
}

fn insert(tx: &Tx, origin: &Origin, events: &[Event]) -> Query {
    let sql = format!(
        "INSERT INTO audit_queue (org_id, event_id, actor_subject, actor_role, action, object_kind, object_id, \
         method, request_id, trace_id) VALUES {}",
        db::org_rows(events.len(), COLUMNS)
    );
    events.iter().fold(tx.query_dynamic(sql), |query, event| {
        query
            .bind(tx.clock().new_id())
            .bind(origin.subject.clone())
            .bind(origin.role.as_str())
            .bind(event.action())
            .bind(event.object_kind())
            .bind(event.object_id().to_owned())
            .bind(origin.method)
            .bind(origin.request_id)
            .bind(origin.trace_id.clone())
    })
}
