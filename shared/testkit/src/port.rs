use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux takes for the near end of connections: a port out of those may be gone by the time a service that was restarted wants it again.
const FIRST: u16 = 10_240;
const PORTS: u16 = 20_480;

/// A loopback port that nobody listens on and no other call here has named; good for a restart, too.
///
/// # Panics
/// If all of them are taken.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another test program looks elsewhere first.
    let start = std::process::id().wrapping_mul(97);
    let port_at =
        |at: u16| FIRST + u16::try_from((start + u32::from(at)) % u32::from(PORTS)).unwrap_or_default();
    (0..PORTS)
        .map(|_| port_at(NEXT.fetch_add(1, Ordering::Relaxed) % PORTS))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
