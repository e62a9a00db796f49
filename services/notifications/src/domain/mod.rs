//! What a feed is and what may happen to its entries. No input or output.
//!
//! | module | story |
//! |---|---|
//! | [`event`] | what a service tells us: [`Event`], every part of it checked |
//! | [`feed`] | which event gets which place in whose feed, and what a reader may have missed |
//! | [`notification`] | one entry, and what its person does with it: read, archive, snooze |
//! | [`filter`] | which entries a list shows |

pub mod event;
pub mod feed;
pub mod filter;
pub mod notification;

pub use event::{Actor, Event, Reason};
pub use feed::{Cursor, Entry, Head, Sequence};
pub use filter::Filter;
pub use notification::{Notification, NotificationType, SnoozeUntil};
