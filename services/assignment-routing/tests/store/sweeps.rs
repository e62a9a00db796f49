//! Sweeps: what fails keeps nothing else waiting.

use std::time::Duration;

use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::conversation::Status;
use assignment_routing::domain::presence::Presence;
use assignment_routing::store::{self, MIGRATIONS};
use db::DbError;
use kernel::OrgId;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{agent, app, conversation, org};

// R6
db::both_databases!(a_snooze_that_cannot_end_keeps_no_other_waiting, MIGRATIONS, |db| async move {
    let until = db.clock.now().plus(Duration::from_secs(60));
    let org = org();
    let made = db.write(&org, move |tx| {
        Box::pin(async move {
            let clock = tx.clock().clone();
            let mut ids = Vec::new();
            for number in 0..3 {
                let it = conversation(&clock, None);
                store::conversations::insert_conversation(tx, &it).await?;
                tx.query("UPDATE conversations SET status = 'SNOOZED', snooze_until = $3 WHERE org_id = $1 AND conversation_id = $2")
                    .bind(it.id)
                    .bind(until)
                    .execute(tx)
                    .await?;
                store::snoozes::save_snooze(tx, it.id, until.plus(Duration::from_micros(number))).await?;
                ids.push(it.id);
            }
            // What no program writes.
            tx.query("UPDATE conversations SET sla = '7' WHERE org_id = $1 AND conversation_id = $2")
                .bind(ids[0])
                .execute(tx)
                .await?;
            Ok::<_, DbError>(ids)
        })
    });
    let ids = made.await.unwrap();
    db.hand.advance(Duration::from_secs(61));
    app(&db.db, &db.clock).wake_snoozed(&CancellationToken::new()).await.unwrap_err();
    for id in &ids[1..] {
        let id = *id;
        let read = db.read(&org, move |tx| {
            Box::pin(async move { store::conversations::find_conversation(tx, id).await })
        });
        assert_eq!(read.await.unwrap().unwrap().status, Status::Open);
    }
});

// R2
db::both_databases!(
    leases_that_cannot_end_keep_no_other_organizations_waiting,
    MIGRATIONS,
    |db| async move {
        let orgs = ["acme", "globex"].map(|org| OrgId::parse(org).unwrap());
        let mut agents = Vec::new();
        for org in &orgs {
            let made = db.write(org, |tx| {
                Box::pin(async move {
                    let (ana, now) = (agent(tx, "ana").await?, tx.now().await?);
                    let lease = Presence::set(Availability::Online, false, now);
                    store::presence::save_presence(tx, ana, lease, Some(now)).await?;
                    Ok::<_, DbError>(ana)
                })
            });
            agents.push(made.await.unwrap());
        }
        let spoil = db.write(&orgs[0], |tx| {
        Box::pin(async move {
            tx.query("INSERT INTO settings (org_id, version, update_time, reopen_policy) VALUES ($1, 2, 0, 'NEVER')")
                .execute(tx)
                .await
        })
    });
        spoil.await.unwrap();
        db.hand.advance(Duration::from_secs(61));
        app(&db.db, &db.clock).expire_leases().await.unwrap_err();
        let ana = agents[1];
        let read = db
            .read(&orgs[1], move |tx| Box::pin(async move { store::presence::find_presence(tx, ana).await }));
        assert_eq!(read.await.unwrap().unwrap().availability, Availability::Offline);
    }
);
