//! What open notification streams cost, and how long a mention takes to one: 10,000 streams on a process with all services, which is
//! told 200 notes a second, each with a mention of somebody who listens. Next to it, in the same run, streams of a bare tonic server
//! which only echoes: what transport and loopback take by themselves.
//!
//! `cargo bench -p journeys --bench streams -- 10000`: streams, which is the number unless given. Each needs two open files, one at each
//! end of its share of a connection, and the limit of open files has to allow for that (`ulimit -n`).
//!
//! | file | story |
//! |---|---|
//! | [`server`] | the process under measurement, and what it has in memory |
//! | [`listeners`] | who listens, over how many connections |
//! | [`mentions`] | notes are written, 200 a second, and heard of |
//! | [`reference`] | the same number of streams, and as many frames, of a bare tonic server |
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

mod listeners;
mod mentions;
mod reference;
mod server;

use std::time::Duration;

use crate::server::Server;

/// The bounds.
const KIB_A_STREAM: f64 = 24.0;
const MOST_MS: f64 = 50.0;

fn main() {
    let argument = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    if std::env::args().any(|argument| argument == reference::SERVE) {
        return reference::serve();
    }
    let streams: usize = argument.unwrap_or(10_000);
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let (echo_kib, echo_times) = reference::measure(streams).await;
        tell_memory("bare tonic stream", streams, echo_kib);
        tell_times("bare echo over a stream", &echo_times);

        let server = Server::start().await;
        let before = server.resident_kib();
        let ears = listeners::open(&server, streams).await;
        // What is let go of when a burst of openings is over goes back by then.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let each = (server.resident_kib() - before) / streams as f64;
        tell_memory("Subscribe", streams, each);
        let times = mentions::measure(&server, &ears, streams).await;
        tell_times("CreateNote answered, 200 a second", &times.answered);
        tell_times("CreateNote to the mention on the stream", &times.heard);
        let most = percentile(&times.heard, 0.99);
        println!("bounds: {each:.1} of {KIB_A_STREAM} KiB a stream; p99 {most:.1} of {MOST_MS} ms");
    });
}

fn tell_memory(what: &str, streams: usize, each: f64) {
    println!("{:<44} {each:>8.1} KiB each", format!("{what}, {streams} open"));
}

fn tell_times(what: &str, took: &[Duration]) {
    let (half, most) = (percentile(took, 0.5), percentile(took, 0.99));
    println!("{what:<44} {half:>8.2} ms p50  {most:>8.2} ms p99  ({} times)", took.len());
}

/// In milliseconds.
fn percentile(took: &[Duration], share: f64) -> f64 {
    let mut took = took.to_vec();
    took.sort();
    let place = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
    took.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}
