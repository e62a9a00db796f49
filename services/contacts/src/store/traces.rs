//! Where else somebody's data was while a merge stood: the contact that stayed had it for some of its versions, and every merge of that
//! contact which was made then kept it.

use db::{DbError, Tx, rows};
use kernel::{ContactId, MergeId, Timestamp};

use crate::domain::{Held, Trace};

/// The columns of a [`TraceRow`].
macro_rules! columns {
    () => {
        "merge_id, from_contact_id, into_contact_id, into_version, undone_version, merge_time, unmerge_time"
    };
}

#[derive(db::FromRow)]
struct TraceRow {
    merge_id: MergeId,
    from_contact_id: ContactId,
    into_contact_id: ContactId,
    into_version: i64,
    undone_version: Option<i64>,
    merge_time: Timestamp,
    unmerge_time: Option<Timestamp>,
}

impl From<TraceRow> for Trace {
    fn from(row: TraceRow) -> Self {
        let held = Held {
            contact: row.into_contact_id,
            // Until now, or nobody knows until when: rather too long.
            versions: row.into_version..row.undone_version.unwrap_or(i64::MAX),
            since: row.merge_time,
            until: row.unmerge_time,
        };
        Self { merge_id: row.merge_id, from: row.from_contact_id, held }
    }
}

fn traces(rows: Vec<TraceRow>) -> Vec<Trace> {
    rows.into_iter().map(Trace::from).collect()
}

/// The merges through which these contacts went, also those that were taken back.
///
/// # Errors
/// As for every statement.
pub async fn list_from(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<Trace>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM contact_merges WHERE org_id = $1 AND from_contact_id IN (VALUES {})"
        ),
        rows(2, contacts.len(), 1)
    );
    Ok(traces(tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_all(tx).await?))
}

/// The merges in which a contact went or stayed while it had what it held, and which were taken back since. Merges into one contact are
/// taken back latest first, and none of a contact that is not there: those that stand are of other versions.
///
/// # Errors
/// As for every statement.
pub async fn list_during(tx: &mut Tx, held: &Held) -> Result<Vec<Trace>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM contact_merges WHERE org_id = $1 AND unmerge_time IS NOT NULL
              AND into_contact_id = $2 AND into_version > $3 AND into_version < $4
          UNION ALL
          SELECT ",
        columns!(),
        " FROM contact_merges WHERE org_id = $1 AND unmerge_time IS NOT NULL
              AND from_contact_id = $2 AND COALESCE(from_version, $3) >= $3 AND COALESCE(from_version, $3) < $4"
    );
    let query = tx.query(SQL).bind(held.contact).bind(held.versions.start).bind(held.versions.end);
    Ok(traces(query.fetch_all(tx).await?))
}

/// Removes these merges, with what they keep.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, merges: &[MergeId]) -> Result<u64, DbError> {
    let mut gone = 0;
    for some in merges.chunks(ROWS) {
        let sql = format!(
            "DELETE FROM contact_merges WHERE org_id = $1 AND merge_id IN (VALUES {})",
            rows(2, some.len(), 1)
        );
        gone += tx.query_dynamic(sql).bind_all(some.iter().copied()).execute(tx).await?;
    }
    Ok(gone)
}

/// Rows per statement.
const ROWS: usize = 500;
