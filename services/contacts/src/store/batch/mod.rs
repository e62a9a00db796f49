//! The tables of contacts, for many contacts at once: what an import asks and writes, and what an export reads. A statement for each
//! few hundred rows, none for each row.
//!
//! | module | tables |
//! |---|---|
//! | `contacts` | `contacts`, `identities` |
//! | `belongings` | `contact_tags`, `contact_attributes` |
//! | `found` | `search_entries`, `duplicate_keys`, `duplicate_pairs` |
//! | `lists` | `lists`, `list_members` |

mod belongings;
mod contacts;
mod found;
mod lists;

use db::{DbError, Query, Tx};

pub use belongings::{clear_attributes, insert_tags, remove_tags, set_attributes};
pub use contacts::{
    find_by_external_id, insert_contacts, insert_identities, lock_contacts, remove_identities,
    update_contacts,
};
pub use found::{
    insert_duplicate_keys, insert_entries, list_shared_keys, remove_duplicate_keys, remove_duplicate_pairs,
    remove_entries,
};
pub use lists::{find_lists, insert_members, lists_of, lock_lists, remove_members};

/// Values of one statement: SQLite's time for one grows with the square of them.
const VALUES: usize = 2_000;

/// Does one statement for each so many rows of `columns` values, and counts the rows that were written.
async fn each<T: Sync>(
    tx: &mut Tx,
    all: &[T],
    columns: usize,
    sql: impl Fn(usize) -> String,
    bind: impl Fn(Query, &T) -> Query,
) -> Result<u64, DbError> {
    let mut written = 0;
    for some in all.chunks((VALUES / columns).max(1)) {
        let query = some.iter().fold(tx.query_dynamic(sql(some.len())), &bind);
        written += query.execute(tx).await?;
    }
    Ok(written)
}
