//! Whether an agent is there, and for how long that holds (R2).

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::choose::Availability;

/// How long availability holds after a heartbeat.
pub const LEASE: Duration = Duration::from_secs(60);

/// Availability, and what holds it: a pin, or a lease that heartbeats renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// As it was last said.
    pub availability: Availability,
    /// Whether it holds until it is said again.
    pub pinned: bool,
    /// Until when it holds otherwise; `None`: pinned, or offline.
    pub lease_expire_time: Option<Timestamp>,
}

impl Presence {
    /// Nobody is there before they say so.
    pub const ABSENT: Self =
        Self { availability: Availability::Offline, pinned: false, lease_expire_time: None };

    /// What somebody says of an agent at `now`, which is the database's time.
    #[must_use]
    pub fn set(availability: Availability, pinned: bool, now: Timestamp) -> Self {
        let leased = !pinned && availability != Availability::Offline;
        Self { availability, pinned, lease_expire_time: leased.then(|| now.plus(LEASE)) }
    }

    /// After a heartbeat: a pin stays, a lease is renewed, and whoever was offline comes online.
    #[must_use]
    pub fn beat(self, now: Timestamp) -> Self {
        if self.pinned {
            return self;
        }
        let availability = match self.at(now) {
            Availability::Offline => Availability::Online,
            there => there,
        };
        Self::set(availability, false, now)
    }

    /// Availability at a moment: whose lease is over is offline, swept or not.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Availability {
        let holds = self.pinned || self.lease_expire_time.is_some_and(|until| until > now);
        if holds { self.availability } else { Availability::Offline }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Timestamp;

    use super::{LEASE, Presence};
    use crate::domain::choose::Availability::{Away, Offline, Online};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    // R2
    #[test]
    fn a_lease_holds_for_sixty_seconds_and_a_heartbeat_renews_it() {
        let there = Presence::ABSENT.beat(NOW);
        let last = NOW.plus(LEASE).minus(Duration::from_micros(1));
        assert_eq!((there.at(last), there.at(NOW.plus(LEASE))), (Online, Offline));
        assert_eq!(there.beat(last).at(NOW.plus(LEASE)), Online);
    }

    // R2
    #[test]
    fn who_is_away_stays_away_by_heartbeats_and_comes_online_after_the_lease() {
        let away = Presence::set(Away, false, NOW);
        assert_eq!(away.beat(NOW).availability, Away);
        assert_eq!(away.beat(NOW.plus(LEASE)).availability, Online);
    }

    // R2
    #[test]
    fn a_pin_holds_for_ever_and_no_heartbeat_moves_it() {
        let year = NOW.plus(Duration::from_secs(31_536_000));
        assert_eq!(Presence::set(Online, true, NOW).at(year), Online);
        assert_eq!(Presence::set(Offline, true, NOW).beat(year).at(year), Offline);
        assert_eq!(Presence::set(Offline, false, NOW).beat(year).at(year), Online);
    }
}
