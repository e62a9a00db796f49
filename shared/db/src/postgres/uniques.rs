//! Which columns a unique index covers.

use sqlx::PgConnection;
use std::collections::HashMap;

/// The unique indexes of a schema. PostgreSQL names only the index in its error, and keeps the columns to itself for
/// a role under row-level security.
#[derive(Debug, Default)]
pub(crate) struct Uniques(HashMap<String, Vec<String>>);

impl Uniques {
    pub(crate) async fn load(conn: &mut PgConnection, schema: &str) -> Result<Self, sqlx::Error> {
        const SQL: &str = "
            SELECT i.relname::text, pg_get_indexdef(x.indexrelid, k.n, true)
            FROM pg_index x
            JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_namespace n ON n.oid = i.relnamespace
            CROSS JOIN LATERAL generate_series(1, x.indnkeyatts::int) AS k(n)
            WHERE x.indisunique AND n.nspname = $1
            ORDER BY i.relname, k.n";
        #[expect(clippy::disallowed_methods, reason = "read once while opening, before there is a Tx")]
        let parts: Vec<(String, String)> = sqlx::query_as(SQL).bind(schema).fetch_all(conn).await?;
        let mut columns = HashMap::<String, Vec<String>>::new();
        for (index, column) in parts {
            columns.entry(index).or_default().push(column);
        }
        Ok(Self(columns))
    }

    pub(crate) fn columns(&self, index: &str) -> Vec<String> {
        self.0.get(index).cloned().unwrap_or_default()
    }
}
