//! The use cases, one file each. A transaction begins and ends in one of these functions.
//!
//! | module | use case |
//! |---|---|
//! | `create` | a contact is made |
//! | `get` | one contact is read |
//! | `list` | contacts are listed |
//! | `update` | a profile is changed |
//! | `tag` | tags are added and removed, and counted |
//! | `resolve` | the owner of an address is found, or made |
//! | `whole` | contacts put together from their tables |

mod create;
mod get;
mod list;
mod resolve;
mod tag;
mod update;
mod whole;

use db::Db;
use kernel::{Clock, PageSeal};

pub use create::CreateContact;
pub use list::{ContactPage, ListContacts};
pub use resolve::{ResolveContact, Resolved};
pub use tag::{ListTags, TagContact, TagPage};
pub use update::UpdateContact;

/// What the use cases work with.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    clock: Clock,
    seal: PageSeal,
}

impl App {
    /// The use cases on this database, which has the tables of [`MIGRATIONS`](crate::store::MIGRATIONS).
    pub fn new(db: Db, clock: Clock, seal: PageSeal) -> Self {
        Self { db, clock, seal }
    }
}
