//! Numbers of the right type with which nobody would be served.

use figment::Figment;

use super::{Config, ConfigError, ShutdownConfig};

/// Refuses the first of them.
pub(super) fn check(config: &Config, sources: &Figment) -> Result<(), ConfigError> {
    let Config { limits, connections, telemetry, shutdown, .. } = config;
    let some = [
        ("limits.unary_in_flight", limits.unary_in_flight > 0),
        ("limits.streams", limits.streams > 0),
        ("limits.streams_per_person", limits.streams_per_person > 0),
        ("limits.default_deadline_ms", limits.default_deadline_ms > 0),
        ("limits.longest_deadline_ms", limits.longest_deadline_ms > 0),
        ("connections.open", connections.open > 0),
        ("connections.streams", connections.streams > 0),
        ("connections.handshakes", connections.handshakes > 0),
        ("connections.handshake_ms", connections.handshake_ms > 0),
        ("connections.first_request_ms", connections.first_request_ms > 0),
        ("connections.keep_alive_ms", connections.keep_alive_ms > 0),
        ("connections.stalled_ms", connections.stalled_ms > 0),
        ("database_connections", config.database_connections != Some(0)),
    ];
    let within = [
        // A token alone takes as much.
        ("connections.header_bytes", connections.header_bytes >= 4_096, "must be at least 4096"),
        ("telemetry.sample", (0.0..=1.0).contains(&telemetry.sample), "must be from 0 to 1"),
        (
            "shutdown.balancer_wait_ms",
            shutdown.balancer_wait_ms <= ShutdownConfig::BALANCER_WAIT_MOST_MS,
            "must be at most 5000",
        ),
    ];
    let some = some.map(|(key, holds)| (key, holds, "must be at least 1"));
    match some.into_iter().chain(within).find(|(_, holds, _)| !holds) {
        Some((key, _, reason)) => Err(ConfigError::at(key, sources, reason)),
        None => Ok(()),
    }
}
