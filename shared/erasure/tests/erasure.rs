//! What is buried stays buried, and what is removed is counted once, on both databases.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use db::test_support::{TestDb, org};
use db::{Db, DbError, MigrationSet, Migrations, Step, Tx};
use erasure::{ErasureId, Kind, Removed};
use kernel::OrgId;
use tokio::sync::Notify;
use uuid::Uuid;

static ORGS: LazyLock<[OrgId; 2]> = LazyLock::new(|| ["acme", "globex"].map(org));

fn named(name: &str) -> &'static OrgId {
    ORGS.iter().find(|org| org.as_str() == name).unwrap()
}

/// A table of things about conversations, with the trigger that a service has.
static THINGS: MigrationSet = MigrationSet {
    name: "things",
    steps: &[Step {
        name: "0001_things",
        sqlite: "
            CREATE TABLE things (
                org_id TEXT NOT NULL, thing_id BLOB NOT NULL, about BLOB NOT NULL, PRIMARY KEY (org_id, thing_id)
            ) STRICT;
            CREATE TRIGGER nothing_about_erased BEFORE INSERT ON things
            WHEN EXISTS (SELECT 1 FROM erased
                         WHERE org_id = NEW.org_id AND kind = 'conversation' AND id = NEW.about) BEGIN
                SELECT RAISE(ABORT, 'not_erased');
            END;",
        postgres: "
            CREATE TABLE things (
                org_id TEXT NOT NULL, thing_id UUID NOT NULL, about UUID NOT NULL, PRIMARY KEY (org_id, thing_id)
            );
            CREATE FUNCTION nothing_about_erased() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM refuse_erased(NEW.org_id, 'conversation', NEW.about);
                RETURN NEW;
            END $$;
            CREATE TRIGGER nothing_about_erased BEFORE INSERT ON things
                FOR EACH ROW EXECUTE FUNCTION nothing_about_erased();",
    }],
    work_tables: &[],
};

static MIGRATIONS: Migrations = Migrations { sets: &[&erasure::TABLES, &THINGS] };

async fn add(tx: &mut Tx, about: Uuid) -> Result<(), DbError> {
    let thing = tx.clock().new_id();
    let query = tx.query("INSERT INTO things (org_id, thing_id, about) VALUES ($1, $2, $3)");
    query.bind(thing).bind(about).execute(tx).await.map(drop)
}

async fn write(db: &Db, of: &str, about: Uuid) -> Result<(), DbError> {
    db.write(named(of), move |tx| Box::pin(async move { add(tx, about).await })).await
}

async fn bury(db: &Db, of: &str, erasure: ErasureId, id: Uuid) {
    let buried = db.write(named(of), move |tx| {
        Box::pin(async move { erasure::bury(tx, erasure, Kind::Conversation, &[id]).await })
    });
    buried.await.unwrap();
}

async fn things(db: &Db, about: Uuid) -> i64 {
    let count = db.read(named("acme"), move |tx| {
        Box::pin(async move {
            let query = tx.query("SELECT COUNT(*) FROM things WHERE org_id = $1 AND about = $2");
            query.bind(about).fetch_value::<i64>(tx).await
        })
    });
    count.await.unwrap()
}

fn ids(db: &TestDb) -> (ErasureId, Uuid) {
    (db.clock.new_id().into(), db.clock.new_id())
}

// P12
db::both_databases!(nothing_is_written_about_what_is_buried, MIGRATIONS, |db| async move {
    let ((erasure, buried), other) = (ids(&db), db.clock.new_id());
    write(&db, "acme", buried).await.unwrap();
    bury(&db, "acme", erasure, buried).await;

    let refused = write(&db, "acme", buried).await.unwrap_err();
    assert!(erasure::refused(&refused), "{refused:?}");
    write(&db, "acme", other).await.unwrap();
    write(&db, "globex", buried).await.unwrap();
    assert_eq!((things(&db, buried).await, things(&db, other).await), (1, 1));
});

// P12
db::both_databases!(whoever_began_to_write_before_is_waited_for, MIGRATIONS, |db| async move {
    let (erasure, buried) = ids(&db);
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let writer = {
        let (db, begun, go_on) = (db.db.clone(), Arc::clone(&begun), Arc::clone(&go_on));
        tokio::spawn(async move {
            db.write(named("acme"), move |tx| {
                Box::pin(async move {
                    add(tx, buried).await?;
                    begun.notify_one();
                    go_on.notified().await;
                    Ok::<_, DbError>(())
                })
            })
            .await
        })
    };
    begun.notified().await;
    let burial = {
        let db = db.db.clone();
        tokio::spawn(async move {
            bury(&db, "acme", erasure, buried).await;
            things(&db, buried).await
        })
    };
    // Long enough for a burial that does not wait; one that waits takes as long as it is made to.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!burial.is_finished(), "it waits");
    go_on.notify_one();
    writer.await.unwrap().unwrap();
    assert_eq!(burial.await.unwrap(), 1, "whoever removes afterwards sees what was written");
});

// P12
db::both_databases!(whoever_holds_an_id_has_an_answer_that_stays_true, MIGRATIONS, |db| async move {
    let (erasure, held) = ids(&db);
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let holder = {
        let (db, begun, go_on) = (db.db.clone(), Arc::clone(&begun), Arc::clone(&go_on));
        tokio::spawn(async move {
            db.write(named("acme"), move |tx| {
                Box::pin(async move {
                    erasure::hold(tx, Kind::Conversation, &[held, held]).await?;
                    let before = erasure::list_buried(tx, Kind::Conversation, &[held]).await?.len();
                    begun.notify_one();
                    go_on.notified().await;
                    let after = erasure::list_buried(tx, Kind::Conversation, &[held]).await?.len();
                    Ok::<_, DbError>((before, after))
                })
            })
            .await
        })
    };
    begun.notified().await;
    let burial = {
        let db = db.db.clone();
        tokio::spawn(async move { bury(&db, "acme", erasure, held).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!burial.is_finished(), "it waits");
    go_on.notify_one();
    assert_eq!(holder.await.unwrap().unwrap(), (0, 0));
    burial.await.unwrap();
    let buried = db.read(named("acme"), move |tx| {
        Box::pin(async move { erasure::list_buried(tx, Kind::Conversation, &[held]).await })
    });
    assert!(buried.await.unwrap().contains(&held));
});

async fn count(db: &Db, of: &str, erasure: ErasureId, removed: &'static [(&'static str, u64)]) {
    let counted =
        db.write(named(of), move |tx| Box::pin(async move { erasure::count(tx, erasure, removed).await }));
    counted.await.unwrap();
}

async fn removed(db: &Db, of: &str, erasure: ErasureId) -> Vec<Removed> {
    db.read(named(of), move |tx| Box::pin(erasure::removed(tx, erasure))).await.unwrap()
}

// P12
db::both_databases!(what_is_removed_is_counted_with_its_transaction, MIGRATIONS, |db| async move {
    let ((erasure, _), (other, _)) = (ids(&db), ids(&db));
    count(&db, "acme", erasure, &[("notes", 3), ("mentions", 0)]).await;
    count(&db, "acme", erasure, &[("notes", 2), ("messages", 7)]).await;
    count(&db, "acme", other, &[("notes", 1)]).await;
    let undone = db.write(named("acme"), move |tx| {
        Box::pin(async move {
            erasure::count(tx, erasure, &[("notes", 100)]).await?;
            Err::<(), _>(DbError::Busy)
        })
    });
    assert_eq!(undone.await, Err(DbError::Busy));

    let of = |kind: &str, count| Removed { kind: kind.to_owned(), count };
    assert_eq!(removed(&db, "acme", erasure).await, [of("messages", 7), of("notes", 5)]);
    assert_eq!(removed(&db, "acme", other).await, [of("notes", 1)]);
    assert_eq!(removed(&db, "globex", erasure).await, []);
});

// P12
db::both_databases!(what_an_erasure_buried_is_listed_page_by_page, MIGRATIONS, |db| async move {
    let erasure = ids(&db).0;
    let buried: Vec<Uuid> = (0..1_100).map(|_| db.clock.new_id()).collect();
    let shuffled: Vec<Uuid> = buried.iter().rev().copied().collect();
    for _ in 0..2 {
        let ids = shuffled.clone();
        let again = db.write(named("acme"), move |tx| {
            Box::pin(async move { erasure::bury(tx, erasure, Kind::Conversation, &ids).await })
        });
        again.await.unwrap();
    }
    let (mut listed, mut after) = (Vec::new(), Uuid::nil());
    loop {
        let page = db.read(named("acme"), move |tx| {
            Box::pin(erasure::list(tx, erasure, Kind::Conversation, after, 500))
        });
        let page = page.await.unwrap();
        let Some(last) = page.last() else { break };
        after = *last;
        listed.extend(page);
    }
    assert_eq!(listed, buried);
});
