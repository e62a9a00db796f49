//! How fast routing gives work to agents, on PostgreSQL: a backlog drained by one team, tenth by tenth, and how long a message takes to
//! its agent at 200 messages a second. Both next to what the database does by itself with the same rows, measured in the same run.
//!
//! `cargo bench -p journeys --bench assign -- 100000`: conversations that wait, which is the size unless given. With `profile` it says as
//! well in which statement the assigner's transactions were. Needs `BACKCHANNEL_TEST_POSTGRES`, as `tests/run servers` prints it.
//!
//! | file | story |
//! |---|---|
//! | [`office`] | a team of ten, and all services in this process |
//! | [`drain`] | a backlog is given to them |
//! | [`profile`] | in which statements the assigner's time goes |
//! | [`arrivals`] | messages come in, and agents are told |
//! | [`reference`] | the same rows by bare statements |
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark stops at what it did not expect and prints, and fills and measures a database beside the services"
)]

mod arrivals;
mod drain;
mod office;
mod profile;
mod reference;

use std::time::Duration;

use crate::office::Office;

/// Conversations in a batch of the assigner, unless it is configured otherwise.
const BATCH: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let backlog = arguments.iter().filter_map(|size| size.parse().ok()).next().unwrap_or(100_000);
    if std::env::var_os("BACKCHANNEL_TEST_POSTGRES").is_none() {
        return println!("not measured: BACKCHANNEL_TEST_POSTGRES is not set");
    }
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let mut office = Office::open().await;
        let before = per_second(&reference::batches(&mut office, BATCH, 20).await, BATCH);
        let marks = drain::drain(&mut office, backlog, arguments.iter().any(|word| word == "profile")).await;
        office.settle().await;
        let after = per_second(&reference::batches(&mut office, BATCH, 20).await, BATCH);
        tell_drain(backlog, &marks, (before + after) / 2.0);

        let alone = middle(reference::batches(&mut office, 1, 200).await);
        let arrived = arrivals::measure(&mut office).await;
        println!("{:<46} {alone:>8.2} ms", "bare statements, one conversation: p50");
        for (what, [half, most]) in arrived {
            println!("{what:<46} {half:>8.2} ms  p99 {most:>8.2} ms  p50 is {:.1} times bare", half / alone);
        }
        office.close().await;
    });
}

/// Prints the rates of a drain: as a whole, and from the first to the last tenth.
fn tell_drain(backlog: usize, marks: &[Duration], bare: f64) {
    let tenth = backlog as f64 / 10.0;
    let spans = marks.iter().zip(std::iter::once(&Duration::ZERO).chain(marks));
    let rates: Vec<f64> = spans.map(|(end, begin)| tenth / (*end - *begin).as_secs_f64()).collect();
    let whole = backlog as f64 / marks[marks.len() - 1].as_secs_f64();
    println!("{:<46} {bare:>8.0} /s", "bare statements, batches of 200");
    println!("{:<46} {whole:>8.0} /s  ratio {:.2}", format!("drain of {backlog}"), whole / bare);
    let tenths: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    let kept = rates[rates.len() - 1] / rates[0];
    println!("{:<46} {}  last to first {kept:.2}", "by tenths, /s", tenths.join(" "));
}

/// Rows a second of batches that took so long.
fn per_second(took: &[Duration], rows: usize) -> f64 {
    (took.len() * rows) as f64 / took.iter().sum::<Duration>().as_secs_f64()
}

/// The median, in milliseconds.
fn middle(mut took: Vec<Duration>) -> f64 {
    took.sort();
    took[took.len() / 2].as_secs_f64() * 1_000.0
}
