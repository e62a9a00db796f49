//! Agents come and go: each for as long as every other one, so that equals stay equal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proto::routing::v1::Availability;

use super::people::Floor;

/// How often somebody leaves, and somebody else comes back.
const EVERY: Duration = Duration::from_millis(200);

/// One of so many agents is away at any time.
const AWAY: usize = 5;

/// Sends one agent after the other away, until nobody comes and goes any more. What could not be said is said with their next turn.
pub(super) async fn come_and_go(floor: Arc<Floor>, over: Arc<AtomicBool>) {
    let staff = &floor.staff;
    let away = (staff.len() / AWAY).max(1);
    for turn in 0_usize.. {
        tokio::time::sleep(EVERY).await;
        if over.load(Ordering::Relaxed) {
            return;
        }
        if staff.len() > away {
            let _ = floor.say(&staff[turn % staff.len()].agent_id, Availability::Offline).await;
        }
        if let Some(earlier) = turn.checked_sub(away) {
            let _ = floor.say(&staff[earlier % staff.len()].agent_id, Availability::Online).await;
        }
    }
}
