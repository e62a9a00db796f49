//! All of a service's data goes through here: one SQL text for SQLite and PostgreSQL, the organization bound by the
//! transaction, nothing acknowledged before it is durable but bookkeeping that says so.
//!
//! A service opens one [`Db`] with its [`Migrations`], writes in [`Db::write`], reads in [`Db::read`], and keeps its SQL
//! in store functions of one [`Query`] each:
//!
//! ```
//! # use db::{DbError, Query, Tx};
//! # use kernel::{NoteId, Timestamp};
//! #[derive(sqlx_macros::FromRow)]
//! struct Note {
//!     note_id: NoteId,
//!     title: String,
//! }
//!
//! async fn find_note(tx: &mut Tx, id: NoteId) -> Result<Option<Note>, DbError> {
//!     // `$1` is the organization, always.
//!     tx.query("SELECT note_id, title FROM notes WHERE org_id = $1 AND note_id = $2").bind(id).fetch_optional(tx).await
//! }
//! ```
//!
//! | module | story |
//! |---|---|
//! | `database` | [`Db`]: open, write, read, close |
//! | `work` | what a transaction's closure may be, and how it ends: answer, panic, too long |
//! | `tx` | [`Tx`]: whose transaction it is, its time, what follows its commit |
//! | `query` | [`Query`]: one statement, its values, its rows |
//! | `bind` | [`Bind`] and [`Row`]: what both databases can take and give |
//! | `placeholders` | [`rows`] and [`org_rows`]: multi-row VALUES |
//! | `error` | [`DbError`]: what can go wrong, the same on both |
//! | `sqlite` | one writer with group commit, a pool of readers |
//! | `postgres` | a pool whose connections never come back inside a transaction |
//! | `connections` | a pool's connections: at hand between transactions, closed if one is left inside |
//! | `migrate` | [`Migrations`]: tables, roles and row-level security |
//! | `inspect` | [`inspect()`]: what is there, looked at without changing it |
//! | `gather` | [`Gather`]: the questions of many callers in one statement |
//! | `retry` | [`once`]: the same request twice has one effect and one answer |
//! | `test_support` | `both_databases!` (feature `test-support`) |

mod bind;
mod connections;
mod database;
mod error;
mod gather;
mod inspect;
mod job;
mod migrate;
mod opening;
mod placeholders;
mod postgres;
mod query;
mod retry;
mod sqlite;
mod tx;
mod work;

#[cfg(feature = "test-support")]
pub mod test_support;

pub use bind::{Bind, Row};
pub use database::{Db, Target};
pub use error::DbError;
pub use gather::{Gather, Load};
pub use inspect::{Inspection, inspect};
pub use migrate::{MigrationSet, Migrations, Step};
pub use placeholders::{ROWS, org_rows, rows};
pub use query::Query;
pub use retry::{KEPT, RETRY_KEYS, RequestIdReused, Retry, forget_expired, once, once_answering};
pub use tx::{Engine, Tx};

/// A boxed future, what the closures given to [`Db::write`], [`Db::read`] and [`once`] return.
pub use futures::future::BoxFuture;
/// A column of JSON: JSONB on PostgreSQL, TEXT on SQLite.
pub use sqlx::types::Json;
pub use sqlx_macros::{FromRow, Type};

/// What [`read_as!`] names, so that the crates using it need not.
#[doc(hidden)]
pub use sqlx;
