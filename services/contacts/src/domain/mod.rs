//! People outside, their addresses and tags: what is valid, what is the same, what a change does. No input or output.
//!
//! | module | story |
//! |---|---|
//! | `line` | [`Line`]: a text of one line, as people write it |
//! | `email` | [`Email`]: as written, compared without regard to case |
//! | `phone` | [`Phone`]: E.164, whatever was written |
//! | `address` | [`Address`]: an address on a channel, and when two of them are the same |
//! | `tag` | [`Tag`], [`TagChange`], [`TagSteps`] |
//! | `profile` | [`Profile`]: what a caller says of a contact |
//! | `contact` | [`Contact`], [`Identity`] |
//! | `block` | [`Block`]: that what a contact writes calls nobody |
//! | `activity`, `actor` | [`Activity`]: what happened around a contact, and who did it |
//! | `panel` | [`Shown`], [`Missing`]: what of a panel is there |
//! | `erasure` | [`Erasure`]: how far the removal of a person from all services is |
//! | `settings` | [`Settings`]: what an organization decides |
//! | `update` | [`Field`], [`Mask`]: which fields a change names, and what it leaves |
//! | `attribute` | [`Attribute`], [`Value`]: what is known beyond the profile |
//! | `definition` | [`Definition`]: which attributes there are, and which values they take |
//! | `list` | [`ContactList`]: contacts under a name |
//! | `fold`, `words` | when two texts are the same to somebody who searches, and what a word is |
//! | `entry` | [`entries`]: what a contact is found by |
//! | `search` | [`Search`]: what is asked for |
//! | [`transfer`] | contacts from files: what a row says, and what becomes of it |
//! | `merge` | [`Union`], [`Snapshot`]: what becomes of two contacts who are one person, and how they part again |
//! | `trace` | [`Held`], [`first_owner`]: what merges leave behind in contacts |
//! | `duplicate` | [`duplicate_keys`]: what makes two contacts look like one person |
//! | `viewer` | [`Viewer`]: who may read which contact |

mod activity;
mod actor;
mod address;
mod attribute;
mod block;
mod contact;
mod definition;
mod duplicate;
mod email;
mod entry;
mod erasure;
mod fold;
mod line;
mod list;
mod merge;
mod panel;
mod phone;
mod profile;
mod search;
mod settings;
mod tag;
mod trace;
pub mod transfer;
mod update;
mod viewer;
mod words;

pub use self::erasure::{ErasingService, Erasure, ErasurePart, ErasureState};
pub use activity::{Activity, ActivityId, Happened};
pub use actor::Actor;
pub use address::{Address, AddressKey, Channel, every_key_of};
pub use attribute::{Attribute, Date, Key, Link, Number, Value, ValueType};
pub use block::Block;
pub use contact::{Contact, Identity};
pub use definition::{
    Asked, AttributeChange, AttributeSteps, Choices, Definition, DefinitionChange, MOST_DEFINITIONS, Misfit,
};
pub use duplicate::{DuplicateKey, DuplicateReason, duplicate_keys};
pub use email::Email;
pub use entry::{Entry, SearchField, Tier, entries};
pub use line::Line;
pub use list::{ContactList, ListChange, ListId, ListName, MOST_LISTS};
pub use merge::{Conflict, Deed, Merge, Side, Single, Snapshot, TooLarge, Union};
pub use panel::{Missing, Shown};
pub use phone::Phone;
pub use profile::Profile;
pub use search::{Search, Term};
pub use settings::{Days, Decided, Settings, SettingsChange};
pub use tag::{MOST_TAGS, Tag, TagChange, TagSteps};
pub use trace::{Held, Trace, first_owner};
pub use update::{AddressChange, Field, Mask, UnknownPath};
pub use viewer::Viewer;
