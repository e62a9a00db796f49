//! The audit trail of a service (P10): who did what, when, on which object, from which request. Never content.
//!
//! ```text
//! transaction of the effect        sealer (one at a time per service)       admins
//! effect + record  --> audit_queue --> next sequence, hash --> audit_events --> list, verify
//!                                       \__ audit_heads __/
//! ```
//!
//! | to read about | open |
//! |---|---|
//! | from whom and from which request an effect comes | [`Origin`] |
//! | what was done on which object | [`Event`] |
//! | recording, in the transaction of the effect: one INSERT | [`record`] |
//! | how records are chained | `chain` |
//! | who chains them, and when | [`Sealer`] |
//! | reading: by actor, object, action, time | [`Filter`], [`list`] |
//! | proving that nothing was changed since | [`Walk`] |
//! | the tables, part of every service's own migrations | [`TABLES`] |
//!
//! An effect and its record are in one transaction: both are there or neither. A writer takes no lock for it, waits for
//! nobody and writes one small row with one index. Within about a second the sealer moves the row to its place in the
//! organization's chain: it gets the next sequence number and the SHA-256 over the hash before and its own bytes. One
//! transaction moves a batch, so a crash leaves every record either queued or sealed, and sealed once. The order of a chain is the
//! order of sealing; the order of a list is that of the events' ids, which carry the time.
//!
//! Nothing is forgotten yet: there is no retention of audit records.
//!
//! # What it proves, and what it does not
//!
//! Who can write to the database but not replace what was kept elsewhere:
//!
//! - **cannot** alter, remove or put in a sealed record so that [`Walk`] does not see it, unless they compute the chain
//!   anew from there on and set the head to its new end. That the hashes are not secret makes this possible; a head kept
//!   elsewhere makes it show. So export the head regularly (every answer of VerifyAuditTrail carries it) and
//!   give it back later as the known head: then everything up to it is proven.
//! - **can** do what they like with records that no kept head covers yet: the last ones by a new head, and those in the queue,
//!   for about a second, without a trace. Keep heads as often as that matters.
//! - **can** forge a record: a row put into the queue is sealed like any other. The trail proves that what was written stays,
//!   not that the program wrote it.
//! - **can** stop the sealing, which shows as a growing number of records that are not sealed, and stop the recording together with the
//!   effects, as both are one transaction.
//!
//! Whoever runs the program can write what they like. The trail does not protect from them.

mod chain;
mod event;
mod list;
mod origin;
mod record;
mod row;
mod seal;
mod verify;

pub use chain::{Hash, Head};
pub use event::Event;
pub use list::{Filter, list};
pub use origin::Origin;
pub use record::record;
pub use row::Record;
pub use seal::Sealer;
pub use verify::{Defect, Finding, Walk, count_unsealed};

/// The tables `audit_queue`, `audit_events` and `audit_heads`. The sealer sees them across tenants.
pub static TABLES: db::MigrationSet = db::MigrationSet {
    name: "audit",
    steps: &[db::step!("0001_audit")],
    work_tables: &["audit_queue", "audit_events", "audit_heads"],
};
