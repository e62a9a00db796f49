//! Between the contract's types and the domain's. What cannot be a domain value is INVALID_ARGUMENT here; the rules of
//! the contract itself were checked by the codec.

pub mod agent;
pub mod bulk;
pub mod business_hours;
pub mod conversation;
pub mod decision;
pub mod erasure;
pub mod event;
pub mod handoff;
pub mod history;
pub mod inbox;
pub mod inbox_watch;
pub mod message;
pub mod offer;
pub mod presence;
pub mod report;
pub mod settings;
pub mod sharing;
pub mod simulation;
pub mod sla;
pub mod team;
pub mod workflow;

use kernel::{Malformed, Timestamp};
use zones::Zone;

fn time(time: Timestamp) -> Option<prost_types::Timestamp> {
    Some(rpc::convert::proto_time(time))
}

fn maybe_time(time: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    time.map(rpc::convert::proto_time)
}

fn narrow(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A zone by its name; no name is UTC.
fn zone(name: &str) -> Result<Zone, Malformed> {
    if name.is_empty() { Ok(Zone::UTC) } else { Zone::parse(name) }
}
