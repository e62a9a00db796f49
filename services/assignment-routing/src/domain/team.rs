//! People who share work.

use std::time::Duration;

use kernel::{AgentId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::offer::{Mode, Offering};
use super::reply_limit::ReplyLimit;

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
    /// What members get at first after they came online.
    #[serde(default)]
    pub ramp_up: RampUp,
    /// How its queue gives conversations to them.
    #[serde(default)]
    pub offering: Offering,
    /// How long members may leave a waiting customer without a reply; `None`: as long as they want.
    #[serde(default)]
    pub reply_limit: Option<ReplyLimit>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// What members are given in the time after they came online: not all of what waits at once. [`RampUp::default`]: as much as
/// others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RampUp {
    /// How many conversations; 0: as many as others.
    pub limit: i32,
    /// How many seconds that lasts; 0: there is no such time.
    pub seconds: i32,
}

impl RampUp {
    /// Whether somebody who came online then, and was given so many since, gets no more for now.
    #[must_use]
    pub fn holds(self, came_online: Timestamp, given: i64, now: Timestamp) -> bool {
        let period = Duration::from_secs(u64::try_from(self.seconds).unwrap_or_default());
        self.limit > 0 && given >= i64::from(self.limit) && now < came_online.plus(period)
    }
}

/// What a team is made of.
#[derive(Debug, Clone)]
pub struct NewTeam {
    /// What `@` resolves.
    pub handle: Handle,
    /// What to call it.
    pub display_name: String,
    /// What members are given at first.
    pub ramp_up: RampUp,
    /// How its queue gives conversations to them.
    pub offering: Offering,
    /// How long they may leave a waiting customer without a reply.
    pub reply_limit: Option<ReplyLimit>,
    /// Members from the start.
    pub members: Vec<AgentId>,
}

/// New values for some fields of a team.
#[derive(Debug, Clone, Default)]
pub struct TeamChange {
    /// What `@` resolves.
    pub handle: Option<Handle>,
    /// What to call it.
    pub display_name: Option<String>,
    /// How many conversations a member is given at first.
    pub ramp_up_limit: Option<i32>,
    /// How many seconds that lasts.
    pub ramp_up_seconds: Option<i32>,
    /// Whether members are asked first.
    pub mode: Option<Mode>,
    /// How long they have to answer.
    pub offer_timeout: Option<Duration>,
    /// How long members may leave a waiting customer without a reply; `None` inside: as long as they want.
    pub reply_limit: Option<Option<ReplyLimit>>,
}
