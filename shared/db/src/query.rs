//! One statement: its text, its values, its rows.

use crate::tx::Conn;
use crate::{Bind, DbError, Engine, Row, Tx};
use futures::future::BoxFuture;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, SqlSafeStr, SqlStr, SqliteConnection};

/// A statement with its values, made by [`Tx::query`] and run on the same transaction.
#[must_use = "a query does nothing until it is executed or fetched"]
pub struct Query {
    sql: SqlStr,
    values: Result<Values, DbError>,
}

enum Values {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

/// Rows of either database, not yet read.
enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// How many rows a statement is asked for.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    First,
}

impl Query {
    pub(crate) fn new(tx: &Tx, sql: SqlStr) -> Self {
        let query = Self::of(tx.engine(), sql);
        match tx.org() {
            // On PostgreSQL a superfluous value is an error of the driver, on SQLite it would pass in silence.
            Some(_) if !names_org(query.sql.as_str()) => Self { values: Err(DbError::WithoutOrg), ..query },
            Some(org) => query.bind(org),
            None => query,
        }
    }

    /// A statement of this crate that is about no tenant's rows.
    pub(crate) fn unbound(engine: Engine, sql: &'static str) -> Self {
        Self::of(engine, sql.into_sql_str())
    }

    fn of(engine: Engine, sql: SqlStr) -> Self {
        let values = match engine {
            Engine::Sqlite => Values::Sqlite(SqliteArguments::default()),
            Engine::Postgres => Values::Postgres(PgArguments::default()),
        };
        Self { sql, values: Ok(values) }
    }

    /// Binds the next value.
    pub fn bind<'q>(mut self, value: impl Bind<'q>) -> Self {
        let added = match &mut self.values {
            Ok(Values::Sqlite(values)) => Arguments::add(values, value),
            Ok(Values::Postgres(values)) => Arguments::add(values, value),
            Err(_) => return self,
        };
        if added.is_err() {
            self.values = Err(DbError::Corrupt("a value cannot be bound".to_owned()));
        }
        self
    }

    /// Binds every value of a list, in order.
    pub fn bind_all<'q, T: Bind<'q>>(self, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().fold(self, Self::bind)
    }

    /// Runs the statement; tells how many rows it changed.
    ///
    /// # Errors
    /// [`DbError`], after which the transaction can only be rolled back.
    // Not `async fn`, like everything here that reaches the drivers: see `Db::open`.
    pub fn execute(self, tx: &mut Tx) -> BoxFuture<'_, Result<u64, DbError>> {
        Box::pin(async move {
            let (sql, values) = self.ready(tx)?;
            let done = match (values, &mut tx.conn) {
                (Values::Sqlite(values), Conn::Writer(conn)) => {
                    sqlx::query_with(sql, values).execute(conn).await.map(|done| done.rows_affected())
                }
                (Values::Sqlite(values), Conn::Reader(conn)) => {
                    let sql = conn.statement(sql);
                    sqlx::query_with(sql, values).execute(conn.get()?).await.map(|done| done.rows_affected())
                }
                (Values::Postgres(values), Conn::Postgres(conn)) => {
                    sqlx::query_with(sql, values).execute(conn.get()?).await.map(|done| done.rows_affected())
                }
                _ => return Err(on_the_other()),
            };
            done.map_err(|error| tx.fail(error))
        })
    }

    fn rows(self, tx: &mut Tx, wanted: Wanted) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move {
            let (sql, values) = self.ready(tx)?;
            let rows = match (values, &mut tx.conn) {
                (Values::Sqlite(values), Conn::Writer(conn)) => {
                    sqlite_rows(sqlx::query_with(sql, values), conn, wanted).await
                }
                (Values::Sqlite(values), Conn::Reader(conn)) => {
                    let sql = conn.statement(sql);
                    sqlite_rows(sqlx::query_with(sql, values), conn.get()?, wanted).await
                }
                (Values::Postgres(values), Conn::Postgres(conn)) => {
                    let query = sqlx::query_with(sql, values);
                    match wanted {
                        Wanted::All => query.fetch_all(conn.get()?).await,
                        Wanted::First => query.fetch_optional(conn.get()?).await.map(Vec::from_iter),
                    }
                    .map(Rows::Postgres)
                }
                _ => return Err(on_the_other()),
            };
            rows.map_err(|error| tx.fail(error))
        })
    }

    /// Every row.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_all<R: Row>(self, tx: &mut Tx) -> Result<Vec<R>, DbError> {
        let rows = self.rows(tx, Wanted::All).await?;
        let read: Result<Vec<R>, sqlx::Error> = match &rows {
            Rows::Sqlite(rows) => rows.iter().map(R::from_row).collect(),
            Rows::Postgres(rows) => rows.iter().map(R::from_row).collect(),
        };
        read.map_err(|error| tx.fail(error))
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_optional<R: Row>(self, tx: &mut Tx) -> Result<Option<R>, DbError> {
        let rows = self.rows(tx, Wanted::First).await?;
        let read: Option<Result<R, sqlx::Error>> = match &rows {
            Rows::Sqlite(rows) => rows.first().map(R::from_row),
            Rows::Postgres(rows) => rows.first().map(R::from_row),
        };
        read.transpose().map_err(|error| tx.fail(error))
    }

    /// The first row.
    ///
    /// # Errors
    /// [`DbError::NoRow`] if there is none; else as [`Query::execute`].
    pub async fn fetch_one<R: Row>(self, tx: &mut Tx) -> Result<R, DbError> {
        self.fetch_optional(tx).await?.ok_or(DbError::NoRow)
    }

    /// The first column of the first row. A COUNT is `i64`; cast a SUM to `BIGINT`.
    ///
    /// # Errors
    /// As [`Query::fetch_one`].
    pub async fn fetch_value<T>(self, tx: &mut Tx) -> Result<T, DbError>
    where
        (T,): Row,
    {
        self.fetch_one::<(T,)>(tx).await.map(|(value,)| value)
    }

    /// The first column of the first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_optional_value<T>(self, tx: &mut Tx) -> Result<Option<T>, DbError>
    where
        (T,): Row,
    {
        Ok(self.fetch_optional::<(T,)>(tx).await?.map(|(value,)| value))
    }

    /// The first column of every row.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_values<T>(self, tx: &mut Tx) -> Result<Vec<T>, DbError>
    where
        (T,): Row,
    {
        Ok(self.fetch_all::<(T,)>(tx).await?.into_iter().map(|(value,)| value).collect())
    }

    fn ready(self, tx: &Tx) -> Result<(SqlStr, Values), DbError> {
        match tx.failure() {
            Some(failure) => Err(failure.clone()),
            None => Ok((self.sql, self.values?)),
        }
    }
}

async fn sqlite_rows(
    query: sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments>,
    conn: &mut SqliteConnection,
    wanted: Wanted,
) -> Result<Rows, sqlx::Error> {
    let rows = match wanted {
        Wanted::All => query.fetch_all(conn).await,
        Wanted::First => query.fetch_optional(conn).await.map(Vec::from_iter),
    };
    rows.map(Rows::Sqlite)
}

fn on_the_other() -> DbError {
    DbError::Corrupt("a query of one database was run on the other".to_owned())
}

/// True if the text mentions `$1` (not `$10`).
fn names_org(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    sql.match_indices("$1").any(|(at, _)| !bytes.get(at + 2).is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::names_org;

    #[test]
    fn the_organization_is_found_in_the_text() {
        for yes in ["WHERE org_id = $1", "($1,$2)", "$12 $1", "org_id=$1 AND x=$10"] {
            assert!(names_org(yes), "{yes}");
        }
        for no in ["SELECT 1", "$2", "$10", "$"] {
            assert!(!names_org(no), "{no}");
        }
    }
}
