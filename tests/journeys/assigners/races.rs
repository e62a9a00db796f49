//! Assigners and people of several processes in one another's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1 as pb;
use suite::client::Session;
use tonic::Code;

use super::figure;
use super::replicas::{Replicas, are_strict_turns};
use super::witness::{MOST, Witness};
use crate::cast::{eventually, route, team};

/// Processes that serve the same queues.
fn processes() -> usize {
    figure(3, 16)
}

// Faults 8
#[test]
fn racing_processes_give_each_conversation_once_and_in_strict_turns() {
    testkit::run(async {
        let mut replicas = Replicas::alike(processes(), &[]).await;
        let world = &replicas.world;
        // Two teams that share agents: whoever serves one changes the same loads as whoever serves the other.
        let teams = [
            team(world, "flights", &["ana", "ben", "cem", "dora"]).await,
            team(world, "hotels", &["ben", "cem", "dora", "emil"]).await,
        ];
        route(world, "airline", &teams[0].team_id, vec![]).await;
        route(world, "hotel", &teams[1].team_id, vec![]).await;
        let (by, count) = ((0..replicas.count()).collect::<Vec<_>>(), figure(300, 10_000));
        replicas.customers_write(&by, &["airline", "hotel"], "race", count).await;

        let mut witness = Witness::of(&replicas).await;
        witness.nothing_waits().await;
        witness.each_was_given_once(count).await;
        for team in &teams {
            let turns = witness.turns(&team.team_id).await;
            assert_eq!(turns.len(), count / 2);
            are_strict_turns(&turns, 4);
        }
        let gave = replicas.gave().await;
        assert_eq!(gave.iter().sum::<u64>(), count as u64, "{gave:?}");
        assert!(gave.iter().filter(|count| **count > 0).count() > 1, "several took part: {gave:?}");
        witness.done().await;
        replicas.stop().await;
    });
}

// Faults 8
#[test]
fn racing_processes_give_nobody_more_than_their_capacity_at_any_moment() {
    testkit::run(async {
        let replicas = Replicas::alike(processes(), &[]).await;
        let world = &replicas.world;
        let capacity = pb::UpdateSettingsRequest { default_capacity_units: Some(MOST), ..Default::default() };
        world.as_one("admin", Role::Admin).routing_settings().update_settings(capacity).await.unwrap();
        let team = team(world, "flights", &["ana", "ben", "cem", "dora"]).await;
        route(world, "airline", &team.team_id, vec![]).await;
        let mut witness = Witness::counting(&replicas).await;

        let done = Arc::new(AtomicBool::new(false));
        let mut working = Vec::new();
        for (place, agent) in team.agents.iter().enumerate() {
            // Each by way of another replica than the one before: a place gets free in all of them.
            let api = replicas.by_way_of(place, &agent.subject, Role::Agent);
            working.push(tokio::spawn(work(api, Arc::clone(&done))));
        }
        let (by, count) = ((0..replicas.count()).collect::<Vec<_>>(), figure(150, 10_000));
        replicas.customers_write(&by, &["airline"], "full", count).await;
        witness.nothing_waits().await;
        done.store(true, Ordering::Relaxed);
        for agent in working {
            agent.await.unwrap();
        }
        assert_eq!(witness.number("SELECT COUNT(*) FROM public.too_many").await, 0, "nobody had too many");
        let most = "SELECT COUNT(*) FROM routing.decisions WHERE body->>'outcome' = 'QUEUED'";
        assert!(witness.number(most).await > 0, "some had to wait for a place");
        witness.each_was_given_once(count).await;
        witness.done().await;
        replicas.stop().await;
    });
}

/// Resolves what one has, again and again.
async fn work(agent: Session, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        let mine = pb::ListConversationsRequest { view: pb::InboxView::Mine.into(), ..Default::default() };
        let mine = agent.conversations().list_conversations(mine).await;
        let mine = mine.map(|mine| mine.into_inner().entries).unwrap_or_default();
        for conversation in mine.into_iter().filter_map(|entry| entry.conversation) {
            let resolve = pb::ResolveConversationRequest {
                conversation_id: conversation.conversation_id,
                etag: String::new(),
            };
            // One that is in somebody's way is there again with the next look.
            let _ = agent.conversations().resolve_conversation(resolve).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

// Faults 10
#[test]
fn of_two_who_assign_at_once_by_two_processes_one_wins() {
    testkit::run(async {
        let replicas = Replicas::alike(2, &[]).await;
        let team = team(&replicas.world, "duel", &["ana", "ben"]).await;
        let count = figure(60, 1_000);
        // No workflow knows this source, so nobody else assigns.
        let conversations = replicas.customers_write(&[0, 1], &["nowhere"], "duel", count).await;
        for conversation in conversations {
            let tries = team.agents.iter().enumerate().map(|(replica, agent)| {
                let api = replicas.by_way_of(replica, &agent.subject, Role::Agent);
                let request = pb::AssignConversationRequest {
                    conversation_id: conversation.conversation_id.clone(),
                    etag: conversation.etag.clone(),
                    target: Some(pb::assign_conversation_request::Target::AgentId(agent.agent_id.clone())),
                    ..Default::default()
                };
                async move { (api.assignments().assign_conversation(request).await, &agent.subject) }
            });
            let mut won = Vec::new();
            for (outcome, subject) in futures::future::join_all(tries).await {
                match outcome {
                    Ok(_) => won.push(subject),
                    Err(lost) => {
                        let why = (lost.code(), rpc::reason_of(&lost));
                        assert_eq!(why, (Code::Aborted, Some(ErrorReason::StaleEtag)), "{lost:?}");
                    }
                }
            }
            assert_eq!(won.len(), 1, "{won:?}");
            let get = pb::GetConversationRequest { conversation_id: conversation.conversation_id.clone() };
            let now = eventually("it is read", || async {
                let api = replicas.by_way_of(0, "supervisor", Role::Supervisor);
                api.conversations().get_conversation(get.clone()).await.ok()?.into_inner().conversation
            })
            .await;
            assert_eq!(&now.assignee.unwrap().subject, won[0], "who was told so has it");
        }
        let mut witness = Witness::of(&replicas).await;
        witness.each_was_given_once(count).await;
        witness.done().await;
        replicas.stop().await;
    });
}
