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
//! | `update` | [`Field`], [`Mask`]: which fields a change names, and what it leaves |
//! | `attribute` | [`Attribute`], [`Value`]: what is known beyond the profile |
//! | `definition` | [`Definition`]: which attributes there are, and which values they take |
//! | `list` | [`ContactList`]: contacts under a name |
//! | `fold`, `words` | when two texts are the same to somebody who searches, and what a word is |
//! | `entry` | [`entries`]: what a contact is found by |
//! | `search` | [`Search`]: what is asked for |
//! | `viewer` | [`Viewer`]: who may read which contact |

mod address;
mod attribute;
mod contact;
mod definition;
mod email;
mod entry;
mod fold;
mod line;
mod list;
mod phone;
mod profile;
mod search;
mod tag;
mod update;
mod viewer;
mod words;

pub use address::{Address, AddressKey, Channel};
pub use attribute::{Attribute, Date, Key, Link, Number, Value, ValueType};
pub use contact::{Contact, Identity};
pub use definition::{
    AttributeChange, AttributeSteps, Choices, Definition, DefinitionChange, MOST_DEFINITIONS, Misfit,
};
pub use email::Email;
pub use entry::{Entry, SearchField, Tier, entries};
pub use line::Line;
pub use list::{ContactList, ListChange, ListId, ListName, MOST_LISTS};
pub use phone::Phone;
pub use profile::Profile;
pub use search::{Search, Term};
pub use tag::{MOST_TAGS, Tag, TagChange, TagSteps};
pub use update::{AddressChange, Field, Mask, UnknownPath};
pub use viewer::Viewer;
