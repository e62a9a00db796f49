//! Fault 2: the power goes, and with it all that was written and not synced.
//!
//! `disk.c` writes down what a process does to its files. From that the disk is made as it would be if the power had gone at some
//! moment, which may be any: of what was not synced since, some of it is there, or nothing, in pieces.

mod disk;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use kernel::{Clock, OrgId, Role, Subject};
use proto::notes::v1::CreateNoteRequest;
use proto::routing::v1::GetMyAgentRequest;
use rpc::{DevKey, TokenSpec};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use suite::client::{Session, Wire};
use tokio::process::Command;
use uuid::Uuid;

use crate::assigners::figure;
use crate::cast::message;
use crate::processes::Process;
use disk::{Disk, Event, Remains};

/// Who write at the same time: their commits share syncs.
const WRITERS: usize = 8;

/// The databases that are looked at.
const DATABASES: [(&str, &str); 2] =
    [("routing.db", "SELECT message_id FROM messages"), ("notes.db", "SELECT note_id FROM notes")];

/// An id that was acknowledged, and how long the log of the disk was then.
type Acknowledged = Vec<(Uuid, u64)>;

/// Builds the library that writes down what a process does to its files.
async fn library(folder: &Path) -> String {
    let library = folder.join("disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/journeys/power/disk.c");
    let arguments = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-lpthread", "-o"];
    let built = Command::new("cc").args(arguments).arg(&library).status().await;
    assert!(built.expect("cc, with which Rust links, too").success());
    library.display().to_string()
}

fn session(wire: &Wire, data: &Path, subject: &str, role: Role) -> Session {
    let signer = DevKey::load_or_make(data, Clock::system()).unwrap().signer();
    let mut spec = TokenSpec::new(OrgId::parse("acme").unwrap(), Subject::parse(subject).unwrap(), role);
    spec.ttl = Duration::from_secs(3_600);
    wire.bearing(&signer.mint(&spec).unwrap()).unwrap()
}

/// Writes messages and notes about them; tells what was acknowledged: messages, notes.
async fn work(author: Session, channel: Session, writer: usize, log: &Path) -> [Acknowledged; 2] {
    let (mut messages, mut notes) = (Acknowledged::new(), Acknowledged::new());
    let now = || std::fs::metadata(log).expect("the log is there").len();
    for (_, round) in (0..figure(25, 500)).zip(0_u32..) {
        let incoming = message("airline", &format!("w-{writer}"), round, "where is my bag?");
        let recorded = channel.conversations().record_message(incoming).await.unwrap().into_inner();
        messages.push((recorded.message.unwrap().message_id.parse().unwrap(), now()));
        let request = CreateNoteRequest {
            conversation_id: recorded.conversation.unwrap().conversation_id,
            body: format!("writer {writer}, round {round}: asks again @ben"),
            ..Default::default()
        };
        let note = author.notes().create_note(request).await.unwrap().into_inner().note.unwrap();
        notes.push((note.note_id.parse().unwrap(), now()));
    }
    [messages, notes]
}

/// The ids in a database file, which is whole.
async fn ids(file: &Path, sql: &'static str) -> BTreeSet<Uuid> {
    let options = SqliteConnectOptions::new().filename(file).synchronous(SqliteSynchronous::Off);
    let mut conn: SqliteConnection = options.connect().await.unwrap();
    let whole: String = sqlx::query_scalar("PRAGMA quick_check").fetch_one(&mut conn).await.unwrap();
    assert_eq!(whole, "ok", "{}", file.display());
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    ids.into_iter().map(|id| Uuid::from_slice(&id).unwrap()).collect()
}

// Fault 2
#[test]
fn whenever_the_power_goes_what_was_acknowledged_is_on_the_disk() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (data, log) = (folder.path().join("data"), folder.path().join("disk.log"));
        std::fs::create_dir(&data).unwrap();
        // As the system names it, whatever links lead there.
        let data = data.canonicalize().unwrap();
        let library = library(folder.path()).await;
        let environment = [
            ("LD_PRELOAD", library.as_str()),
            ("DISK_FOLDER", data.to_str().unwrap()),
            ("DISK_LOG", log.to_str().unwrap()),
            ("BACKCHANNEL_LIMITS__CALLS_PER_PERSON", "0"),
            ("BACKCHANNEL_LIMITS__PERSON_PER_SECOND", "0"),
            ("BACKCHANNEL_LIMITS__ORG_PER_SECOND", "0"),
        ];
        let data_of = data.to_str().unwrap();
        let arguments = ["up", "--data", data_of, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let mut process = Process::start(&arguments, &environment, &folder.path().join("log")).await;
        let wire = Wire::connect(|_| process.grpc.clone()).await.unwrap();
        let (author, channel) = (
            session(&wire, &data, "ana", Role::Agent),
            session(&wire, &data, "chat-adapter", Role::Integration),
        );
        for subject in ["ana", "ben"] {
            let person = session(&wire, &data, subject, Role::Agent);
            person.agents().get_my_agent(GetMyAgentRequest {}).await.unwrap();
        }
        let writers = (0..WRITERS).map(|writer| work(author.clone(), channel.clone(), writer, &log));
        let acknowledged: Vec<[Acknowledged; 2]> = join_all(writers).await;
        process.kill().await;
        let acknowledged = [0, 1].map(|database| {
            acknowledged.iter().flat_map(|writer| writer[database].clone()).collect::<Acknowledged>()
        });

        let done = disk::read(&log, &DATABASES.map(|(file, _)| file));
        // What was acknowledged before the next thing happened is due after this one.
        let ends: Vec<u64> = done.iter().skip(1).map(|event| event.end).chain([u64::MAX]).collect();
        let moments = moments(&done, &acknowledged);
        let (mut disk, mut looked_for) = (Disk::default(), 0);
        for (place, event) in done.into_iter().enumerate() {
            disk.apply(event);
            if !moments.contains(&place) {
                continue;
            }
            for remaining in [Remains::Synced, Remains::Some(place as u64)] {
                let remains = folder.path().join("remains");
                disk.leave(&data, &remains, remaining);
                for ((file, sql), acknowledged) in DATABASES.into_iter().zip(&acknowledged) {
                    let due = acknowledged.iter().filter(|(_, at)| *at < ends[place]);
                    let due: Vec<Uuid> = due.map(|(id, _)| *id).collect();
                    if due.is_empty() {
                        continue;
                    }
                    let there = ids(&remains.join(file), sql).await;
                    let lost = due.iter().filter(|id| !there.contains(id)).count();
                    assert_eq!(lost, 0, "{file}, {remaining:?}: of {} that were acknowledged", due.len());
                    looked_for += due.len();
                }
            }
        }
        assert!(looked_for > moments.len(), "there was something to lose");
    });
}

/// Moments at which to take the power away, once there is something to lose: some of all, and some of those before a log is synced.
fn moments(done: &[Event], acknowledged: &[Acknowledged; 2]) -> BTreeSet<usize> {
    let first = acknowledged.iter().flatten().map(|(_, at)| *at).min().expect("something was acknowledged");
    let all: Vec<usize> = (0..done.len()).filter(|place| done[*place].end > first).collect();
    let is_before_sync = |place: &usize| done.get(place + 1).is_some_and(Event::is_sync_of_log);
    let before_syncs: Vec<usize> = all.iter().copied().filter(is_before_sync).collect();
    assert!(!before_syncs.is_empty(), "nothing was ever synced");
    let some = |of: Vec<usize>| {
        let step = of.len().div_ceil(figure(30, 1_000));
        of.into_iter().step_by(step).collect::<Vec<_>>()
    };
    some(all).into_iter().chain(some(before_syncs)).collect()
}
