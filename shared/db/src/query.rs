//! One statement: its text, its values, its rows.

use crate::tx::Conn;
use crate::{Bind, DbError, Engine, Row, Tx};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, SqlSafeStr, SqlStr};

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

/// Runs one sqlx call on whichever connection the transaction has.
macro_rules! on_connection {
    ($query:ident, $tx:ident, $run:ident($call:ident $(, $row:ty)?)) => {{
        let (sql, values) = $query.ready($tx)?;
        let result = match (values, &mut $tx.conn) {
            (Values::Sqlite(values), Conn::Writer(conn)) => $run!($call, sql, values, conn $(, $row)?),
            (Values::Sqlite(values), Conn::Reader(conn)) => $run!($call, sql, values, conn.get()?, $($row)?),
            (Values::Postgres(values), Conn::Postgres(conn)) => $run!($call, sql, values, conn.get()?, $($row)?),
            _ => return Err(DbError::Corrupt("a query of one database was run on the other".to_owned())),
        };
        result.map_err(|error| $tx.fail(error))
    }};
}

macro_rules! statement {
    ($call:ident, $sql:expr, $values:expr, $conn:expr $(,)?) => {
        sqlx::query_with($sql, $values).$call($conn).await.map(|done| done.rows_affected())
    };
}

macro_rules! reading {
    ($call:ident, $sql:expr, $values:expr, $conn:expr, $row:ty) => {
        sqlx::query_as_with::<_, $row, _>($sql, $values).$call($conn).await
    };
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
    pub async fn execute(self, tx: &mut Tx) -> Result<u64, DbError> {
        on_connection!(self, tx, statement(execute))
    }

    /// Every row.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_all<R: Row>(self, tx: &mut Tx) -> Result<Vec<R>, DbError> {
        on_connection!(self, tx, reading(fetch_all, R))
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_optional<R: Row>(self, tx: &mut Tx) -> Result<Option<R>, DbError> {
        on_connection!(self, tx, reading(fetch_optional, R))
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
