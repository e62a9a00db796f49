//! What can go wrong, named the same on both databases.

use crate::postgres::Uniques;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use sqlx::sqlite::SqliteError;

/// Why a statement or a transaction did not happen.
///
/// Texts in here never hold values of rows: they may be logged. After any of these inside a transaction the
/// transaction can only be rolled back, on both databases; a closure that answers `Ok` regardless is answered with
/// the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The database cannot be reached or cannot write now; whether a commit under way took effect is not known.
    /// Repeating the call, with the same request id, is safe.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The disk is full. Reads go on.
    #[error("the database is full")]
    Full,
    /// Another transaction is in the way (lock, deadlock, serialization). Nothing happened; try again.
    #[error("another transaction is in the way")]
    Busy,
    /// A statement or the whole transaction took longer than it may. Nothing happened.
    #[error("the transaction took too long")]
    Timeout,
    /// A row with this key exists.
    #[error("a row of {table} with the same {columns:?} exists")]
    Unique {
        /// The table.
        table: String,
        /// The columns of the violated key; empty on SQLite for an index over an expression.
        columns: Vec<String>,
        /// The index, where the database names it: always on PostgreSQL, on SQLite for an index over an expression.
        index: Option<String>,
    },
    /// A CHECK of the schema does not hold. Name checks in migrations, then `constraint` is that name on both.
    #[error("the check {constraint} does not hold")]
    Check {
        /// The name of the constraint (the expression, if it has none and this is SQLite).
        constraint: String,
    },
    /// A row that is referred to is missing, or one that is removed is still referred to.
    #[error("a reference between rows does not hold")]
    ForeignKey,
    /// A column that must have a value has none.
    #[error("a column that must have a value has none")]
    NotNull,
    /// `fetch_one` or `fetch_value` found no row.
    #[error("the statement gave no row")]
    NoRow,
    /// The statement does not mention `$1`, the organization, in a tenant's transaction.
    #[error("a statement in a tenant's transaction does not name $1, the organization")]
    WithoutOrg,
    /// The transaction's work panicked and was rolled back.
    #[error("the transaction's work panicked")]
    Panicked,
    /// The database is being closed.
    #[error("the database is closed")]
    Closed,
    /// The stored data or the statement is not what the program expects: a fault to be fixed, not retried.
    #[error("unexpected: {0}")]
    Corrupt(String),
    /// The database cannot be opened until a person sees to it. The text names the file or the server, and says what to
    /// do; only [`Db::open`](crate::Db::open) gives it.
    #[error("{0}")]
    Unusable(String),
    /// The tables cannot be brought to the form the program needs.
    #[error("migration: {0}")]
    Migration(String),
}

impl DbError {
    /// True when a unique key of `table` is violated.
    pub fn violates_unique(&self, table: &str) -> bool {
        matches!(self, Self::Unique { table: t, .. } if t == table)
    }

    /// True when the violated unique key of `table` includes `part`: a column, or, for an index over an expression,
    /// the index's name.
    pub fn violates_unique_on(&self, table: &str, part: &str) -> bool {
        match self {
            Self::Unique { table: t, columns, index } => {
                t == table && (columns.iter().any(|c| c == part) || index.as_deref() == Some(part))
            }
            _ => false,
        }
    }

    /// True when the named CHECK does not hold.
    pub fn violates_check(&self, name: &str) -> bool {
        matches!(self, Self::Check { constraint } if constraint == name)
    }

    /// True when the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full | Self::Busy | Self::Timeout | Self::Closed)
    }

    /// Reads an error of either driver. `uniques` knows the columns of PostgreSQL's unique indexes, because
    /// PostgreSQL itself keeps them from a role under row-level security.
    pub(crate) fn read(error: sqlx::Error, uniques: &Uniques) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
                Some(postgres) => read_postgres(postgres, uniques),
                None => read_sqlite(&*error),
            },
            E::RowNotFound => Self::NoRow,
            E::PoolClosed => Self::Closed,
            E::PoolTimedOut => Self::Unavailable("no connection within the time allowed".to_owned()),
            E::Io(error) => Self::Unavailable(error.kind().to_string()),
            E::Tls(_) => Self::Unavailable("TLS".to_owned()),
            E::WorkerCrashed => Self::Unavailable("the connection's thread ended".to_owned()),
            E::Protocol(_) => Self::Unavailable("the connection broke".to_owned()),
            // What could not be decoded is content, so only the place is told.
            E::ColumnDecode { index, .. } => {
                Self::Corrupt(format!("column {index} cannot be read as its type"))
            }
            E::ColumnNotFound(name) => Self::Corrupt(format!("no column {name} in the row")),
            E::Encode(_) => Self::Corrupt("a value cannot be bound".to_owned()),
            E::Configuration(_) => Self::Corrupt("the database address cannot be read".to_owned()),
            _ => Self::Corrupt("the database driver failed".to_owned()),
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self::read(error, &Uniques::default())
    }
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
fn read_postgres(error: &PgDatabaseError, uniques: &Uniques) -> DbError {
    let constraint = || error.constraint().unwrap_or_default().to_owned();
    match error.code() {
        "23505" => DbError::Unique {
            table: error.table().unwrap_or_default().to_owned(),
            columns: uniques.columns(error.constraint().unwrap_or_default()),
            index: error.constraint().map(str::to_owned),
        },
        "23514" => DbError::Check { constraint: constraint() },
        "23503" => DbError::ForeignKey,
        "23502" => DbError::NotNull,
        // Serialization failure, deadlock, lock timeout.
        "40001" | "40P01" | "55P03" => DbError::Busy,
        // Statement timeout, idle in transaction, transaction timeout.
        "57014" | "25P03" | "25P04" => DbError::Timeout,
        "53100" => DbError::Full,
        // The connection is over or was never made, by no fault of a statement: a password that was changed, a database that is being
        // moved, a pooler without room.
        code if matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic) => {
            DbError::Unavailable(format!("SQLSTATE {code}: {}", error.message()))
        }
        "42501" => DbError::Corrupt(format!("refused by the database: {}", error.message())),
        // 08 connection, 53 resources, 57P server going down, 58 system, 25006 a standby.
        code if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) || code == "25006" => {
            DbError::Unavailable(format!("SQLSTATE {code}"))
        }
        // Class 42 is about the statement's text, which is ours; other messages may quote values.
        code if code.starts_with("42") => DbError::Corrupt(format!("SQLSTATE {code}: {}", error.message())),
        code => DbError::Corrupt(format!("SQLSTATE {code}")),
    }
}

/// <https://www.sqlite.org/rescode.html>
fn read_sqlite(error: &dyn DatabaseError) -> DbError {
    let named = |prefix: &str| error.message().strip_prefix(prefix).unwrap_or_default().to_owned();
    match error.kind() {
        ErrorKind::UniqueViolation => return sqlite_unique(&named("UNIQUE constraint failed: ")),
        ErrorKind::CheckViolation => {
            return DbError::Check { constraint: named("CHECK constraint failed: ") };
        }
        ErrorKind::ForeignKeyViolation => return DbError::ForeignKey,
        ErrorKind::NotNullViolation => return DbError::NotNull,
        _ => {}
    }
    if error.try_downcast_ref::<SqliteError>().is_none() {
        return DbError::Corrupt("the database driver failed".to_owned());
    }
    let extended: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match extended & 0xff {
        5 | 6 => DbError::Busy,
        9 => DbError::Timeout,
        13 => DbError::Full,
        // Out of memory, read-only, input/output, cannot open.
        7 | 8 | 10 | 14 => DbError::Unavailable(format!("SQLite code {extended}")),
        // A trigger of ours raised it (SQLITE_CONSTRAINT_TRIGGER): the message is the name it gives to what does not hold.
        19 if extended == 1811 => DbError::Check { constraint: error.message().to_owned() },
        // 1 is about the statement's text, which is ours; other messages may quote values.
        1 => DbError::Corrupt(error.message().to_owned()),
        _ => DbError::Corrupt(format!("SQLite code {extended}")),
    }
}

/// Reads `t.a, t.b` or `index 'name'`.
fn sqlite_unique(of: &str) -> DbError {
    if let Some(index) = of.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        // By convention an index is named after its table: `agents_by_username` or `agents_username_key`.
        let table = index.split('_').next().unwrap_or_default().to_owned();
        return DbError::Unique { table, columns: Vec::new(), index: Some(index.to_owned()) };
    }
    let (tables, columns): (Vec<_>, Vec<_>) =
        of.split(", ").filter_map(|c| c.split_once('.')).map(|(t, c)| (t.to_owned(), c.to_owned())).unzip();
    DbError::Unique { table: tables.into_iter().next().unwrap_or_default(), columns, index: None }
}

#[cfg(test)]
mod tests {
    use super::{DbError, sqlite_unique};

    #[test]
    fn sqlites_text_tells_table_and_columns() {
        let error = sqlite_unique("agents.org_id, agents.username");
        assert!(error.violates_unique("agents") && error.violates_unique_on("agents", "username"));
        assert!(!error.violates_unique_on("agents", "subject") && !error.violates_unique("teams"));
        assert!(sqlite_unique("index 'agents_by_name'").violates_unique_on("agents", "agents_by_name"));
        assert!(!DbError::Busy.violates_unique("agents"));
    }
}
