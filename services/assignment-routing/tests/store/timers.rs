//! Timers: each fires once, whoever looks.

use std::time::Duration;

use assignment_routing::domain::timer::{Timer, TimerKind};
use assignment_routing::store;
use assignment_routing::store::MIGRATIONS;
use db::{Db, DbError, Engine};
use kernel::{OrgId, Timestamp};
use uuid::Uuid;

use crate::fixtures::{app, conversation, org};

async fn due(db: &Db) -> Vec<(OrgId, Timer)> {
    db.read_system(|tx| {
        Box::pin(async move {
            let now = tx.now().await?;
            store::timers::list_due(tx, now, 100).await
        })
    })
    .await
    .unwrap()
}

async fn set(db: &Db, timers: Vec<Timer>) {
    db.write(&org(), move |tx| Box::pin(async move { store::timers::set(tx, &timers).await })).await.unwrap();
}

fn timer(subject: Uuid, kind: TimerKind, now: Timestamp) -> Timer {
    Timer::after(Duration::from_secs(10), subject, kind, "", now)
}

// R13
db::both_databases!(
    a_timer_is_due_at_its_time_and_setting_it_anew_replaces_it,
    MIGRATIONS,
    |db| async move {
        let (now, subject) = (db.clock.now(), db.clock.new_id());
        let first = timer(subject, TimerKind::Sla, now);
        set(&db, vec![first.clone(), timer(subject, TimerKind::Grace, now.plus(Duration::from_secs(60)))])
            .await;
        assert_eq!(due(&db).await, []);
        db.hand.advance(Duration::from_secs(10));
        assert_eq!(due(&db).await, [(org(), first.clone())]);
        let later = first.clone().later(now.plus(Duration::from_secs(20)));
        set(&db, vec![later.clone()]).await;
        assert_eq!(due(&db).await, []);
        db.hand.advance(Duration::from_secs(10));
        assert_eq!(due(&db).await, [(org(), later)]);
    }
);

// R13
db::both_databases!(of_many_who_look_one_fires_a_timer, MIGRATIONS, |db| async move {
    let now = db.clock.now();
    let timers: Vec<Timer> = (0..40).map(|_| timer(db.clock.new_id(), TimerKind::Grace, now)).collect();
    set(&db, timers.clone()).await;
    db.hand.advance(Duration::from_secs(10));
    let mut looking = Vec::new();
    for _ in 0..8 {
        let (db, timers) = (db.db.clone(), timers.clone());
        looking.push(tokio::spawn(async move {
            let org = org();
            let claim =
                db.write(&org, move |tx| Box::pin(async move { store::timers::claim(tx, &timers).await }));
            claim.await.unwrap()
        }));
    }
    let mut claimed = Vec::new();
    for look in looking {
        claimed.extend(look.await.unwrap().into_iter().map(|timer| timer.subject));
    }
    claimed.sort_unstable();
    let mut all: Vec<Uuid> = timers.iter().map(|timer| timer.subject).collect();
    all.sort_unstable();
    assert_eq!(claimed, all);
});

// R13, P10
db::both_databases!(a_kind_that_only_a_newer_program_knows_is_left_to_it, MIGRATIONS, |db| async move {
    let id = db.clock.new_id();
    db.write(&org(), move |tx| {
        Box::pin(async move {
            tx.query(
                "INSERT INTO timers (org_id, subject_id, kind, rule, since, due_time) VALUES ($1, $2, 'NEWER', '', 0, 0)",
            )
            .bind(id)
            .execute(tx)
            .await
        })
    })
    .await
    .unwrap();
    assert_eq!(due(&db).await, []);
    let fired = app(&db.db, &db.clock).fire_due().await.unwrap();
    assert_eq!(fired, 0);
    let left: i64 = db
        .read(&org(), |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM timers WHERE org_id = $1").fetch_value(tx).await
            })
        })
        .await
        .unwrap_or_else(|error: DbError| panic!("{error}"));
    assert_eq!(left, 1);
});

// R13
db::both_databases!(timers_of_what_is_gone_are_forgotten, MIGRATIONS, |db| async move {
    let now = db.clock.now();
    set(
        &db,
        vec![
            timer(db.clock.new_id(), TimerKind::Workflow, now),
            timer(db.clock.new_id(), TimerKind::Grace, now),
        ],
    )
    .await;
    db.hand.advance(Duration::from_secs(10));
    app(&db.db, &db.clock).fire_due().await.unwrap();
    assert_eq!(due(&db).await, []);
});

// R13
db::both_databases!(a_timer_waits_for_nobody_who_holds_its_conversation, MIGRATIONS, |db| async move {
    if db.engine() == Engine::Sqlite {
        // Its writer is alone.
        return;
    }
    let it = conversation(&db.clock, None);
    let id = it.id;
    db.write(&org(), move |tx| {
        Box::pin(async move { store::conversations::insert_conversation(tx, &it).await })
    })
    .await
    .unwrap();
    set(&db, vec![timer(id.as_uuid(), TimerKind::Workflow, db.clock.now())]).await;
    db.hand.advance(Duration::from_secs(10));
    let app = app(&db.db, &db.clock);
    let looking = std::sync::Arc::clone(&app);
    let org = org();
    let meanwhile = db.write(&org, move |tx| {
        Box::pin(async move {
            store::conversations::lock_conversation(tx, id).await?;
            Ok::<_, DbError>(looking.fire_due().await.unwrap())
        })
    });
    assert_eq!(meanwhile.await.unwrap(), 0);
    assert_eq!(due(&db).await.len(), 1);
    assert_eq!(app.fire_due().await.unwrap(), 1);
    assert_eq!(due(&db).await, []);
});
