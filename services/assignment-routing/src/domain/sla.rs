//! Targets: how soon customers are to be answered and helped, and how a conversation stands against that (R17).
//!
//! | part | story |
//! |---|---|
//! | this file | policies, and the clocks of a conversation as they are stored |
//! | [`clock`] | what a clock waits for, and how it runs |
//! | [`policies`] | which policy a conversation is under, and how its clocks follow what becomes of it |
//! | [`news`], [`breach`] | what is told of clocks, once each, and what is remembered of it |

pub mod breach;
pub mod clock;
pub mod news;
pub mod policies;

use std::time::Duration;

use kernel::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};

kernel::id_type! {
    /// A policy: targets for conversations that fit a condition.
    SlaPolicyId,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Metric {
    /// From the customer's first message to the first answer.
    FirstResponse,
    /// From the first unanswered of later messages to the answer.
    NextResponse,
    /// From the beginning, or from being opened again, until it is resolved.
    Resolution,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstResponse, Self::NextResponse, Self::Resolution];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstResponse => "FIRST_RESPONSE",
            Self::NextResponse => "NEXT_RESPONSE",
            Self::Resolution => "RESOLUTION",
        }
    }

    /// Reads what [`Metric::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == text)
    }
}

/// Targets, in business time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// For the first answer.
    pub first_response: Option<Duration>,
    /// For each later answer.
    pub next_response: Option<Duration>,
    /// For the resolution.
    pub resolution: Option<Duration>,
}

impl Targets {
    /// The target of a metric.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Option<Duration> {
        match metric {
            Metric::FirstResponse => self.first_response,
            Metric::NextResponse => self.next_response,
            Metric::Resolution => self.resolution,
        }
    }
}

/// Targets for conversations that fit a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaPolicy {
    /// The policy.
    pub id: SlaPolicyId,
    /// Grows by one with every change.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// Policies are tried by ascending position, then by age.
    pub position: i32,
    /// Whether it is skipped.
    pub disabled: bool,
    /// CEL; empty: always.
    pub condition: String,
    /// What is to be done by when.
    pub targets: Targets,
    /// How much of a target is gone when people are warned; 100: nobody is.
    pub warn_percent: u32,
    /// Whose business hours count; none: those of the conversation's team.
    pub hours_of: Option<TeamId>,
    /// When it was made. No time before that is counted.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl SlaPolicy {
    /// Its name and id.
    fn under(&self) -> Under {
        Under { id: self.id, name: self.name.clone() }
    }

    /// What of a target is gone when people are warned; none: nobody is.
    fn warning(&self, target: Duration) -> Option<Duration> {
        (self.warn_percent < 100).then(|| target * self.warn_percent / 100)
    }
}

/// The policy that a conversation is under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    /// The policy.
    pub id: SlaPolicyId,
    /// What it is called.
    pub name: String,
}

/// What a conversation is held against, and how it stands: the latest clock of each metric, and earlier ones of which something is
/// still to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// The policy; none: it is under none any more.
    #[serde(default)]
    pub under: Option<Under>,
    /// The clocks, the latest of a metric behind the others.
    #[serde(default)]
    pub clocks: Vec<Clock>,
}

/// How a clock ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub time: Timestamp,
    /// Whether what it waited for happened; otherwise nobody waited for it any more.
    pub done: bool,
}

/// What was told of a clock: each once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldOf {
    /// That it is about to be missed.
    #[serde(default)]
    pub warning: bool,
    /// That it was missed.
    #[serde(default)]
    pub breach: bool,
    /// That it ended, after it was missed.
    #[serde(default)]
    pub end: bool,
}

/// How a conversation stands against one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What is measured.
    pub metric: Metric,
    /// When that began.
    pub start: Timestamp,
    /// The target, in business time.
    pub target: Duration,
    /// The policy that says so.
    pub under: Under,
    /// What of it was gone before it last began to run.
    #[serde(default)]
    pub spent: Duration,
    /// From when on it runs, or ran at its end; none: it stands still, or did.
    #[serde(default)]
    pub runs_from: Option<Timestamp>,
    /// When people are warned.
    #[serde(default)]
    pub warn: Option<Timestamp>,
    /// When the target is missed; none: it stands still, or no business hours come.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// When it was missed.
    #[serde(default)]
    pub missed: Option<Timestamp>,
    /// When it ended, and how.
    #[serde(default)]
    pub end: Option<End>,
    /// What was told of it.
    #[serde(default)]
    pub told: ToldOf,
}

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is time.
    Pending,
    /// The time of its warning has come.
    Warned,
    /// The target was missed.
    Breached,
    /// It ended in time.
    Met,
    /// It stands still.
    Paused,
    /// Nobody waits for it any more, and it was not missed.
    Cancelled,
}

impl Clock {
    /// How it stands at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        let over = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
        match self.end {
            _ if self.missed.is_some() => State::Breached,
            Some(End { done: true, .. }) => State::Met,
            Some(End { done: false, .. }) => State::Cancelled,
            None if self.runs_from.is_none() => State::Paused,
            None if over(self.due) => State::Breached,
            None if over(self.warn) => State::Warned,
            None => State::Pending,
        }
    }

    /// What of the target is left where it stands still.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let still = self.end.is_none() && self.runs_from.is_none();
        still.then(|| self.target.saturating_sub(self.spent))
    }
}

impl Tracking {
    /// The latest clock of a metric.
    #[must_use]
    pub fn clock(&self, metric: Metric) -> Option<&Clock> {
        self.clocks.iter().rfind(|clock| clock.metric == metric)
    }

    fn clock_mut(&mut self, metric: Metric) -> Option<&mut Clock> {
        self.clocks.iter_mut().rfind(|clock| clock.metric == metric)
    }

    /// Forgets clocks that are not the latest of their metric, once all is told of them.
    fn tidy(&mut self) {
        let latest: Vec<(Metric, Timestamp)> =
            Metric::ALL.into_iter().filter_map(|metric| Some((metric, self.clock(metric)?.start))).collect();
        self.clocks.retain(|it| latest.contains(&(it.metric, it.start)) || it.next_look().is_some());
    }
}

#[cfg(test)]
mod tests;
