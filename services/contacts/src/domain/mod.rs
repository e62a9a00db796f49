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
//! | `viewer` | [`Viewer`]: who may read which contact |

mod address;
mod contact;
mod email;
mod line;
mod phone;
mod profile;
mod tag;
mod update;
mod viewer;

pub use address::{Address, AddressKey, Channel};
pub use contact::{Contact, Identity};
pub use email::Email;
pub use line::Line;
pub use phone::Phone;
pub use profile::Profile;
pub use tag::{MOST_TAGS, Tag, TagChange, TagSteps};
pub use update::{AddressChange, Field, Mask, UnknownPath};
pub use viewer::Viewer;
