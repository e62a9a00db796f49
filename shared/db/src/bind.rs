//! What both databases can take and give.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, Postgres, Sqlite, Type};

/// A value that can be bound on both databases: ids, [`kernel::Timestamp`], texts, `bool`, `i32`, `i64`, `f64`,
/// `Vec<u8>`, [`Json`](crate::Json) and `Option` of these. Nobody implements it by hand.
///
/// An enum is bound by its text (`status.as_str()`) and read with `#[sqlx(try_from = "String")]`.
pub trait Bind<'q>: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

impl<'q, T> Bind<'q> for T where T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

/// A row that can be read from both databases: every `#[derive(sqlx::FromRow)]` of such values, and tuples of them.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
