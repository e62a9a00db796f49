//! The words every crate of Backchannel speaks: who (organization, subject, role), what (ids), when (time), and pages.
//!
//! Nothing in here does input or output, and nothing of ours is imported. A value that exists is valid: every type is
//! checked once, where it is made, and trusted from then on.
//!
//! | module | story |
//! |---|---|
//! | [`name`] | [`OrgId`] and [`Subject`]: the two texts a token brings |
//! | [`id`] | [`id_type!`] and the ids several services share |
//! | [`time`] | [`Timestamp`]: microseconds in UTC |
//! | [`clock`] | [`Clock`]: where time and new ids come from, and the hand that moves it in tests |
//! | [`page`] | [`PageSize`], [`page::Filling`]: how much a list may return |
//! | [`seal`] | [`PageSeal`]: page and resume tokens nobody can forge or carry elsewhere |
//! | [`role`] | [`Role`]: what a caller is |
//! | [`json`] | JSON from files, in which nothing is said twice |
//! | [`malformed`] | [`Malformed`]: why a text was not a value |

pub mod clock;
pub mod id;
pub mod json;
pub mod malformed;
pub mod name;
pub mod page;
pub mod role;
pub mod seal;
pub mod time;

pub use clock::{Clock, Hand};
pub use id::{
    AgentId, ContactId, ConversationId, DecisionId, EventId, IdentityId, MentionId, MergeId, MessageId,
    NoteId, NotificationId, TeamId, WorkflowId,
};
pub use malformed::Malformed;
pub use name::{OrgId, Subject};
pub use page::PageSize;
pub use role::Role;
pub use seal::PageSeal;
pub use time::Timestamp;

/// What the code made by [`id_type!`] and by the newtypes names, so that the crates using them need not.
#[doc(hidden)]
pub mod macro_support {
    pub use serde;
    pub use sqlx;
    pub use uuid;
}
