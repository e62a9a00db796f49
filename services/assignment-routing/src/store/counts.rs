//! How many conversations each view has, in one statement.

use db::{DbError, Tx};

use super::views::{CURSORS, Reader, belongs};
use crate::domain::view::View;

#[derive(db::FromRow)]
struct CountRow {
    view: i64,
    count: i64,
}

/// The size of each view that is counted, in their order. Each is counted over its own index.
pub async fn count_views(tx: &mut Tx, reader: &Reader) -> Result<Vec<(View, i64)>, DbError> {
    let parts: Vec<String> = View::COUNTED
        .into_iter()
        .enumerate()
        .map(|(place, view)| {
            // Only UNREAD looks at the cursors; the others count without reading a row.
            let cursors = if view == View::Unread { CURSORS } else { "" };
            format!(
                "SELECT {place} AS view, COUNT(*) AS count FROM conversations c{cursors}
                 WHERE c.org_id = $1 AND {}",
                belongs(view)
            )
        })
        .collect();
    let sql = format!(
        "SELECT CAST(v.view AS BIGINT) AS view, v.count FROM ({}) v ORDER BY v.view",
        parts.join(" UNION ALL ")
    );
    let rows: Vec<CountRow> =
        tx.query_dynamic(sql).bind(reader.subject.as_str()).bind(reader.agent).fetch_all(tx).await?;
    let counted = |row: CountRow| {
        let view = usize::try_from(row.view).ok().and_then(|place| View::COUNTED.get(place).copied())?;
        Some((view, row.count))
    };
    Ok(rows.into_iter().filter_map(counted).collect())
}
