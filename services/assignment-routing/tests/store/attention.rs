//! What people have not seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use assignment_routing::domain::view::{Filter, Sort, View};
use assignment_routing::store::views::Reader;
use assignment_routing::store::{self, MIGRATIONS};
use db::test_support::replica;
use db::{Db, DbError, Engine, Tx};
use kernel::ConversationId;
use tokio::sync::Notify;

use crate::fixtures::{agent, conversation, org};

async fn flags(tx: &mut Tx, subject: &str) -> Result<(bool, bool), DbError> {
    let reader = Reader { subject: subject.into(), agent: None };
    let filter = Filter {
        view: View::All,
        sort: Sort::LastActivity,
        team: None,
        contact: None,
        assignee: None,
        external_id: None,
        channel: None,
        source: None,
    };
    let entries = store::views::list_entries(tx, &reader, &filter, None, 9).await?;
    Ok((entries[0].unread, entries[0].mentioned))
}

// R7
db::both_databases!(own_notes_are_no_news_whatever_the_order, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let it = conversation(&tx.clock().clone(), None);
            store::conversations::insert_conversation(tx, &it).await?;
            let notes = BTreeMap::from([(it.id, 3)]);
            let own = BTreeMap::from([(("ana".to_owned(), it.id), 2), (("ben".to_owned(), it.id), 1)]);
            store::attention::add_notes(tx, &notes).await?;
            store::attention::add_own_notes(tx, &own).await?;
            assert_eq!(flags(tx, "ana").await?, (true, false), "one of ben's");
            assert!(store::attention::read_to_end(tx, "ana", it.id).await?);
            assert_eq!(flags(tx, "ana").await?, (false, false));
            store::attention::add_notes(tx, &BTreeMap::from([(it.id, 1)])).await?;
            store::attention::add_own_notes(tx, &BTreeMap::from([(("ana".to_owned(), it.id), 1)])).await?;
            assert_eq!(flags(tx, "ana").await?, (false, false));
            assert_eq!(flags(tx, "ben").await?, (true, false));
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

// R7
db::both_databases!(many_mentions_at_once_are_counted_and_seen, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let it = conversation(&tx.clock().clone(), None);
            store::conversations::insert_conversation(tx, &it).await?;
            let everybody = (0..12_000).map(|number| ((format!("agent-{number}"), it.id), 1)).collect();
            store::attention::add_mentions(tx, &everybody).await?;
            assert_eq!(flags(tx, "agent-11999").await?, (true, true));
            store::attention::see_mentions(tx, "agent-11999", it.id).await?;
            assert_eq!(flags(tx, "agent-11999").await?, (false, false));
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

db::both_databases!(reading_what_does_not_exist_moves_nothing, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let nobodys = ConversationId::from_uuid(uuid::Uuid::nil());
            assert!(!store::attention::read_to_end(tx, "ana", nobodys).await?);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

// R7
db::both_databases!(every_view_is_counted_once, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let ana = agent(tx, "ana").await?;
            let it = conversation(&tx.clock().clone(), None);
            store::conversations::insert_conversation(tx, &it).await?;
            let reader = Reader { subject: "ana".into(), agent: Some(ana) };
            let counts = store::counts::count_views(tx, &reader).await?;
            let views: Vec<View> = counts.iter().map(|(view, _)| *view).collect();
            assert_eq!(views, View::COUNTED);
            let sizes: Vec<i64> = counts.iter().map(|(_, count)| *count).collect();
            assert_eq!(sizes, [0, 1, 0, 0, 0, 1, 0, 0]);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

async fn read_position(db: &Db, id: ConversationId) -> i64 {
    let acme = org();
    let position = db.read(&acme, move |tx| {
        Box::pin(async move {
            let query =
                tx.query("SELECT read_position FROM read_cursors WHERE org_id = $1 AND conversation_id = $2");
            query.bind(id).fetch_value::<i64>(tx).await
        })
    });
    position.await.unwrap()
}

/// One more message in a conversation.
async fn message(db: &Db, id: ConversationId) {
    db.write(&org(), move |tx| {
        Box::pin(async move {
            let mut it = store::conversations::lock_conversation(tx, id).await?.unwrap();
            it.message_count += 1;
            store::conversations::save_conversation(tx, &mut it).await.map(drop)
        })
    })
    .await
    .unwrap();
}

/// Waits until a transaction of this database waits for another.
async fn somebody_waits(db: &Db) {
    for _ in 0..1_000 {
        let waiting = db.read_system(|tx| {
            Box::pin(async move {
                let query = tx.query(
                    "SELECT COUNT(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                     WHERE a.datname = current_database() AND NOT l.granted",
                );
                query.fetch_value::<i64>(tx).await
            })
        });
        if waiting.await.unwrap() > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    panic!("nobody waits");
}

// R7: somebody reads on two devices at once. Who looked first and writes last knew less.
db::both_databases!(a_read_cursor_never_goes_back, MIGRATIONS, |db| async move {
    let id = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let it = conversation(&tx.clock().clone(), None);
                store::conversations::insert_conversation(tx, &it).await?;
                Ok::<_, DbError>(it.id)
            })
        })
        .await
        .unwrap();
    message(&db, id).await;
    if db.engine() == Engine::Sqlite {
        // It has one writer, which always looks last.
        return;
    }
    let (phone, laptop) = (replica(&db, &MIGRATIONS).await, replica(&db, &MIGRATIONS).await);
    let (looked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (looked, go_on) = (Arc::clone(&looked), Arc::clone(&go_on));
        async move {
            phone
                .write(&org(), move |tx| {
                    Box::pin(async move {
                        store::attention::read_to_end(tx, "ana", id).await?;
                        looked.notify_one();
                        go_on.notified().await;
                        store::attention::read_to_end(tx, "ana", id).await
                    })
                })
                .await
        }
    });
    looked.notified().await;
    let second = tokio::spawn(async move {
        laptop.write(&org(), move |tx| Box::pin(store::attention::read_to_end(tx, "ana", id))).await
    });
    somebody_waits(&db).await;
    message(&db, id).await;
    go_on.notify_one();
    assert!(first.await.unwrap().unwrap() && second.await.unwrap().unwrap());
    assert_eq!(read_position(&db, id).await, 2);
});
