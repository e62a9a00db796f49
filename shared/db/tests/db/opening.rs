//! Databases that do not open, and one that is open already.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::ledger::MIGRATIONS;
use db::test_support::{postgres_url, run};
use db::{Db, DbError, Engine, Target};
use kernel::Clock;

/// Tells this test's own binary, started a second time, which file it is to keep open.
const KEEP: &str = "BACKCHANNEL_TEST_KEEP_OPEN";

async fn refused(target: Target) -> String {
    match Db::open(target, &MIGRATIONS, Clock::system()).await {
        Err(error @ DbError::Unusable(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn on_one_thread<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_file_that_is_no_database_and_one_that_cannot_be_opened_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "no database, but long enough to be taken for the header of one".repeat(99))
        .unwrap();
    let directory = folder.path().join("directory.db");
    std::fs::create_dir(&directory).unwrap();
    on_one_thread(async {
        for (file, what) in
            [(&garbage, "is not a SQLite database"), (&directory, "check owner and permissions")]
        {
            let said = refused(Target::sqlite(file)).await;
            assert!(said.contains(what) && said.contains(file.to_str().unwrap()), "{said}");
        }
        let under_a_file = refused(Target::sqlite(garbage.join("x.db"))).await;
        assert!(under_a_file.contains("garbage.db"), "{under_a_file}");
    });
}

#[cfg(unix)]
#[test]
fn what_is_in_a_database_is_for_its_owner_only_whoever_may_enter_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    on_one_thread(async {
        let target = Target::sqlite(folder.path().join("private.db"));
        let db = Db::open(target, &MIGRATIONS, Clock::system()).await.unwrap();
        for file in ["private.db", "private.db-wal", "private.db-shm"] {
            let there = std::fs::metadata(folder.path().join(file)).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&there.permissions());
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        db.close().await;
    });
}

#[test]
fn a_login_that_is_refused_and_a_database_that_is_missing_are_named_without_the_password() {
    let url = postgres_url();
    let (_, place) = url.split_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    let at = |login: &str, database: &str| {
        Target::postgres(format!("postgres://{login}@{server}/{database}"), "x")
    };
    on_one_thread(async {
        let said = refused(at("postgres:s3cret", "no_such_database")).await;
        assert!(said.contains("no database no_such_database") && said.contains(server), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        let said = refused(at("no_such_role:s3cret", "postgres")).await;
        assert!(said.contains("refuses the login of no_such_role") && said.contains(server), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        let away = Target::postgres("postgres://a:s3cret@127.0.0.1:1/x", "x");
        let said = Db::open(away, &MIGRATIONS, Clock::system()).await.unwrap_err().to_string();
        assert!(said.contains("no PostgreSQL answers at 127.0.0.1:1") && !said.contains("s3cret"), "{said}");
    });
}

#[test]
fn a_second_process_is_refused_until_the_first_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.db");
    let mut first = keeper(&file);
    on_one_thread(async {
        let said = refused(Target::sqlite(&file)).await;
        assert!(said.contains("in use by another process") && said.contains("kept.db"), "{said}");
        let other =
            Db::open(Target::sqlite(folder.path().join("other.db")), &MIGRATIONS, Clock::system()).await;
        other.expect("another file of the folder is free").close().await;
        first.kill().unwrap();
        first.wait().unwrap();
        let db = Db::open(Target::sqlite(&file), &MIGRATIONS, Clock::system()).await;
        db.expect("a killed process holds nothing").close().await;
    });
}

/// Another process that has the file open.
fn keeper(file: &Path) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opening::keeps_a_file_open_for_the_test_above", "--nocapture"])
        .env(KEEP, file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let is_open = file.with_extension("open");
    while !is_open.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

#[test]
fn keeps_a_file_open_for_the_test_above() {
    let Ok(file) = std::env::var(KEEP) else { return };
    on_one_thread(async {
        let db = Db::open(Target::sqlite(&file), &MIGRATIONS, Clock::system()).await.unwrap();
        std::fs::write(Path::new(&file).with_extension("open"), "").unwrap();
        std::future::pending::<()>().await;
        drop(db);
    });
}

#[test]
fn a_closed_file_is_free_for_whoever_comes_next() {
    run(Engine::Sqlite, &MIGRATIONS, |db| async move {
        let file = db::test_support::file(&db).unwrap().to_owned();
        db.close().await;
        let mut next = keeper(&file);
        next.kill().unwrap();
        next.wait().unwrap();
    });
}
