//! What follows when two contacts become one (C6), in every service whose rows name contacts: the rows of the contact that went
//! move to the one that stayed, and return when the merge is taken back.
//!
//! ```text
//! contacts                     here, at once                     here, in steps
//! ContactMerged   --apply-->   alias: from -> into   --worker-->  rows move, each remembered under the merge
//! ContactUnmerged --apply-->   no alias              --worker-->  remembered rows return
//! ```
//!
//! | to read about | open |
//! |---|---|
//! | what contacts tells | [`Heard`], [`heard`] |
//! | applying it, once each; the worker that moves rows | [`Follower`] |
//! | which rows, and how they change hands: the service's own | [`Rows`] |
//! | whose a row is that names a contact | [`Home`], [`home_of`]; for whoever writes one [`hold_home`] |
//! | which rows move with a merge because they were written late | [`remember`] |
//!
//! A row that is written under the id of a contact who was merged away belongs to the contact that stayed: whoever writes one asks
//! [`hold_home`] and [`remember`]s it: the end of a merge waits for those who are writing because of it, and so takes back what they
//! wrote. Whoever asked just before the alias came is caught by a second look, [`LATE`] after the first. What a service hears of by the
//! survivor's id alone (a conversation begun from an address that returns with the merge) it has to ask for by the id of who it was.
//!
//! No transaction moves more than [`Rows::at_once`], so a contact with 10,000 rows holds up nobody. Rows are moved by merge, so the order in
//! which moves end does not matter; they return in the order in which merges were taken back, since a later merge has the rows of
//! the earlier one. The events of an organization arrive in their order: contacts sends them under one key.

mod alias;
mod follower;
mod heard;
mod moved;
mod moves;

pub use alias::{Home, hold_home, home_of};
pub use follower::{Follower, LATE, Rows};
pub use heard::{Heard, What, heard};
pub use moved::remember;
pub use moves::anything_returning;

/// The tables `contact_aliases`, `contact_moves` and `moved_rows`. The worker sees the second across tenants.
pub static TABLES: db::MigrationSet =
    db::MigrationSet { name: "merges", steps: &[db::step!("0001_merges")], work_tables: &["contact_moves"] };
