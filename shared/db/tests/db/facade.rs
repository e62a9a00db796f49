//! One SQL text, the same behaviour on both databases.

use crate::ledger::{LedgerError, MIGRATIONS, enter, names, read_names};
use db::test_support::{TestDb, org};
use db::{DbError, Engine, Json, both_databases};
use kernel::{NoteId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    Open,
}

db::read_as!(Status: String);

impl TryFrom<String> for Status {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "open" { Ok(Self::Open) } else { Err(text) }
    }
}

#[derive(Debug, PartialEq, sqlx_macros::FromRow)]
struct Kinds {
    id: NoteId,
    at: Timestamp,
    yes: bool,
    small: i32,
    bytes: Vec<u8>,
    json: Json<BTreeMap<String, Vec<i64>>>,
    text: Option<String>,
    status: Status,
}

both_databases!(every_kind_of_value_comes_back_as_it_went, MIGRATIONS, |db| async move {
    let kinds = Kinds {
        id: db.clock.new_id().into(),
        at: Timestamp::from_micros(-7),
        yes: true,
        small: i32::MIN,
        bytes: vec![0, 255, 1],
        json: Json(BTreeMap::from([("a\u{0}ä".replace('\u{0}', ""), vec![1, i64::MAX])])),
        text: None,
        status: Status::Open,
    };
    let (id, at, small, bytes, json) =
        (kinds.id, kinds.at, kinds.small, kinds.bytes.clone(), kinds.json.clone());
    let back: Kinds = db
        .write::<_, DbError, _>(&org("acme"), move |tx| {
            Box::pin(async move {
                tx.query("INSERT INTO kinds (org_id, id, at, yes, small, bytes, json, text, status) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)")
                    .bind(id).bind(at).bind(true).bind(small).bind(bytes).bind(json).bind(None::<String>).bind("open")
                    .execute(tx).await?;
                tx.query("SELECT id, at, yes, small, bytes, json, text, status FROM kinds WHERE org_id = $1 AND id = $2")
                    .bind(id).fetch_one(tx).await
            })
        })
        .await
        .unwrap();
    assert_eq!(back, kinds);
});

both_databases!(a_failed_closure_leaves_nothing, MIGRATIONS, |db| async move {
    let declined: Result<(), _> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                enter(tx, "a", 1).await?;
                Err(LedgerError::Declined)
            })
        })
        .await;
    assert_eq!(declined, Err(LedgerError::Declined));
    assert!(read_names(&db, &org("acme")).await.is_empty());
});

both_databases!(a_panic_is_answered_and_leaves_nothing, MIGRATIONS, |db| async move {
    let panicked: Result<(), DbError> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                enter(tx, "a", 1).await?;
                panic!("the test panics on purpose")
            })
        })
        .await;
    assert_eq!(panicked, Err(DbError::Panicked));
    assert!(read_names(&db, &org("acme")).await.is_empty());
    db.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "b", 1).await })).await.unwrap();
    assert_eq!(read_names(&db, &org("acme")).await, ["b"]);
});

both_databases!(ok_after_a_failed_statement_is_still_an_error, MIGRATIONS, |db| async move {
    let swallowed: Result<(), DbError> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                enter(tx, "a", 1).await?;
                let _ = enter(tx, "a", 1).await;
                Ok(())
            })
        })
        .await;
    assert!(swallowed.unwrap_err().violates_unique("entries"));
    assert!(read_names(&db, &org("acme")).await.is_empty());
});

async fn attempt(db: &TestDb, sql: &'static str) -> DbError {
    db.write(&org("acme"), move |tx| Box::pin(async move { tx.query(sql).execute(tx).await }))
        .await
        .unwrap_err()
}

both_databases!(violations_are_told_apart, MIGRATIONS, |db| async move {
    db.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "a", 1).await })).await.unwrap();
    let twice = attempt(&db, "INSERT INTO entries (org_id, name, amount) VALUES ($1, 'a', 1)").await;
    assert!(twice.violates_unique("entries") && twice.violates_unique_on("entries", "name"), "{twice:?}");
    assert!(!twice.violates_unique_on("entries", "amount") && !twice.violates_unique("lines"));
    let negative = attempt(&db, "INSERT INTO entries (org_id, name, amount) VALUES ($1, 'b', -1)").await;
    assert!(negative.violates_check("amount_is_positive"), "{negative:?}");
    let dangling = attempt(&db, "INSERT INTO lines (org_id, line_id, entry) VALUES ($1, 1, 'none')").await;
    assert_eq!(dangling, DbError::ForeignKey);
    let empty = attempt(&db, "INSERT INTO entries (org_id, name, amount) VALUES ($1, NULL, 1)").await;
    assert_eq!(empty, DbError::NotNull);
    let expression =
        attempt(&db, "INSERT INTO lines (org_id, line_id, entry) VALUES ($1, 1, 'a'), ($1, 2, 'a')").await;
    assert!(expression.violates_unique_on("lines", "lines_by_entry"), "{expression:?}");
    assert!(matches!(
        attempt(&db, "SELECT nothing FROM entries WHERE org_id = $1").await,
        DbError::Corrupt(_)
    ));
});

both_databases!(a_statement_without_the_organization_is_refused, MIGRATIONS, |db| async move {
    assert_eq!(attempt(&db, "DELETE FROM entries").await, DbError::WithoutOrg);
});

both_databases!(a_read_cannot_write, MIGRATIONS, |db| async move {
    let refused = db.read(&org("acme"), |tx| Box::pin(async move { enter(tx, "a", 1).await })).await;
    assert!(matches!(refused, Err(DbError::Unavailable(_))), "{refused:?}");
    assert!(read_names(&db, &org("acme")).await.is_empty());
});

both_databases!(a_read_is_one_snapshot, MIGRATIONS, |db| async move {
    let other = db.db.clone();
    let (before, after) = db
        .read::<_, DbError, _>(&org("acme"), move |tx| {
            Box::pin(async move {
                let before = names(tx).await?;
                other.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "a", 1).await })).await?;
                Ok((before, names(tx).await?))
            })
        })
        .await
        .unwrap();
    assert!(before.is_empty() && after.is_empty());
    assert_eq!(read_names(&db, &org("acme")).await, ["a"]);
});

both_databases!(hooks_run_after_the_commit_and_never_after_a_rollback, MIGRATIONS, |db| async move {
    let rung = Arc::new(AtomicUsize::new(0));
    for keep in [true, false] {
        let rung = Arc::clone(&rung);
        let _ = db
            .write(&org("acme"), move |tx| {
                Box::pin(async move {
                    tx.after_commit(move || {
                        rung.fetch_add(1, Ordering::SeqCst);
                    });
                    if keep { Ok(()) } else { Err(LedgerError::Declined) }
                })
            })
            .await;
    }
    assert_eq!(rung.load(Ordering::SeqCst), 1);
});

both_databases!(a_transaction_that_waits_too_long_gives_the_writer_back, MIGRATIONS, |db| async move {
    let stuck: Result<(), DbError> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                enter(tx, "a", 1).await?;
                std::future::pending().await
            })
        })
        .await;
    assert_eq!(stuck, Err(DbError::Timeout));
    db.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "a", 2).await })).await.unwrap();
});

both_databases!(a_fake_hand_moves_the_databases_time, MIGRATIONS, |db| async move {
    let now = || async {
        db.read::<_, DbError, _>(&org("acme"), |tx| Box::pin(async move { tx.now().await })).await
    };
    assert_eq!(now().await.unwrap(), db.clock.now());
    db.hand.advance(std::time::Duration::from_secs(3600));
    assert_eq!(now().await.unwrap(), db.clock.now());
});

both_databases!(closing_finishes_what_was_accepted_and_takes_no_more, MIGRATIONS, |db| async move {
    let writes: Vec<_> = (0..50)
        .map(|n| {
            let db = db.db.clone();
            tokio::spawn(async move {
                db.write(&org("acme"), move |tx| {
                    Box::pin(async move { enter(tx, &format!("{n:02}"), 1).await })
                })
                .await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    db.close().await;
    let mut done = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error, DbError::Closed),
        }
    }
    let again = db::test_support::replica(&db, &MIGRATIONS).await;
    assert_eq!(read_names(&again, &org("acme")).await.len(), done);
    again.close().await;
    let late = db.write(&org("acme"), |tx| Box::pin(async move { enter(tx, "late", 1).await })).await;
    assert_eq!(late, Err(DbError::Closed));
});

both_databases!(the_engine_is_known, MIGRATIONS, |db| async move {
    let inside =
        db.read::<_, DbError, _>(&org("acme"), |tx| Box::pin(async move { Ok(tx.engine()) })).await.unwrap();
    assert_eq!(inside, db.engine());
    assert_eq!(db.engine() == Engine::Sqlite, db::test_support::file(&db).is_some());
});
