//! How many commits the writes of many callers take. In a process of its own: it counts what the process records.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use db::test_support::org;
use db::{Db, DbError, Engine, MigrationSet, Migrations, Step};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NAMES: Step = Step {
    name: "0001_names",
    sqlite: "CREATE TABLE names (org_id TEXT NOT NULL, name TEXT NOT NULL) STRICT",
    postgres: "",
};
static SET: MigrationSet = MigrationSet { name: "names", steps: &[NAMES], work_tables: &[] };
static MIGRATIONS: Migrations = Migrations { sets: &[&SET] };

const CALLERS: usize = 64;
const EACH: usize = 20;

async fn write(db: &Db, name: String) {
    db.write::<_, DbError, _>(&org("acme"), move |tx| {
        Box::pin(async move {
            tx.query("INSERT INTO names (org_id, name) VALUES ($1, $2)").bind(name).execute(tx).await
        })
    })
    .await
    .unwrap();
}

#[test]
fn many_callers_share_a_commit_and_one_alone_does_not_wait() {
    let (commits, jobs) = counting();
    db::test_support::run(Engine::Sqlite, &MIGRATIONS, |db| async move {
        let count = || (commits.load(Ordering::SeqCst), jobs.load(Ordering::SeqCst));
        for n in 0..10 {
            write(&db, format!("alone-{n}")).await;
        }
        assert_eq!(count(), (10, 10), "one commit for each write of a caller alone");

        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let db = db.db.clone();
                tokio::spawn(async move {
                    for n in 0..EACH {
                        write(&db, format!("{caller:02}-{n:02}")).await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        let (commits, jobs) = (count().0 - 10, count().1 - 10);
        assert_eq!(jobs, CALLERS * EACH);
        eprintln!("{jobs} jobs of {CALLERS} callers in {commits} commits");
        assert!(commits * 4 < jobs, "{jobs} jobs took {commits} commits");
    });
}

/// Counts the values of `db_commit_jobs` for this process: how many commits, how many jobs in them.
fn counting() -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (commits, jobs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    metrics::set_global_recorder(Commits { commits: Arc::clone(&commits), jobs: Arc::clone(&jobs) }).unwrap();
    (commits, jobs)
}

struct Commits {
    commits: Arc<AtomicUsize>,
    jobs: Arc<AtomicUsize>,
}

struct Sizes(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl HistogramFn for Sizes {
    fn record(&self, jobs: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.fetch_add(jobs as usize, Ordering::SeqCst);
    }
}

impl Recorder for Commits {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match key.name() {
            "db_commit_jobs" => {
                Histogram::from_arc(Arc::new(Sizes(Arc::clone(&self.commits), Arc::clone(&self.jobs))))
            }
            _ => Histogram::noop(),
        }
    }
}
