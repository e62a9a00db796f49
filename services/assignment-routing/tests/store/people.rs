//! Agents, presence, handles, teams.

use std::time::Duration;

use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::handle::Handle;
use assignment_routing::domain::presence::Presence;
use assignment_routing::store::handles::Named;
use assignment_routing::store::{self, MIGRATIONS};
use db::DbError;
use kernel::OrgId;

use crate::fixtures::{agent, org, team};

db::both_databases!(a_handle_names_one_agent_or_team, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let ana = agent(tx, "ana").await?;
            let named = store::handles::list_handles(tx, &["ana".into(), "ben".into()]).await?;
            assert_eq!(named, [("ana".to_owned(), Named::Agent(ana))]);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    let again = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let team = tx.clock().new_id().into();
                store::handles::insert_handle(tx, &Handle::parse("ana").unwrap(), Named::Team(team)).await
            })
        })
        .await;
    assert!(again.unwrap_err().violates_unique("handles"));
});

db::both_databases!(an_agent_is_saved_by_version_and_a_subject_is_unique, MIGRATIONS, |db| async move {
    let ana = db.write(&org(), |tx| Box::pin(agent(tx, "ana"))).await.unwrap();
    db.write(&org(), move |tx| {
        Box::pin(async move {
            let mut it = store::agents::find_agent(tx, ana).await?.unwrap();
            it.profile.email = "ana@example.org".into();
            it.version += 1;
            assert!(store::agents::save_agent(tx, &it).await?);
            assert!(!store::agents::save_agent(tx, &it).await?, "the version before is gone");
            assert_eq!(store::agents::find_agent_of(tx, &it.subject).await?.as_ref(), Some(&it));
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    let again = db
        .write(&org(), move |tx| {
            Box::pin(async move {
                let mut it = store::agents::find_agent(tx, ana).await?.unwrap();
                it.id = tx.clock().new_id().into();
                it.profile.username = Handle::parse("other").unwrap();
                store::agents::insert_agent(tx, &it).await
            })
        })
        .await
        .unwrap_err();
    assert!(again.violates_unique_on("agents", "subject"), "{again:?}");
});

db::both_databases!(a_snapshot_is_a_team_in_the_order_of_its_turns, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let mut agents = vec![agent(tx, "ana").await?, agent(tx, "ben").await?, agent(tx, "cem").await?];
            let team = team(tx, "airline", &[agents[2], agents[0]]).await?;
            let snapshot = store::agents::snapshot(tx, team).await?;
            let ids: Vec<_> = snapshot.iter().map(|agent| agent.agent).collect();
            agents.remove(1);
            assert_eq!(ids, agents);
            assert!(snapshot.iter().all(|agent| agent.pinned && agent.availability == Availability::Online));
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

db::both_databases!(
    leases_that_are_over_are_found_across_organizations_and_ended_once,
    MIGRATIONS,
    |db| async move {
        let ana = db
            .write(&org(), |tx| {
                Box::pin(async move {
                    let ana = agent(tx, "ana").await?;
                    let now = tx.now().await?;
                    let lease = Presence::set(Availability::Away, false, now);
                    store::presence::save_presence(tx, ana, lease, Some(now)).await?;
                    assert_eq!(store::presence::lock_presence(tx, ana).await?, Some(lease));
                    Ok::<_, DbError>(ana)
                })
            })
            .await
            .unwrap();
        let expired = async || {
            db.read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::presence::list_expired(tx, now, 10).await
                })
            })
            .await
            .unwrap()
        };
        db.hand.advance(Duration::from_secs(59));
        assert!(expired().await.is_empty());
        db.hand.advance(Duration::from_secs(1));
        assert_eq!(expired().await, [(org(), ana)]);
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                store::presence::expire(tx, &[ana], now).await?;
                assert_eq!(store::presence::lock_presence(tx, ana).await?, Some(Presence::ABSENT));
                let online = Presence::set(Availability::Online, false, now);
                store::presence::save_presence(tx, ana, online, Some(now)).await?;
                store::presence::expire(tx, &[ana], now).await?;
                assert_eq!(
                    store::presence::lock_presence(tx, ana).await?,
                    Some(online),
                    "a new lease is kept"
                );
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    }
);

// P1
db::both_databases!(nothing_of_another_organization_is_seen, MIGRATIONS, |db| async move {
    let (ana, airline) = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let ana = agent(tx, "ana").await?;
                Ok::<_, DbError>((ana, team(tx, "airline", &[ana]).await?))
            })
        })
        .await
        .unwrap();
    let other = OrgId::parse("other").unwrap();
    db.read(&other, move |tx| {
        Box::pin(async move {
            assert!(store::agents::find_agent(tx, ana).await?.is_none());
            assert!(store::teams::find_team(tx, airline).await?.is_none());
            assert!(store::teams::list_members(tx, &[airline]).await?.is_empty());
            assert!(store::handles::list_handles(tx, &["ana".into()]).await?.is_empty());
            assert!(store::agents::list_people(tx, &[ana]).await?.is_empty());
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});
