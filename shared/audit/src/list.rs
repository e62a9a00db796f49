//! Reading the trail, newest first.

use db::{BoxFuture, DbError, Query, Tx};
use kernel::{Subject, Timestamp};
use uuid::Uuid;

use crate::row::{COLUMNS, Record, first_id_at};

/// Which records: all that is set must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Filter {
    /// Done by them.
    pub actor: Option<Subject>,
    /// Done on objects of this kind.
    pub object_kind: Option<String>,
    /// Done on this object of that kind.
    pub object_id: Option<String>,
    /// This was done.
    pub action: Option<String>,
    /// At this time or later.
    pub start: Option<Timestamp>,
    /// Before this time.
    pub end: Option<Timestamp>,
}

/// The conditions of a filter, and their values, in order.
struct Conditions {
    sql: String,
    texts: Vec<String>,
    ids: Vec<Uuid>,
}

impl Conditions {
    fn of(filter: &Filter, before: Option<Uuid>) -> Self {
        let mut conditions = Self { sql: String::from("org_id = $1"), texts: Vec::new(), ids: Vec::new() };
        let texts = [
            ("actor_subject =", filter.actor.as_ref().map(Subject::as_str)),
            ("object_kind =", filter.object_kind.as_deref()),
            ("object_id =", filter.object_id.as_deref()),
            ("action =", filter.action.as_deref()),
        ];
        for (condition, text) in texts {
            let Some(text) = text else { continue };
            conditions.texts.push(text.to_owned());
            conditions.add(condition);
        }
        let ids = [
            ("event_id >=", filter.start.map(first_id_at)),
            ("event_id <", filter.end.map(first_id_at)),
            ("event_id <", before),
        ];
        for (condition, id) in ids {
            let Some(id) = id else { continue };
            conditions.ids.push(id);
            conditions.add(condition);
        }
        conditions
    }

    /// Adds a condition on the value that was just added.
    fn add(&mut self, condition: &str) {
        self.sql = format!("{} AND {condition} ${}", self.sql, self.last());
    }

    /// The place of the last value; `$1` is the organization.
    fn last(&self) -> usize {
        1 + self.texts.len() + self.ids.len()
    }

    fn bound(self, query: Query) -> Query {
        query.bind_all(self.texts).bind_all(self.ids)
    }
}

/// At most `limit` records of the organization that fit, newest first: sealed ones and those that wait. `before` is the id
/// of the last one of the page before. One statement: a record that is sealed meanwhile is seen once.
///
/// # Errors
/// [`DbError`] of the read.
pub fn list<'t>(
    tx: &'t mut Tx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> BoxFuture<'t, Result<Vec<Record>, DbError>> {
    let conditions = Conditions::of(filter, before);
    let (only, most) = (conditions.sql.clone(), conditions.last() + 1);
    let sql = format!(
        "SELECT * FROM (SELECT {COLUMNS}, sequence, hash FROM audit_events
             WHERE {only} ORDER BY event_id DESC LIMIT ${most}) AS sealed
         UNION ALL
         SELECT * FROM (SELECT {COLUMNS}, CAST(0 AS BIGINT) AS sequence, CAST(NULL AS BYTEA) AS hash FROM audit_queue
             WHERE {only} ORDER BY event_id DESC LIMIT ${most}) AS waiting
         ORDER BY event_id DESC LIMIT ${most}"
    );
    let query = conditions.bound(tx.query_dynamic(sql)).bind(limit);
    // Not `async fn`: see `db::Db::open`.
    Box::pin(async move { query.fetch_all(tx).await })
}
