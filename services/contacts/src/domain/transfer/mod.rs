//! Contacts from files: what a row says, and what becomes of it (C10). No input or output.
//!
//! | module | story |
//! |---|---|
//! | `row` | [`Row`]: what a row of a file says, checked |
//! | `said` | [`Said`]: a value of an attribute before its type is known |
//! | `rejection` | [`Rejection`]: why a row is left out; [`Counts`]: what became of them all |
//! | `known` | [`Known`]: the contacts that a batch of rows is about, as they were and as the rows make them |
//! | `matching` | for whom a row stands |
//! | `catalog` | lists and attribute definitions that a file brings |

mod catalog;
mod known;
mod matching;
mod rejection;
mod row;
mod said;
#[cfg(test)]
mod tests;

pub use catalog::{Catalog, Defined};
pub use known::{Held, Known, MOST_ADDRESSES};
pub use rejection::{Counts, Outcome, Rejection, RejectionReason, RowViolation};
pub use row::{ContactRow, DefinitionRow, ListRow, Manner, Mode, Row};
pub use said::Said;
