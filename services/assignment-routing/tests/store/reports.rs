//! Reports, held against a recount from scratch of everything that ever happened.

mod history;
mod recount;

use std::sync::Arc;

use assignment_routing::app::reports::Stretch;
use assignment_routing::domain::report_days::Start;
use assignment_routing::error::Error;
use assignment_routing::store::{MIGRATIONS, report_marks};
use db::test_support::TestDb;
use db::{DbError, Engine};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::sync::Notify;
use zones::Zone;

use crate::races::replicas;
use history::{Step, Story};

/// How many histories, each in an organization of its own: fewer where a step takes longer.
fn histories(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 40,
        Engine::Postgres => 12,
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let case = || 0..50usize;
    // Some messages come late, and some from clocks that are ahead.
    let lag = || prop_oneof![Just(0i64), -5_000i64..200_000];
    let step = prop_oneof![
        6 => (0..2usize, 0..3usize, lag()).prop_map(|(team, contact, lag)| Step::Begin { team, contact, lag }),
        1 => (0..3usize).prop_map(|contact| Step::BeginBlocked { contact }),
        4 => (case(), lag()).prop_map(|(case, lag)| Step::Answer { case, lag }),
        3 => (case(), prop::option::of(0..3usize)).prop_map(|(case, to)| Step::Give { case, to }),
        1 => (case(), 0..2usize).prop_map(|(case, team)| Step::Queue { case, team }),
        4 => (0..2usize).prop_map(Step::Serve),
        4 => case().prop_map(Step::Resolve),
        2 => case().prop_map(Step::Reopen),
        1 => case().prop_map(Step::Snooze),
        1 => (0..3usize).prop_map(Step::Erase),
        3 => Just(Step::Count),
        6 => (1..300_000i64).prop_map(Step::Later),
        // Another process, whose clock is behind.
        2 => (1..100_000i64).prop_map(Step::Earlier),
    ];
    prop::collection::vec(step, 1..50)
}

/// Lives through a history; says where the reports differ from the recount.
async fn live(db: &TestDb, number: usize, steps: Vec<Step>) -> Result<(), String> {
    let mut story = Story::begin(db, number).await;
    for step in steps {
        story.take(step).await;
    }
    story.count().await;
    for zone in ["UTC", "Australia/Lord_Howe", "America/St_Johns"] {
        for days in [1, 3, 40] {
            let stretch =
                Stretch { start: Start::Before(days), last: None, zone: Some(Zone::parse(zone).unwrap()) };
            story.compare(stretch).await?;
        }
    }
    Ok(())
}

// R19
db::both_databases!(a_report_is_what_a_recount_of_all_that_happened_comes_to, MIGRATIONS, |db| async move {
    let mut runner = TestRunner::deterministic();
    let mut number = 0;
    for _ in 0..histories(db.engine()) {
        let mut history = steps().new_tree(&mut runner).unwrap();
        number += 1;
        let Err(mut wrong) = live(&db, number, history.current()).await else { continue };
        let mut least = history.current();
        // The shortest history of which something else comes.
        while history.simplify() {
            loop {
                number += 1;
                match live(&db, number, history.current()).await {
                    Err(still) => {
                        (wrong, least) = (still, history.current());
                        break;
                    }
                    Ok(()) if history.complicate() => {}
                    Ok(()) => break,
                }
            }
        }
        panic!("{wrong}\n{least:#?}");
    }
});

fn week() -> Stretch {
    Stretch { start: Start::Before(7), last: None, zone: None }
}

// R19
db::both_databases!(
    many_counters_at_once_count_everything_once_while_others_work,
    MIGRATIONS,
    |db| async move {
        let mut story = Story::begin(&db, 1).await;
        let mut counters = tokio::task::JoinSet::new();
        for replica in replicas(&db, 3).await {
            let mut app = (*story.app).clone();
            app.db = replica;
            counters.spawn(async move {
                for _ in 0..300 {
                    match app.count_for_reports().await {
                        Ok(_) => tokio::task::yield_now().await,
                        Err(Error::Db(error)) if error.is_transient() => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
        for round in 0..40 {
            story.take(Step::Begin { team: round % 2, contact: round % 3, lag: 0 }).await;
            story.take(Step::Later(7)).await;
            story.take(Step::Serve(round % 2)).await;
            story.take(Step::Answer { case: round, lag: 0 }).await;
            story.take(Step::Resolve(round / 2)).await;
            if round % 10 == 9 {
                story.take(Step::Erase(round % 3)).await;
            }
        }
        while let Some(ended) = counters.join_next().await {
            ended.unwrap();
        }
        story.count().await;
        story.compare(week()).await.unwrap();
    }
);

// R19
db::both_databases!(a_long_history_is_counted_in_pieces, MIGRATIONS, |db| async move {
    let mut story = Story::begin(&db, 1).await;
    story.take(Step::Begin { team: 0, contact: 0, lag: 0 }).await;
    story.take(Step::Begin { team: 1, contact: 1, lag: 0 }).await;
    for _ in 0..520 {
        story.take(Step::Give { case: 0, to: Some(1) }).await;
        story.take(Step::Give { case: 0, to: None }).await;
    }
    story.take(Step::Give { case: 1, to: Some(0) }).await;
    assert!(story.app.count_for_reports().await.unwrap(), "more than one transaction counts");
    assert!(!story.is_complete().await);
    // What was not counted yet is counted before it goes.
    story.take(Step::Erase(0)).await;
    story.count().await;
    story.compare(week()).await.unwrap();
});

// R19
db::both_databases!(what_happened_before_there_were_reports_is_counted, MIGRATIONS, |db| async move {
    let mut story = Story::begin(&db, 1).await;
    for number in 0..600 {
        story.take(Step::Begin { team: number % 2, contact: number % 3, lag: 0 }).await;
        if number % 3 == 0 {
            story.take(Step::Serve(number % 2)).await;
        }
    }
    story.take(Step::Later(100)).await;
    let forget = db.write(&story.org, |tx| {
        Box::pin(async move {
            tx.query("DELETE FROM report_marks WHERE org_id = $1").execute(tx).await?;
            tx.query("INSERT INTO report_backlogs (org_id, counted_to) VALUES ($1, $2)")
                .bind(uuid::Uuid::nil())
                .execute(tx)
                .await
        })
    });
    forget.await.unwrap();
    // Something of it goes on meanwhile.
    story.take(Step::Resolve(7)).await;
    story.take(Step::Serve(0)).await;
    assert!(!story.is_complete().await);
    story.count().await;
    assert!(story.is_complete().await);
    story.compare(week()).await.unwrap();
});

// R19, P12
db::both_databases!(what_an_older_version_erases_is_open_no_more, MIGRATIONS, |db| async move {
    let mut story = Story::begin(&db, 1).await;
    story.take(Step::Begin { team: 0, contact: 0, lag: 0 }).await;
    story.take(Step::Give { case: 0, to: Some(1) }).await;
    story.count().await;
    story.compare(week()).await.unwrap();
    story.remember(0).await;
    let id = story.cases[0];
    // It knows nothing of reports; its triggers do.
    let erase = db.write(&story.org, move |tx| {
        Box::pin(async move {
            tx.query("DELETE FROM conversations WHERE org_id = $1 AND conversation_id = $2")
                .bind(id)
                .execute(tx)
                .await
        })
    });
    erase.await.unwrap();
    story.count().await;
    story.compare(week()).await.unwrap();
    assert_eq!(story.standings().await, 0);
});

// R19
db::both_databases!(only_who_counts_waits_for_who_counts, MIGRATIONS, |db| async move {
    if db.engine() == Engine::Sqlite {
        // Its writer is alone.
        return;
    }
    let mut story = Story::begin(&db, 1).await;
    story.take(Step::Begin { team: 0, contact: 0, lag: 0 }).await;
    let (held, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait, other) = (held.clone(), release.clone(), replicas(&db, 2).await.remove(1));
    let org = story.org.clone();
    let counter = tokio::spawn(async move {
        let counting = other.write(&org, move |tx| {
            Box::pin(async move {
                report_marks::lock(tx).await?;
                let marks = report_marks::list_marks(tx, 10).await?;
                let numbers: Vec<i64> = marks.iter().map(|(number, _)| *number).collect();
                report_marks::delete_marks(tx, &numbers).await?;
                told.notify_one();
                wait.notified().await;
                Err::<(), _>(DbError::Busy)
            })
        });
        counting.await
    });
    held.notified().await;
    // Neither who works nor another who would count waits for it.
    assert!(!story.app.count_for_reports().await.unwrap());
    story.take(Step::Serve(0)).await;
    story.take(Step::Resolve(0)).await;
    assert!(!story.is_complete().await);
    release.notify_one();
    assert_eq!(counter.await.unwrap(), Err(DbError::Busy));
    story.count().await;
    story.compare(week()).await.unwrap();
});
