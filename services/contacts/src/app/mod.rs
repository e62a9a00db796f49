//! The use cases, one file each. A transaction begins and ends in one of these functions.
//!
//! | module | use case |
//! |---|---|
//! | `create` | a contact is made |
//! | `deeds` | what is done goes into the audit trail, and to webhooks |
//! | `get` | one contact is read |
//! | `list` | contacts are listed |
//! | `update` | a profile is changed |
//! | `tag` | tags are added and removed, and counted |
//! | `resolve`, `turns` | the owner of an address is found, or made |
//! | `lists`, `members` | lists of contacts are kept, and contacts put on them |
//! | `definitions`, `delete_definition` | attributes are defined, and are no more |
//! | `set_attributes` | a contact's attributes are set and cleared |
//! | `search` | contacts are found |
//! | `activity`, `apply_activity_events`, `forget` | what happened around contacts is kept, listed, and kept no longer |
//! | `block` | contacts are blocked and unblocked |
//! | `panel` | what is known around a contact, also elsewhere |
//! | `settings` | what the organization decides |
//! | `erase`, `run_erasure`, `traces` | a contact is erased here and in all services |
//! | `merge`, `unmerge`, `merges` | two contacts become one, part again, and that is listed |
//! | `survivor` | the id of a contact that was merged away stays good |
//! | `duplicates` | contacts who may be one person are suggested |
//! | `transfer` | contacts come from files and go to files |
//! | `index` | what contacts are found by follows what they are |
//! | `whole` | contacts put together from their tables |

mod activity;
mod apply_activity_events;
mod block;
mod create;
mod deeds;
mod definitions;
mod delete_definition;
mod duplicates;
mod erase;
mod forget;
mod get;
mod index;
mod list;
mod lists;
mod members;
mod merge;
mod merges;
mod panel;
mod resolve;
mod run_erasure;
mod search;
mod set_attributes;
mod settings;
mod survivor;
mod tag;
mod traces;
mod transfer;
mod turns;
mod unmerge;
mod update;
mod whole;

use announce::Announcer;
use db::{Db, Gather};
use kernel::{Clock, OrgId, PageSeal};
use outbox::Outbox;
use runtime::AuditTrail;

use self::turns::Turns;
use crate::NAME;
use crate::domain::AddressKey;

pub use activity::{ActivityPage, ListActivity};
pub use apply_activity_events::Applied;
pub use block::SetBlock;
pub use create::CreateContact;
pub use definitions::{DefineAttribute, DefinitionPage, ListDefinitions, UpdateDefinition};
pub use delete_definition::DeleteDefinition;
pub use duplicates::{DuplicatePage, Duplicates, ListDuplicates};
pub use erase::{EraseContact, ErasurePage, ListErasures};
pub use list::{ContactPage, ListContacts};
pub use lists::{CreateList, ListPage, UpdateList};
pub use members::ListMembers;
pub use merge::{MergeContacts, Pairing, Preview};
pub use merges::{ListMerges, MergePage};
pub use panel::{GetPanel, Panel, Panels};
pub use resolve::{ResolveContact, Resolved};
pub use search::{SearchContacts, SearchPage};
pub use set_attributes::SetAttributes;
pub use settings::UpdateSettings;
pub use tag::{ListTags, TagContact, TagPage};
pub use transfer::{ExportFilter, ExportPlace, ExportStep, Exported, ImportRows, Imported};
pub use unmerge::{Parted, UnmergeContacts};
pub use update::UpdateContact;

/// What the use cases work with.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    clock: Clock,
    seal: PageSeal,
    outbox: Outbox,
    announcer: Announcer,
    /// Contacts by an address.
    owners: Gather<AddressKey, resolve::Owned>,
    /// Whoever is making the owner of an address.
    making: Turns<(OrgId, AddressKey)>,
}

impl App {
    /// The use cases on this database, which has the tables of [`MIGRATIONS`](crate::store::MIGRATIONS).
    pub fn new(db: Db, clock: Clock, seal: PageSeal) -> Self {
        let owners = resolve::owners(db.clone());
        let outbox = Outbox::new();
        let announcer = Announcer::new(outbox.clone());
        Self { db, clock, seal, outbox, announcer, owners, making: Turns::default() }
    }

    /// What this service tells others, for its relay.
    pub(crate) fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// What this service tells webhooks.
    pub(crate) fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    /// What was done in this service, for admins.
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(NAME, self.db.clone(), self.seal.clone())
    }

    /// Seals what the tokens of streams hold.
    pub(crate) fn seal(&self) -> &PageSeal {
        &self.seal
    }

    /// An id for an import or an export.
    pub(crate) fn new_id(&self) -> uuid::Uuid {
        self.clock.new_id()
    }

    /// The time.
    pub(crate) fn now(&self) -> kernel::Timestamp {
        self.clock.now()
    }
}
