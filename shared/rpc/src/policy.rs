//! What the stack is told: whom to trust, how much to take, what to leave open.

use std::time::Duration;

use kernel::Clock;
use proto::Method;
use serde::Deserialize;

use crate::auth::Verifier;

/// How to treat calls. One per process; clones share the verifier.
#[derive(Clone)]
pub struct Policy {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) open: Vec<&'static str>,
    pub(crate) contract: fn(&str) -> Option<&'static Method>,
}

impl Policy {
    /// The policy of a process: health is open, everything else needs a token and a role.
    pub fn new(verifier: Verifier, clock: Clock) -> Self {
        let open = vec![crate::edge::HEALTH];
        Self { verifier, clock, limits: Limits::default(), open, contract: proto::method }
    }

    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets reflection through without a token: for a port that only our own people reach.
    #[must_use]
    pub fn with_reflection(mut self) -> Self {
        self.open.extend(crate::edge::REFLECTION);
        self
    }

    /// Another contract than the generated one: for tests of the stack itself and for tools with contracts of their own.
    #[must_use]
    pub fn with_contract(mut self, contract: fn(&str) -> Option<&'static Method>) -> Self {
        self.contract = contract;
        self
    }
}

/// How much a process takes before it says RESOURCE_EXHAUSTED.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Unary calls at work at once in this process.
    pub unary_in_flight: usize,
    /// Server streams open at once in this process.
    pub streams: usize,
    /// Server streams open at once per contact, agent, supervisor or administrator.
    pub streams_per_person: u32,
    /// Unary calls at work at once per contact, agent, supervisor or administrator; 0 is no limit.
    pub calls_per_person: u32,
    /// Calls per second of one person, after a burst of twice as many; 0 is no limit. Not for integrations and services.
    pub person_per_second: u32,
    /// Calls per second of one organization's people inside, after a burst of twice as many; 0 is no limit. As many
    /// again of its contacts.
    pub org_per_second: u32,
    /// The time of a unary call that names none, in milliseconds.
    pub default_deadline_ms: u64,
    /// The most time that a unary call gets, in milliseconds.
    pub longest_deadline_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unary_in_flight: 256,
            streams: 1_000,
            streams_per_person: 5,
            calls_per_person: 32,
            person_per_second: 20,
            org_per_second: 500,
            default_deadline_ms: 5_000,
            longest_deadline_ms: 30_000,
        }
    }
}

impl Limits {
    pub(crate) fn default_deadline(&self) -> Duration {
        Duration::from_millis(self.default_deadline_ms)
    }

    pub(crate) fn longest_deadline(&self) -> Duration {
        Duration::from_millis(self.longest_deadline_ms)
    }
}
