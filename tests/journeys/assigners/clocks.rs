//! The clock of a process is an hour off: for more than as long as the tokens of tests are good, so that it shows.

use std::time::{Duration, Instant};

use kernel::{Clock, Role};
use proto::routing::v1 as pb;
use rpc::convert::proto_time;
use sqlx::PgConnection;
use tonic::Code;

use super::replicas::{Replicas, are_strict_turns};
use super::witness::Witness;
use crate::cast::{route, team};

const AHEAD: &[(&str, &str)] = &[("BACKCHANNEL_TEST_CLOCK_OFF", "3700")];
const BEHIND: &[(&str, &str)] = &[("BACKCHANNEL_TEST_CLOCK_OFF", "-3700")];

/// How long what is due may take. Debug builds on a busy machine are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first one's clock is right, the second one's is ahead, and the third one's is behind.
async fn three() -> Replicas {
    let replicas = Replicas::start(&[("BACKCHANNEL_ROUTING__SWEEP_MS", "50")], &[AHEAD, BEHIND]).await;
    for wrong in [1, 2] {
        let ana = replicas.by_way_of(wrong, "ana", Role::Agent);
        let refused = ana.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "its clock is off: {refused:?}");
    }
    replicas
}

// Faults 18
#[test]
fn processes_whose_clocks_are_an_hour_off_give_out_work_as_the_others_do() {
    testkit::run(async {
        let mut replicas = three().await;
        let team = team(&replicas.world, "flights", &["ana", "ben", "cem", "dora"]).await;
        route(&replicas.world, "airline", &team.team_id, vec![]).await;
        let mut witness = Witness::of(&replicas).await;
        let mut count = 0;
        // Until each of them gave something to somebody.
        let gave = loop {
            count += replicas.customers_write(&[0], &["airline"], &format!("s{count}"), 40).await.len();
            witness.nothing_waits().await;
            let gave = replicas.gave().await;
            if gave.iter().all(|gave| *gave > 0) || count >= 2_000 {
                break gave;
            }
        };
        assert!(gave.iter().all(|gave| *gave > 0), "each took part: {gave:?}");
        witness.each_was_given_once(count).await;
        are_strict_turns(&witness.turns(&team.team_id).await, 4);
        witness.done().await;
        replicas.stop().await;
    });
}

// Faults 18
#[test]
fn leases_and_snoozes_end_by_the_databases_time_whatever_the_time_of_who_ends_them() {
    testkit::run(async {
        let mut replicas = three().await;
        let (mut tables, mut witness) = (replicas.tables().await, Witness::of(&replicas).await);
        for wrong in [1, 2] {
            let mut agents = Vec::new();
            for name in ["there", "gone"] {
                let api = replicas.by_way_of(0, &format!("{name}-{wrong}"), Role::Agent);
                let me = api.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner();
                api.agents().send_heartbeat(pb::SendHeartbeatRequest {}).await.unwrap();
                agents.push(me.agent.unwrap().agent_id);
            }
            let asleep = replicas.customers_write(&[0], &["nowhere"], &format!("z{wrong}"), 2).await;
            for (it, wait) in asleep.iter().zip([2, 1_800]) {
                let request = pb::SnoozeConversationRequest {
                    conversation_id: it.conversation_id.clone(),
                    snooze_until_time: Some(proto_time(
                        Clock::system().now().plus(Duration::from_secs(wait)),
                    )),
                    ..Default::default()
                };
                let supervisor = replicas.by_way_of(0, "supervisor", Role::Supervisor);
                supervisor.conversations().snooze_conversation(request).await.unwrap();
            }
            witness.beats_no_more(&agents[1]).await;
            // Alone, it does what is to be done, and nothing else.
            for other in [0, 3 - wrong] {
                replicas.process(other).freeze().await;
            }
            let (gone, short) = (agents[1].as_str(), asleep[0].conversation_id.as_str());
            becomes(&mut tables, AVAILABILITY, gone, "OFFLINE").await;
            becomes(&mut tables, STATUS, short, "OPEN").await;
            let there = text(&mut tables, AVAILABILITY, &agents[0]).await;
            let long = text(&mut tables, STATUS, &asleep[1].conversation_id).await;
            for other in [0, 3 - wrong] {
                replicas.process(other).thaw().await;
            }
            assert_eq!((there.as_str(), long.as_str()), ("ONLINE", "SNOOZED"), "by process {wrong}");
        }
        replicas.stop().await;
    });
}

const AVAILABILITY: &str = "SELECT availability FROM routing.presence WHERE agent_id = $1::uuid";
const STATUS: &str = "SELECT status FROM routing.conversations WHERE conversation_id = $1::uuid";

async fn text(tables: &mut PgConnection, sql: &'static str, id: &str) -> String {
    sqlx::query_scalar(sql).bind(id).fetch_one(tables).await.unwrap()
}

/// Waits until it is so.
async fn becomes(tables: &mut PgConnection, sql: &'static str, id: &str, wanted: &str) {
    let begun = Instant::now();
    while text(tables, sql, id).await != wanted {
        assert!(begun.elapsed() < PATIENCE, "it does not become {wanted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
