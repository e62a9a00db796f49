//! How long an organization's questions take with few notes and contacts, and with many: medians through gRPC, and how much longer
//! they take with many. Both organizations are there at once, and are asked in turn, so that what else the machine does is the
//! same for both.
//!
//! `cargo bench -p journeys --bench search -- 10000 1000000`: notes of the small and of the large one, which are the sizes unless given;
//! each has a fifth as many contacts. Names of databases (`sqlite`, `postgres`) measure these only. Filling takes minutes and some
//! gigabytes of a temporary folder.
//!
//! | file | story |
//! |---|---|
//! | [`fill`] | an organization of some size, written in large transactions |
//! | [`questions`] | what is asked |
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

mod fill;
mod questions;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use testkit::{Engine, Suite};

use crate::fill::Office;
use crate::questions::{QUESTIONS, Question};

/// Calls of each question that are measured in each organization, after a few that are not.
const CALLS: usize = 101;
const WARM_UP: usize = 5;
/// How much longer a question may take in the large organization.
const TARGET: f64 = 1.3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = arguments.iter().filter_map(|size| size.parse().ok()).collect();
    let sizes = match sizes[..] {
        [small, large, ..] => [small, large],
        _ => [10_000, 1_000_000],
    };
    let asked_for = |name: &str| {
        let named = |name: &str| arguments.iter().any(|argument| argument == name);
        named(name) || !["sqlite", "postgres"].iter().any(|name| named(name))
    };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        if asked_for("sqlite") {
            measure(Engine::Sqlite, sizes).await;
        }
        match std::env::var_os("BACKCHANNEL_TEST_POSTGRES") {
            _ if !asked_for("postgres") => {}
            Some(_) => measure(Engine::Postgres, sizes).await,
            None => println!("PostgreSQL is not measured: BACKCHANNEL_TEST_POSTGRES is not set"),
        }
    });
}

async fn measure(engine: Engine, [small, large]: [usize; 2]) {
    let few = office(engine, small).await;
    let many = office(engine, large).await;
    println!("\n{engine:?}: medians of {CALLS} calls, milliseconds");
    println!("{:<52} {small:>9} {large:>9}  ratio", "question");
    let mut kinds = BTreeMap::<&str, Times>::new();
    for (name, question) in QUESTIONS {
        let times = Times::of(&few, &many, question).await;
        times.print(name);
        kinds.entry(kind(name)).or_default().add(times);
    }
    println!("all calls of a kind together, as many of each question");
    for (kind, times) in kinds {
        times.print(kind);
    }
    few.suite.stop().await;
    many.suite.stop().await;
}

/// What sort of call a question is.
fn kind(name: &str) -> &'static str {
    let kinds = ["the list", "the timeline", "the panel"];
    let screen = kinds.into_iter().find(|kind| name.contains(kind));
    screen.unwrap_or(if name.starts_with("notes") { "search of notes" } else { "search of contacts" })
}

/// How long calls took in both organizations.
#[derive(Default)]
struct Times {
    few: Vec<Duration>,
    many: Vec<Duration>,
}

impl Times {
    async fn of(few: &Office, many: &Office, question: &Question) -> Self {
        let mut times = Self::default();
        for call in 0..WARM_UP + CALLS {
            for (office, times) in [(few, &mut times.few), (many, &mut times.many)] {
                let begun = Instant::now();
                question(office, call).await;
                if call >= WARM_UP {
                    times.push(begun.elapsed());
                }
            }
        }
        times
    }

    fn add(&mut self, other: Self) {
        self.few.extend(other.few);
        self.many.extend(other.many);
    }

    fn print(&self, name: &str) {
        let (before, after) = (middle(&self.few), middle(&self.many));
        let ratio = after / before;
        let over = if ratio > TARGET { "  over the target" } else { "" };
        println!("{name:<52} {before:>9.2} {after:>9.2}  {ratio:>5.2}{over}");
    }
}

async fn office(engine: Engine, notes: usize) -> Office {
    let units = [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()];
    let unlimited = |config: &mut runtime::Config| {
        config.limits.calls_per_person = 0;
        config.limits.person_per_second = 0;
        config.limits.org_per_second = 0;
    };
    let suite = Suite::of(units).on(engine).configured(unlimited).start().await;
    fill::fill(suite, notes, notes / 5).await
}

/// The median, in milliseconds.
fn middle(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}
