//! People who share work.

use kernel::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::handle::Handle;

/// Members of a team, at most: every decision names each of them.
pub const MOST_MEMBERS: i64 = 500;

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// The team.
    pub id: TeamId,
    /// Grows by one with every change.
    pub version: i64,
    /// What `@` resolves.
    pub handle: Handle,
    /// What to call it.
    pub display_name: String,
    /// How many members it has.
    pub members: i64,
    /// Conversations that wait for one of them.
    pub queued: i64,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// New values for some fields of a team.
#[derive(Debug, Clone, Default)]
pub struct TeamChange {
    /// What `@` resolves.
    pub handle: Option<Handle>,
    /// What to call it.
    pub display_name: Option<String>,
}
