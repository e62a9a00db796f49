//! R16: the log of what changes in inboxes, whatever the order in which transactions commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use assignment_routing::domain::conversation::{Conversation, Status};
use assignment_routing::domain::inbox_log::{Change, Changed, Place, Standing};
use assignment_routing::store::{self, MIGRATIONS};
use db::test_support::replica;
use db::{Db, DbError, Engine, Tx};
use kernel::ConversationId;
use tokio::sync::Notify;

use crate::fixtures::{agent, conversation, org, team};

/// What came behind a place, read by so many at a time, and the place behind it.
async fn read(db: &Db, place: Place, at_once: i64) -> (Vec<Change>, Place) {
    db.read(&org(), move |tx| {
        Box::pin(async move {
            let until = store::inbox_log::look(tx).await?.seen;
            let (mut all, mut at) = (Vec::new(), place);
            loop {
                let some = store::inbox_log::list_changes(tx, &at, &until, at_once).await?;
                let Some(last) = some.last() else { return Ok((all, Place::behind(until))) };
                at = Place::at(&at.seen, &until, last);
                all.extend(some);
            }
        })
    })
    .await
    .map_err(|error: DbError| error)
    .unwrap()
}

async fn end(db: &Db) -> Place {
    let acme = org();
    let seen = db
        .read(&acme, |tx| Box::pin(async move { Ok::<_, DbError>(store::inbox_log::look(tx).await?.seen) }));
    Place::behind(seen.await.unwrap())
}

fn ids(changes: &[Change]) -> Vec<ConversationId> {
    let id = |change: &Change| match &change.what {
        Changed::Conversation { id, .. } | Changed::Reading { id, .. } | Changed::Offer { id, .. } => {
            Some(*id)
        }
        Changed::Teams(_) => None,
    };
    changes.iter().filter_map(id).collect()
}

async fn add(tx: &mut Tx) -> Result<Conversation, DbError> {
    let it = conversation(&tx.clock().clone(), None);
    store::conversations::insert_conversation(tx, &it).await?;
    Ok(it)
}

// R16
db::both_databases!(each_change_is_logged_once_with_where_it_stood_and_stands, MIGRATIONS, |db| async move {
    let before = end(&db).await;
    let (ana, team, it) = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let ana = agent(tx, "ana").await?;
                let team = team(tx, "billing", &[ana]).await?;
                Ok::<_, DbError>((ana, team, add(tx).await?))
            })
        })
        .await
        .unwrap();
    let id = it.id;
    db.write(&org(), move |tx| {
        Box::pin(async move {
            let mut it = store::conversations::lock_conversation(tx, id).await?.unwrap();
            (it.status, it.team) = (Status::Resolved, Some(team));
            store::conversations::save_conversation(tx, &mut it).await?;
            store::attention::add_notes(tx, &BTreeMap::from([(id, 1)])).await?;
            store::attention::add_mentions(tx, &BTreeMap::from([(("ben".to_owned(), id), 1)])).await?;
            assert!(store::attention::read_to_end(tx, "ben", id).await?);
            // The same again changes nothing.
            assert!(store::attention::read_to_end(tx, "ben", id).await?);
            store::erasure::remove_conversations(tx, &[id]).await.map(drop)
        })
    })
    .await
    .unwrap();
    let open = Standing { status: Status::Open, assignee: None, team: None };
    let resolved = Standing { status: Status::Resolved, assignee: None, team: Some(team) };
    let reading = || Changed::Reading { id, subject: "ben".to_owned() };
    let expected = [
        Changed::Teams(ana),
        Changed::Conversation { id, was: None, is: Some(open) },
        Changed::Conversation { id, was: Some(open), is: Some(resolved) },
        Changed::Conversation { id, was: Some(resolved), is: Some(resolved) },
        reading(),
        reading(),
        Changed::Conversation { id, was: Some(resolved), is: None },
    ];
    for at_once in [1, 2, 100] {
        let (changes, after) = read(&db, before.clone(), at_once).await;
        assert_eq!(
            changes.into_iter().map(|change| change.what).collect::<Vec<_>>(),
            expected,
            "by {at_once}"
        );
        assert_eq!(read(&db, after, at_once).await.0, []);
    }
});

// R16
db::both_databases!(what_is_rolled_back_is_not_logged, MIGRATIONS, |db| async move {
    let before = end(&db).await;
    let acme = org();
    let failed = db.write(&acme, |tx| {
        Box::pin(async move {
            add(tx).await?;
            Err::<(), _>(DbError::Busy)
        })
    });
    failed.await.unwrap_err();
    let it = db.write(&org(), |tx| Box::pin(add(tx))).await.unwrap();
    assert_eq!(ids(&read(&db, before, 100).await.0), [it.id]);
});

// R16, fault 12: transactions commit in another order than they begin. A reader steps over none, and reads none twice.
db::both_databases!(whoever_commits_late_is_read_late_and_by_everybody, MIGRATIONS, |db| async move {
    if db.engine() == Engine::Sqlite {
        // It has one writer: nobody is late.
        return;
    }
    let slow = replica(&db, &MIGRATIONS).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let start = end(&db).await;
    let late = tokio::spawn({
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        async move {
            slow.write(&org(), move |tx| {
                Box::pin(async move {
                    let it = add(tx).await?;
                    begun.notify_one();
                    go_on.notified().await;
                    Ok::<_, DbError>(it.id)
                })
            })
            .await
            .unwrap()
        }
    });
    begun.notified().await;
    let early = db.write(&org(), |tx| Box::pin(add(tx))).await.unwrap().id;
    let (first, middle) = read(&db, start.clone(), 1).await;
    assert_eq!(ids(&first), [early], "the first transaction is not over yet");
    // Transactions in other databases of the server are open besides.
    assert!(!middle.seen.open.is_empty());
    go_on.notify_one();
    let late = late.await.unwrap();
    let last = db.write(&org(), |tx| Box::pin(add(tx))).await.unwrap().id;
    assert_eq!(ids(&read(&db, middle, 1).await.0), [late, last]);
    assert_eq!(ids(&read(&db, start, 100).await.0), [late, early, last]);
});

// R16
db::both_databases!(
    old_changes_are_forgotten_and_whoever_needs_them_learns_it,
    MIGRATIONS,
    |db| async move {
        let before = end(&db).await;
        for _ in 0..5 {
            db.write(&org(), |tx| Box::pin(add(tx))).await.unwrap();
        }
        let stale = |kept| {
            db.read_system(move |tx| Box::pin(async move { store::inbox_log::list_stale(tx, kept).await }))
        };
        assert!(stale(Duration::from_secs(60)).await.unwrap().is_empty());
        assert_eq!(stale(Duration::ZERO).await.unwrap(), [org()]);
        let forget = async |kept| {
            db.write(&org(), move |tx| {
                Box::pin(async move {
                    store::inbox_log::forget_before(tx, kept).await?;
                    store::inbox_log::remove_forgotten(tx, 3).await
                })
            })
            .await
        };
        let log = || async { db.read(&org(), |tx| Box::pin(store::inbox_log::look(tx))).await.unwrap() };
        assert_eq!(forget(Duration::from_secs(120)).await.unwrap(), 0);
        let kept = log().await;
        assert!(!before.is_lost(&kept.seen, kept.forgotten_before));
        assert_eq!(forget(Duration::ZERO).await.unwrap(), 3);
        assert_eq!(
            forget(Duration::from_secs(120)).await.unwrap(),
            1,
            "what is forgotten stays so, and the newest stays"
        );
        assert!(stale(Duration::ZERO).await.unwrap().is_empty(), "nothing is left to do");
        db.write(&org(), |tx| Box::pin(add(tx))).await.unwrap();
        let gone = log().await;
        assert!(before.is_lost(&gone.seen, gone.forgotten_before));
        assert!(gone.forgotten_before > kept.forgotten_before);
    }
);
