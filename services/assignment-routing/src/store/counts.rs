//! How many conversations views have, each list of them in one statement.

use db::{DbError, Tx};

use super::unreadable;
use super::views::{CURSORS, Reader, belongs};
use crate::domain::view::View;

#[derive(db::FromRow)]
struct CountRow {
    view: i64,
    count: i64,
}

/// The size of each view that is counted, in their order. Each is counted over its own index.
pub async fn count_views(tx: &mut Tx, reader: &Reader) -> Result<Vec<(View, i64)>, DbError> {
    let query = tx.query_dynamic(counting(&View::COUNTED)).bind(reader.subject.as_str()).bind(reader.agent);
    counted(&View::COUNTED, query.fetch_all(tx).await?)
}

/// The size of each of the views that differ from reader to reader: [`View::PERSONAL`], in their order.
pub async fn count_personal_views(tx: &mut Tx, reader: &Reader) -> Result<Vec<(View, i64)>, DbError> {
    let query = tx.query_dynamic(counting(&View::PERSONAL)).bind(reader.subject.as_str()).bind(reader.agent);
    counted(&View::PERSONAL, query.fetch_all(tx).await?)
}

/// The size of some of the views that are the same for all: of [`View::SHARED`].
pub async fn count_shared_views(tx: &mut Tx, views: &[View]) -> Result<Vec<(View, i64)>, DbError> {
    let query = tx.query_dynamic(counting(views));
    counted(views, query.fetch_all(tx).await?)
}

fn counting(views: &[View]) -> String {
    let count = |(place, view): (usize, &View)| {
        // Only UNREAD looks at the cursors; the others count without reading a row.
        let cursors = if *view == View::Unread { CURSORS } else { "" };
        format!(
            "SELECT {place} AS view, COUNT(*) AS count FROM conversations c{cursors}
             WHERE c.org_id = $1 AND {}",
            belongs(*view)
        )
    };
    let parts: Vec<String> = views.iter().enumerate().map(count).collect();
    format!(
        "SELECT CAST(v.view AS BIGINT) AS view, v.count FROM ({}) v ORDER BY v.view",
        parts.join(" UNION ALL ")
    )
}

fn counted(views: &[View], rows: Vec<CountRow>) -> Result<Vec<(View, i64)>, DbError> {
    let counted = |row: CountRow| {
        let view = usize::try_from(row.view).ok().and_then(|place| views.get(place).copied());
        Ok((view.ok_or_else(|| unreadable("view"))?, row.count))
    };
    rows.into_iter().map(counted).collect()
}
