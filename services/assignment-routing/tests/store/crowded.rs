//! More work than people may have at once, and many who share it out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assignment_routing::app::effects::Item;
use assignment_routing::domain::settings::Settings;
use assignment_routing::error::Error;
use assignment_routing::store::{self, MIGRATIONS};
use db::{Db, DbError};
use kernel::ConversationId;

use crate::fixtures::{agent, app, caller, org, origin, team};
use crate::races::{arrive, consistent, replicas, serve};

const ASSIGNERS: usize = 4;
const CONVERSATIONS: usize = 300;

/// Each costs two: two of them are within it, and a third is not.
const CAPACITY: i32 = 5;

/// What is assigned and not resolved, and the most units that anybody has open.
async fn at_work(db: &Db) -> (Vec<ConversationId>, i64) {
    db.read(&org(), |tx| {
        Box::pin(async move {
            let open = tx
                .query("SELECT conversation_id FROM conversations WHERE org_id = $1 AND status = 'OPEN' AND assignee_id IS NOT NULL")
                .fetch_values(tx)
                .await?;
            let most = tx
                .query("SELECT MAX(open_count + extra_units) FROM loads WHERE org_id = $1")
                .fetch_value(tx)
                .await?;
            Ok::<_, DbError>((open, most))
        })
    })
    .await
    .unwrap()
}

// R3, R11; faults 8
db::both_databases!(racing_assigners_never_go_beyond_a_capacity, MIGRATIONS, |db| async move {
    let teams = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let mut agents = Vec::new();
                for name in ["ana", "ben", "cem", "dora", "emil"] {
                    agents.push(agent(tx, name).await?);
                }
                let costs = BTreeMap::from([("chat".to_owned(), 2)]);
                store::settings::insert_channel_units(tx, &costs).await?;
                let settings = Settings { default_capacity_units: CAPACITY, ..Settings::default() };
                store::settings::save_settings(tx, &settings, 1, tx.clock().now()).await?;
                Ok::<_, DbError>(vec![
                    team(tx, "airline", &agents[..4]).await?,
                    team(tx, "bank", &agents[1..]).await?,
                ])
            })
        })
        .await
        .unwrap();
    let closed = Arc::new(AtomicBool::new(false));
    let mut assigners = Vec::new();
    for (place, replica) in replicas(&db, ASSIGNERS).await.into_iter().enumerate() {
        let mut order = teams.clone();
        order.rotate_left(place % teams.len());
        assigners.push(tokio::spawn(serve(app(&replica, &db.clock), order, Arc::clone(&closed))));
    }
    let arriving = tokio::spawn(arrive(db.db.clone(), teams.clone(), CONVERSATIONS));
    let (app, boss) = (app(&db, &db.clock), caller(&db.clock, "boss"));
    let mut resolved = 0;
    while resolved < CONVERSATIONS {
        let (open, most) = at_work(&db).await;
        assert!(most <= i64::from(CAPACITY), "somebody has {most} units");
        for id in open {
            match app.resolve(&boss, origin(), Item { id, expected: None }).await {
                Ok(_) => resolved += 1,
                // On a machine that is busy with more than this: it is open still, and its turn comes again.
                Err(Error::Db(error)) if error.is_transient() => {}
                Err(error) => panic!("{error}"),
            }
        }
        tokio::task::yield_now().await;
    }
    arriving.await.unwrap();
    closed.store(true, Ordering::SeqCst);
    for assigner in assigners {
        assigner.await.unwrap();
    }
    consistent(&db).await;
});
