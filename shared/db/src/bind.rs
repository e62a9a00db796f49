//! What both databases can take and give.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, Postgres, Sqlite, Type};

/// A value that can be bound on both databases: ids, [`kernel::Timestamp`], texts, `bool`, `i32`, `i64`, `f64`,
/// `Vec<u8>`, [`Json`](crate::Json) and `Option` of these. Nobody implements it by hand.
///
/// An enum is bound by its text (`status.as_str()`) and read as [`read_as!`](crate::read_as) says.
pub trait Bind<'q>: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

impl<'q, T> Bind<'q> for T where T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

/// A row that can be read from both databases: every `#[derive(db::FromRow)]` of such values, and tuples of them.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// Reads a type of the domain from a column, by its `TryFrom` of what the column holds: `db::read_as!(Status: String);`
#[macro_export]
macro_rules! read_as {
    ($name:ty: $column:ty) => {
        impl<DB: $crate::sqlx::Database> $crate::sqlx::Type<DB> for $name
        where
            $column: $crate::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$column as $crate::sqlx::Type<DB>>::type_info()
            }

            fn compatible(info: &DB::TypeInfo) -> bool {
                <$column as $crate::sqlx::Type<DB>>::compatible(info)
            }
        }

        impl<'r, DB: $crate::sqlx::Database> $crate::sqlx::Decode<'r, DB> for $name
        where
            $column: $crate::sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, $crate::sqlx::error::BoxDynError> {
                let value = <$column as $crate::sqlx::Decode<'r, DB>>::decode(value)?;
                <$name as TryFrom<$column>>::try_from(value).map_err(Into::into)
            }
        }
    };
}
