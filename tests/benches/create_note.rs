//! `CreateNote` through gRPC against its limits, measured in the same run: on SQLite the raw group commit of the very
//! same write, on PostgreSQL pgbench with the very same statements.
//!
//! `cargo bench -p journeys --bench create_note`; with `BACKCHANNEL_TEST_POSTGRES` set (as `tests/run servers` prints it)
//! also PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

use std::future::Future;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use audit::Origin;
use db::{Db, Retry, Target};
use kernel::{Clock, OrgId, Role, Subject};
use notes::app::create_note::{Draft, NewNote, record};
use notes::domain::{Author, Body, Directory, Place};
use proto::notes::v1::CreateNoteRequest;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::routing::v1 as routing;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use testkit::{Engine, Suite};

const CALLERS: usize = 64;
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(1);
const SPAN: Duration = Duration::from_secs(4);
const ORG: &str = "bench";
const BODY: &str = "The customer asks for a refund of the second parcel, which arrived damaged; photos are attached. \
                    We promised an answer by Thursday. Please look at the carrier's report before we pay.";

fn main() {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let on = suite(Engine::Sqlite).await;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((raw_group_commit().await, through_grpc(&on).await));
        }
        print("SQLite", "group commit of the same write", &rounds);
        drop(on);
        if std::env::var_os("BACKCHANNEL_TEST_POSTGRES").is_none() {
            println!("PostgreSQL  not measured: BACKCHANNEL_TEST_POSTGRES is not set");
            return;
        }
        let on = suite(Engine::Postgres).await;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((pgbench(&on.database_url().unwrap()), through_grpc(&on).await));
        }
        print("PostgreSQL", "pgbench, the same statements", &rounds);
    });
}

/// Prints the round whose ratio is the median, and between what the ratios were: a disk is not equally fast all the time,
/// so that the two of a round are measured one after the other.
fn print(database: &str, limit: &str, rounds: &[(f64, f64)]) {
    let mut rounds: Vec<(f64, f64, f64)> =
        rounds.iter().map(|(limit, rpc)| (rpc / limit, *limit, *rpc)).collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, raw, rpc) = rounds[rounds.len() / 2];
    let (least, most) = (rounds[0].0, rounds[rounds.len() - 1].0);
    println!("{database:<11} {limit:<30} {raw:>8.0} /s");
    println!(
        "{database:<11} {:<30} {rpc:>8.0} /s   ratio {ratio:.2} ({least:.2} to {most:.2} in {} rounds)",
        "CreateNote through gRPC",
        rounds.len()
    );
}

async fn suite(engine: Engine) -> Suite {
    let units = [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()];
    let unlimited = |config: &mut runtime::Config| {
        config.limits.calls_per_person = 0;
        config.limits.person_per_second = 0;
        config.limits.org_per_second = 0;
        config.database_connections = Some(20);
    };
    Suite::of(units).on(engine).configured(unlimited).start().await
}

/// Notes a second through the API, each on one of many conversations.
async fn through_grpc(suite: &Suite) -> f64 {
    let mut conversations = Vec::new();
    let mut channel = ConversationServiceClient::new(suite.client(ORG, "adapter", Role::Integration));
    for number in 0..CALLERS {
        let request = routing::RecordMessageRequest {
            channel: "chat".into(),
            external_id: format!("m-{number}"),
            direction: routing::Direction::Inbound.into(),
            conversation_external_id: format!("c-{number}"),
            contact_address: format!("p-{number}"),
            text: "hello".into(),
            ..Default::default()
        };
        let recorded = channel.record_message(request).await.unwrap().into_inner();
        conversations.push(recorded.conversation.unwrap().conversation_id);
    }
    let clock = Clock::system();
    let connections: Vec<_> =
        (0..4).map(|_| NoteServiceClient::new(suite.client(ORG, "ana", Role::Agent))).collect();
    per_second(move |caller| {
        let mut notes = connections[caller % connections.len()].clone();
        let request = CreateNoteRequest {
            conversation_id: conversations[caller].clone(),
            body: BODY.into(),
            request_id: clock.new_id().to_string(),
            ..CreateNoteRequest::default()
        };
        async move {
            notes.create_note(request).await.unwrap();
        }
    })
    .await
}

/// Notes a second by the same transaction, without gRPC and without the question to routing.
async fn raw_group_commit() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let target = Target::sqlite(folder.path().join("notes.db"));
    let db = Db::open(target, &notes::MIGRATIONS, clock.clone()).await.unwrap();
    let outbox = outbox::Outbox::new();
    let org = OrgId::parse(ORG).unwrap();
    let rate = per_second({
        let db = db.clone();
        move |_| {
            let (db, outbox, org, clock) = (db.clone(), outbox.clone(), org.clone(), clock.clone());
            async move {
                let subject = Subject::parse("ana").unwrap();
                let new = NewNote {
                    place: Place::Conversation {
                        conversation_id: clock.new_id().into(),
                        contact_id: clock.new_id().into(),
                    },
                    reply: None,
                    origin: Origin::new(&subject, Role::Agent, "CreateNote"),
                    author: Author {
                        subject: subject.clone(),
                        role: Role::Agent,
                        display_name: "ana".into(),
                    },
                    body: Body::parse(BODY.into()).unwrap(),
                    handles: vec![],
                    handoff: None,
                };
                let retry = Retry {
                    caller: subject,
                    method: "CreateNote",
                    request_id: Some(clock.new_id()),
                    digest: [7; 32],
                };
                let draft = Draft::new(&clock, new, &Directory::default());
                record(&db, &outbox, &org, retry, draft).await.unwrap();
            }
        }
    })
    .await;
    db.close().await;
    rate
}

/// How often a second [`CALLERS`] callers get an answer, after warming up.
async fn per_second<F, Fut>(call: F) -> f64
where
    F: Fn(usize) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (call, answered) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (call, answered) = (Arc::clone(&call), Arc::clone(&answered));
            tokio::spawn(async move {
                let until = Instant::now() + WARM_UP + SPAN;
                while Instant::now() < until {
                    call(caller).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let (begun, before) = (Instant::now(), answered.load(Ordering::Relaxed));
    tokio::time::sleep(SPAN).await;
    let rate = (answered.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
    for caller in callers {
        caller.await.unwrap();
    }
    rate
}

/// Transactions a second of pgbench with the statements of `create_note.pgbench.sql`, as the same database role.
fn pgbench(database: &str) -> f64 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/create_note.pgbench.sql");
    // What follows are options of our own driver.
    let address = database.split('?').next().unwrap_or(database);
    let output = Command::new(binary("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", &format!("--client={CALLERS}")])
        .args([&format!("--time={}", SPAN.as_secs()), &format!("--file={script}"), address])
        .env("PGOPTIONS", "-c role=backchannel_app -c search_path=notes")
        .output()
        .expect("pgbench starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = told.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = line.and_then(|line| line.split_whitespace().next()).and_then(|rate| rate.parse().ok());
    rate.unwrap_or_else(|| panic!("pgbench: {told}{}", String::from_utf8_lossy(&output.stderr)))
}

/// A program of the newest PostgreSQL of this machine.
fn binary(name: &str) -> std::path::PathBuf {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name))).collect())
        .unwrap_or_default();
    versions.retain(|path: &std::path::PathBuf| path.exists());
    versions.sort();
    versions.pop().unwrap_or_else(|| name.into())
}
