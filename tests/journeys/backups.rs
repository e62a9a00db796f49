//! What docs/operating.md says of backups: what was saved is served again, elsewhere, and nothing of it is missing.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use testkit::PostgresDatabase;
use tokio::process::Command;

use crate::processes::Process;

/// A server on these data, with what else it is told.
async fn up(data: &Path, environment: &[(&str, &str)]) -> Process {
    let log = data.with_extension("log");
    let arguments =
        ["up", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    Process::start(&arguments, environment, &log).await
}

/// What a command prints; it ends well.
async fn said(arguments: &[&str], data: &Path, process: &Process) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
    command.args(arguments).args(["--addr", &process.grpc, "--data"]).arg(data).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What is there after a day of four conversations with a note each. Again, the day changes nothing where all of it is there.
async fn day(data: &Path, process: &Process) -> (Value, [Vec<u8>; 2]) {
    let line = |number| {
        format!(
            r#"{{"conversation":"c{number}","contact":"k{number}","channel":"chat","source":"shop","turn":0,"text":"hi","intent":""}}"#
        )
    };
    let file = data.with_extension("jsonl");
    std::fs::write(&file, (0..4).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    let replay = ["replay", file.to_str().unwrap(), "--json", "--note-every", "1"];
    let report = serde_json::from_slice(&said(&replay, data, process).await).unwrap();
    let notes = said(&["export", "notes"], data, process).await;
    (report, [notes, said(&["export", "contacts"], data, process).await])
}

/// The messages, assignments, notes and contacts that were there are there, and no others.
fn is_whole((before, there): &(Value, [Vec<u8>; 2]), (after, again): &(Value, [Vec<u8>; 2])) {
    assert_eq!((&before["changed"], &after["changed"]), (&Value::from(true), &Value::from(false)), "{after}");
    for figure in ["conversations", "assigned", "messages_lost", "notes_lost"] {
        assert_eq!(before[figure], after[figure], "{figure}: {after}");
    }
    assert!(there.iter().all(|export| export.iter().filter(|&&byte| byte == b'\n').count() >= 4));
    assert!(there == again, "{}", String::from_utf8_lossy(&again[0]));
}

fn keys(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in ["dev-key.pem", "jwks.json"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

// P13
#[test]
fn sqlite_files_that_were_copied_from_a_running_process_are_served_elsewhere() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (made, saved) = (folder.path().join("made"), folder.path().join("saved"));
        let process = up(&made, &[]).await;
        let before = day(&made, &process).await;
        keys(&made, &saved);
        for service in ["contacts", "routing", "notes", "notifications"] {
            let database = made.join(format!("{service}.db"));
            let copy = saved.join(format!("{service}.db"));
            let mut conn = SqliteConnectOptions::new().filename(&database).connect().await.unwrap();
            let vacuum = format!("VACUUM INTO '{}'", copy.display());
            sqlx::raw_sql(AssertSqlSafe(vacuum)).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
        assert!(process.terminate().await.0);
        let process = up(&saved, &[]).await;
        is_whole(&before, &day(&saved, &process).await);
        assert!(process.terminate().await.0);
    });
}

/// A program of PostgreSQL: of the newest one that is here, which reads what older servers have.
fn postgres_program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin").join(name)).filter(|it| it.exists()).max();
    newest.unwrap_or_else(|| PathBuf::from(name))
}

/// Its address without the settings of our own driver, which others do not know.
fn plain(database: &PostgresDatabase) -> String {
    database.url().split('?').next().unwrap().to_owned()
}

async fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(postgres_program(program)).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

// P13
#[test]
fn a_dump_of_postgresql_is_served_from_another_database() {
    testkit::run(async {
        let (folder, first, second) = (
            tempfile::tempdir().unwrap(),
            PostgresDatabase::create().await,
            PostgresDatabase::create().await,
        );
        let (made, dump) = (folder.path().join("made"), folder.path().join("backchannel.dump"));
        let (from, to) = (plain(&first), plain(&second));
        let process = up(&made, &[("BACKCHANNEL_DATABASE", &first.url())]).await;
        let before = day(&made, &process).await;
        // While it serves: a dump is one moment of all four services.
        let dumped = ["--format=custom", "--file", dump.to_str().unwrap(), "--dbname", from.as_str()];
        run("pg_dump", &dumped).await;
        assert!(process.terminate().await.0);
        let restored = ["--exit-on-error", "--dbname", to.as_str(), dump.to_str().unwrap()];
        run("pg_restore", &restored).await;
        let process = up(&made, &[("BACKCHANNEL_DATABASE", &second.url())]).await;
        is_whole(&before, &day(&made, &process).await);
        assert!(process.terminate().await.0);
    });
}
