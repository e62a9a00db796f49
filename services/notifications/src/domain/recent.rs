//! What a person was told lately: how storms are noticed, and which bundles are still open for more.

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::bundle::{BundleId, BundleKind};
use super::delivery::DeliveryId;

const MINUTE: u64 = 60;

/// So many entries in this time are a storm.
const WINDOW: Duration = Duration::from_secs(10 * MINUTE);

/// How much comes one by one, and how the rest is gathered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Entries told one by one in the window.
    singly: usize,
    /// How long the first, the second, every later bundle of a storm gathers.
    steps: &'static [Duration],
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * MINUTE)
}

/// Emails: the longer a storm lasts, the rarer they get.
pub(super) const EMAIL: Pace = Pace { singly: 5, steps: &[minutes(5), minutes(15), minutes(60)] };
/// Emails that cannot wait.
pub(super) const URGENT_EMAIL: Pace = Pace { singly: 5, steps: &[minutes(5)] };
/// Pushes: each replaces the one before on the device.
pub(super) const PUSH: Pace = Pace { singly: 10, steps: &[minutes(1), minutes(5), minutes(15)] };
/// Pushes that cannot wait.
pub(super) const URGENT_PUSH: Pace = Pace { singly: 10, steps: &[minutes(1)] };

/// A bundle that more entries may join until it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The bundle.
    pub bundle_id: BundleId,
    /// When it is sent.
    pub due: Timestamp,
    /// What carries it.
    pub deliveries: Vec<DeliveryId>,
}

/// What was told lately in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Track {
    /// When the latest entries came, at most as many as may come one by one; the oldest first.
    times: Vec<Timestamp>,
    /// How many bundles the storm has had that goes on.
    step: usize,
    /// What gathers the entries of a storm.
    storm: Option<Open>,
    /// What gathers what comes while the person wants quiet.
    quiet: Option<Open>,
}

/// What one person was told lately. Kept between plans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    pub(super) email: Track,
    pub(super) urgent_email: Track,
    pub(super) push: Track,
    pub(super) urgent_push: Track,
    /// What gathers emails for the person's digest.
    pub(super) digest: Option<Open>,
}

impl Recent {
    /// Deliveries of bundles that may be open: who plans checks that none of them is under way, and closes the others.
    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        let tracks = [&self.email, &self.urgent_email, &self.push, &self.urgent_push];
        let open = tracks.into_iter().flat_map(|track| [&track.storm, &track.quiet]).chain([&self.digest]);
        open.flatten().flat_map(|open| open.deliveries.iter().copied())
    }

    /// Closes every bundle of which a delivery is not `open` any more, or whose time has come.
    pub fn close(&mut self, now: Timestamp, open: impl Fn(DeliveryId) -> bool) {
        let stays = |it: &Open| it.due > now && it.deliveries.iter().all(|id| open(*id));
        let tracks = [&mut self.email, &mut self.urgent_email, &mut self.push, &mut self.urgent_push];
        for track in tracks {
            track.storm.take_if(|it| !stays(it));
            track.quiet.take_if(|it| !stays(it));
        }
        self.digest.take_if(|it| !stays(it));
    }
}

/// Where an entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Told by itself.
    Single(Timestamp),
    /// Gathered, as much came in a short time.
    Storm(Timestamp),
    /// Gathered until the quiet ends.
    Quiet(Timestamp),
}

impl Track {
    /// Where an entry goes that is due now or a little later. `quiet_end` says when the quiet ends in which a moment lies.
    pub(super) fn place(
        &mut self,
        pace: Pace,
        now: Timestamp,
        due: Timestamp,
        quiet_end: impl Fn(Timestamp) -> Option<Timestamp>,
    ) -> Place {
        if let Some(end) = quiet_end(due) {
            return Place::Quiet(end);
        }
        if !self.comes_too_fast(pace, now) {
            self.step = 0;
            return Place::Single(due);
        }
        if let Some(storm) = self.storm.as_ref().filter(|storm| storm.due > now) {
            return Place::Storm(storm.due);
        }
        let last = pace.steps.len().saturating_sub(1);
        let due = now.plus(pace.steps.get(self.step.min(last)).copied().unwrap_or_default());
        self.step = self.step.saturating_add(1).min(pace.steps.len());
        quiet_end(due).map_or(Place::Storm(due), Place::Quiet)
    }

    /// Notes that an entry came; whether those before it came so fast that it is gathered.
    fn comes_too_fast(&mut self, pace: Pace, now: Timestamp) -> bool {
        let storm = self.times.len() >= pace.singly
            && self.times.first().is_some_and(|first| now.since(*first) < WINDOW);
        self.times.push(now);
        let surplus = self.times.len().saturating_sub(pace.singly);
        self.times.drain(..surplus);
        storm
    }

    /// The slot in which a bundle of this kind of place is open.
    pub(super) fn slot(&mut self, place: Place) -> Option<&mut Option<Open>> {
        match place {
            Place::Single(_) => None,
            Place::Storm(_) => Some(&mut self.storm),
            Place::Quiet(_) => Some(&mut self.quiet),
        }
    }
}

impl Place {
    pub(super) const fn due(self) -> Timestamp {
        match self {
            Self::Single(due) | Self::Storm(due) | Self::Quiet(due) => due,
        }
    }

    pub(super) const fn kind(self) -> BundleKind {
        match self {
            Self::Single(_) => BundleKind::Single,
            Self::Storm(_) | Self::Quiet(_) => BundleKind::Gathered,
        }
    }
}
