//! An agent is gone with all that they have, and a process with them.

use std::time::{Duration, Instant};

use kernel::Role;
use proto::routing::v1 as pb;
use sqlx::PgConnection;

use super::figure;
use super::replicas::Replicas;
use super::witness::Witness;
use crate::cast::{route, team};

/// Within which everything has somebody again.
const RETURNED: Duration = Duration::from_secs(60);

// Faults 11
#[test]
fn what_an_agent_had_who_is_gone_is_their_colleagues_although_a_process_died_meanwhile() {
    testkit::run(async {
        let mut replicas = Replicas::alike(2, &[("BACKCHANNEL_ROUTING__SWEEP_MS", "50")]).await;
        let admin = replicas.world.as_one("admin", Role::Admin);
        let grace = Some("1s".parse().unwrap());
        let grace = pb::UpdateSettingsRequest { offline_grace: grace, ..Default::default() };
        admin.routing_settings().update_settings(grace).await.unwrap();
        let team = team(&replicas.world, "flights", &["ana", "ben"]).await;
        route(&replicas.world, "airline", &team.team_id, vec![]).await;
        let (ana, ben) = (team.agent("ana"), team.agent("ben"));
        // Who is there by heartbeats, as people at their desks are.
        let leased = pb::SetAvailabilityRequest {
            agent_id: ana.agent_id.clone(),
            availability: pb::Availability::Online.into(),
            pinned: false,
        };
        ana.api.agents().set_availability(leased).await.unwrap();
        let count = figure(40, 10_000);
        replicas.customers_write(&[0, 1], &["airline"], "gone", count).await;
        let (mut tables, mut witness) = (replicas.tables().await, Witness::of(&replicas).await);
        witness.nothing_waits().await;
        assert_eq!(has(&mut tables, &ana.agent_id).await, count as i64 / 2);

        witness.beats_no_more(&ana.agent_id).await;
        let offline = "SELECT COUNT(*) FROM routing.presence WHERE availability = 'OFFLINE'";
        let begun = Instant::now();
        while witness.number(offline).await == 0 {
            assert!(begun.elapsed() < RETURNED, "nobody noticed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // What was to happen after the grace is not forgotten with whoever noticed that she is gone.
        replicas.process(1).kill().await;
        let begun = Instant::now();
        while has(&mut tables, &ben.agent_id).await < count as i64 {
            assert!(begun.elapsed() < RETURNED, "{} are still hers", has(&mut tables, &ana.agent_id).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        witness.agrees().await;
        replicas.process(1).restart().await;
        witness.done().await;
        replicas.stop().await;
    });
}

/// How many open conversations somebody has.
async fn has(tables: &mut PgConnection, agent_id: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM routing.conversations WHERE assignee_id = $1::uuid AND status = 'OPEN'",
    )
    .bind(agent_id)
    .fetch_one(tables)
    .await
    .unwrap()
}
