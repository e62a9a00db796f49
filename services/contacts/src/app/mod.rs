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
//! | `lists`, `members` | lists of contacts are kept, and contacts put on them |
//! | `definitions`, `delete_definition` | attributes are defined, and are no more |
//! | `set_attributes` | a contact's attributes are set and cleared |
//! | `search` | contacts are found |
//! | `index` | what contacts are found by follows what they are |
//! | `whole` | contacts put together from their tables |

mod create;
mod definitions;
mod delete_definition;
mod get;
mod index;
mod list;
mod lists;
mod members;
mod resolve;
mod search;
mod set_attributes;
mod tag;
mod update;
mod whole;

use db::Db;
use kernel::{Clock, PageSeal};
use runtime::AuditTrail;

use crate::NAME;

pub use create::CreateContact;
pub use definitions::{DefineAttribute, DefinitionPage, ListDefinitions, UpdateDefinition};
pub use delete_definition::DeleteDefinition;
pub use list::{ContactPage, ListContacts};
pub use lists::{CreateList, ListPage, UpdateList};
pub use members::ListMembers;
pub use resolve::{ResolveContact, Resolved};
pub use search::{SearchContacts, SearchPage};
pub use set_attributes::SetAttributes;
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

    /// What was done in this service, for admins.
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(NAME, self.db.clone(), self.seal.clone())
    }
}
