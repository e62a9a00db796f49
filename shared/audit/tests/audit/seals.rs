//! Each record is sealed once, whoever seals and whatever fails.

use std::collections::HashSet;

use audit::{Event, Filter, Sealer};
use db::test_support::{org, replica};
use db::{DbError, Engine, both_databases};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::support::{MIGRATIONS, SERVICE, intact, origin, record, record_all, seal, tamper};

const ORGS: [&str; 3] = ["acme", "globex", "hooli"];

async fn unsealed(db: &db::Db, of: &str) -> i64 {
    db.read(&org(of), |tx| audit::count_unsealed(tx)).await.unwrap()
}

// P10
both_databases!(an_effect_that_is_rolled_back_leaves_no_record, MIGRATIONS, |db| async move {
    let failed: Result<(), DbError> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                audit::record(tx, &origin("ana"), &[Event::new("note.create", 1)]).await?;
                Err(DbError::Busy)
            })
        })
        .await;
    assert_eq!(failed, Err(DbError::Busy));
    assert_eq!((unsealed(&db, "acme").await, seal(&db).await), (0, 0));
});

// P10
both_databases!(two_sealers_and_many_writers_seal_every_record_once, MIGRATIONS, |db| async move {
    let stop = CancellationToken::new();
    // On SQLite there is one process: both sealers are in it.
    let second = match db.engine() {
        Engine::Sqlite => db.db.clone(),
        Engine::Postgres => replica(&db, &MIGRATIONS).await,
    };
    let sealers: Vec<_> = [db.db.clone(), second.clone()]
        .map(|db| tokio::spawn(Sealer::new(SERVICE, db).run(stop.clone())))
        .into_iter()
        .collect();
    let writers = ORGS.iter().flat_map(|name| (0..4).map(move |writer| (*name, writer)));
    let writers = writers.map(|(name, writer)| {
        let db = db.db.clone();
        tokio::spawn(async move { record(&db, name, writer * 50..writer * 50 + 50).await })
    });
    for written in join_all(writers).await {
        written.unwrap();
    }
    for name in ORGS {
        while unsealed(&db, name).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    stop.cancel();
    for sealer in sealers {
        sealer.await.unwrap();
    }
    for name in ORGS {
        assert_eq!(intact(&db, name).await.sequence, 200);
        let (of, filter) = (org(name), Filter::default());
        let read =
            db.read(&of, move |tx| Box::pin(async move { audit::list(tx, &filter, None, 1_000).await }));
        let objects: HashSet<String> =
            read.await.unwrap().into_iter().map(|record| record.object_id).collect();
        assert_eq!(objects.len(), 200, "{name}: every record, once");
    }
    second.close().await;
});

// P10
both_databases!(many_looks_at_once_seal_every_record_once, MIGRATIONS, |db| async move {
    for round in 0..5_usize {
        for name in ORGS {
            let events = (0..400).map(|id| Event::new("note.create", round * 400 + id)).collect();
            record_all(&db, name, events).await;
        }
        let looks = (0..4).map(|_| Sealer::new(SERVICE, db.db.clone()));
        let sealed: Vec<usize> =
            join_all(looks.map(|sealer| async move { sealer.seal_all().await.unwrap() })).await;
        // Who finds another at it leaves the rest to it.
        assert_eq!(sealed.iter().sum::<usize>() + seal(&db).await, 1_200);
    }
    for name in ORGS {
        assert_eq!(intact(&db, name).await.sequence, 2_000);
    }
});

// P10
both_databases!(a_batch_that_fails_at_its_end_leaves_nothing_sealed, MIGRATIONS, |db| async move {
    record(&db, "acme", 0..3).await;
    seal(&db).await;
    let before = intact(&db, "acme").await;
    record(&db, "acme", 3..6).await;
    record(&db, "globex", 0..3).await;
    // Its last statement but one cannot succeed: the newest record is there already.
    let copied = "INSERT INTO audit_events (org_id, sequence, event_id, actor_subject, actor_role, action, object_kind, \
                  object_id, method, hash) SELECT org_id, 99, event_id, actor_subject, actor_role, action, object_kind, \
                  object_id, method, (SELECT hash FROM audit_heads LIMIT 1) FROM audit_queue \
                  WHERE org_id = 'globex' AND object_id = '2'";
    assert_eq!(tamper(&db, copied).await, 1);
    let failed = Sealer::new(SERVICE, db.db.clone()).seal_all().await.unwrap_err();
    assert!(failed.violates_unique("audit_events"), "{failed}");
    assert_eq!((unsealed(&db, "acme").await, unsealed(&db, "globex").await), (3, 3));
    assert_eq!(intact(&db, "acme").await, before);
    tamper(&db, "DELETE FROM audit_events WHERE sequence = 99").await;
    // As after a crash: whoever comes next finds everything where it was.
    assert_eq!(seal(&db).await, 6);
    assert_eq!((intact(&db, "acme").await.sequence, intact(&db, "globex").await.sequence), (6, 3));
});

// P10
both_databases!(ten_thousand_records_are_sealed_and_verified_in_steps, MIGRATIONS, |db| async move {
    for part in 0..5 {
        let events = (0..2_000).map(|id| Event::new("note.create", part * 2_000 + id)).collect();
        record_all(&db, "acme", events).await;
    }
    assert_eq!(seal(&db).await, 10_000);
    let head = intact(&db, "acme").await;
    assert_eq!((head.sequence, unsealed(&db, "acme").await), (10_000, 0));
    let mut walk = db.read(&org("acme"), |tx| audit::Walk::begin(tx, SERVICE, None)).await.unwrap();
    let mut steps = 0;
    loop {
        let (next, found) = db.read(&org("acme"), move |tx| walk.step(tx)).await.unwrap();
        steps += 1;
        if found.is_some() {
            break;
        }
        walk = next;
    }
    assert_eq!(steps, 11, "a thousand at a time");
});
