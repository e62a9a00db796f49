//! What a feed is and what may happen to its entries. No input or output.
//!
//! | module | story |
//! |---|---|
//! | [`attempt`] | one attempt to carry a delivery, and what its outcome means |
//! | [`backoff`] | when a delivery that failed is tried again, and how long its destination is left alone |
//! | [`bundle`] | what one email or one push tells of |
//! | [`cause`] | why somebody is, or is not, told something |
//! | [`delivery`] | one thing to be carried outside, and what may become of it |
//! | [`email`] | what an email says, and how it looks |
//! | [`excerpt`] | the beginning of what somebody wrote, for emails |
//! | [`device`] | where a push goes |
//! | [`event`] | what a service tells us: [`Event`], every part of it checked |
//! | [`feed`] | which event gets which place in whose feed, and what a reader may have missed |
//! | [`notification`] | one entry, and what its person does with it: read, archive, snooze |
//! | [`push`] | what a push says, how it travels, and how it is encrypted |
//! | [`plan`] | whether an entry is told by email and by push, when, and with what |
//! | [`recent`] | what a person was told lately: storms, and bundles that are open |
//! | [`preferences`], [`quiet`], [`digest`], [`mute`] | who wants to hear what, how and when |
//! | [`explain`] | all of that in sentences |
//! | [`filter`] | which entries a list shows |
//! | [`settings`] | how long notifications are kept |
//! | [`webhook`] | where an organization wants to be told what happens |
//! | [`webhook_call`] | what an answer to a call means |
//! | [`webhook_secret`] | what calls are signed with |
//! | [`webhook_event`] | what happened, as webhooks are told it |
//! | [`turns`] | how many deliveries each organization and each destination may have under way |

pub mod attempt;
pub mod backoff;
pub mod bundle;
pub mod cause;
pub mod delivery;
pub mod device;
pub mod digest;
pub mod email;
pub mod event;
pub mod excerpt;
pub mod explain;
pub mod feed;
pub mod filter;
pub mod mute;
pub mod notification;
pub mod plan;
pub mod preferences;
pub mod preferences_change;
mod preferences_written;
pub mod push;
pub mod quiet;
pub mod recent;
pub mod settings;
pub mod turns;
pub mod webhook;
pub mod webhook_call;
pub mod webhook_event;
pub mod webhook_secret;

pub use bundle::{Bundle, BundleId, BundleKind};
pub use event::{Actor, Event, Reason};
pub use excerpt::Excerpt;
pub use feed::{Cursor, Entry, Handled, Head, Sequence};
pub use filter::Filter;
pub use notification::{Notification, NotificationType, SnoozeUntil};
