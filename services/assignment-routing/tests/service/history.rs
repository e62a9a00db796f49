//! What was said in a conversation and what happened to it, in the order of time.

use std::time::Duration;

use kernel::Role;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::history_service_client::HistoryServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::{NEW_YEAR, World, inbound, outbound};

fn history(world: &World, subject: &str, role: Role) -> HistoryServiceClient<Client> {
    HistoryServiceClient::new(world.client(subject, role)).max_decoding_message_size(4 << 20)
}

fn request(id: &str) -> GetHistoryRequest {
    GetHistoryRequest { conversation_id: id.to_owned(), ..Default::default() }
}

async fn read(world: &World, request: GetHistoryRequest) -> GetHistoryResponse {
    history(world, "ana", Role::Agent).get_history(request).await.unwrap().into_inner()
}

/// What happened, with who did it, who got it and who had it.
fn told(it: &HistoryEvent) -> String {
    let name = |person: &Option<Person>| person.as_ref().map_or("-".to_owned(), |it| it.username.clone());
    let actor = it.actor.as_ref().map_or("-", |actor| actor.subject.as_str());
    let kind = it.r#type().as_str_name().trim_start_matches("HISTORY_EVENT_TYPE_");
    format!(
        "{kind} by {actor}: {} had {} team {}",
        name(&it.assignee),
        name(&it.previous_assignee),
        it.team_handle
    )
}

/// Messages and events in one order, by their times.
fn whole(history: &GetHistoryResponse) -> Vec<String> {
    let messages = history.messages.iter().map(|it| (it.create_time, format!("message {}", it.position)));
    let events = history.events.iter().map(|it| (it.event_time, told(it)));
    let mut all: Vec<_> = messages.chain(events).collect();
    all.sort_by_key(|(time, _)| time.map(|time| (time.seconds, time.nanos)));
    let count = all.len();
    all.dedup_by_key(|(time, _)| *time);
    assert_eq!(all.len(), count, "no two have the same time");
    all.into_iter().map(|(_, line)| line).collect()
}

testkit::on_both_databases! {
    // N10, R6, R8
    async fn everything_that_happens_is_told_in_its_order_though_the_clock_stands_still(engine) {
        let world = World::at_new_year(engine).await;
        let (ana, ben) = (world.online("ana").await, world.agent("ben").await);
        let team = world.team("flights", &[&ana]).await;
        world.route("true", &team).await;
        let it = world.begin("c-1").await;
        let it = world.assigned(&it.conversation_id).await;
        world.record(outbound("c-1", "2")).await;
        let id = it.conversation_id.clone();
        let it = world.read(&id).await;
        let it = world.assign("ana", &it, &ben).await.unwrap();
        assert_eq!(world.assign("ana", &it, &ben).await.unwrap(), it, "nothing happens again");
        let until = rpc::convert::proto_time(NEW_YEAR.plus(Duration::from_secs(60)));
        let snooze = SnoozeConversationRequest { conversation_id: id.clone(), snooze_until_time: Some(until), ..Default::default() };
        world.conversations("ben", Role::Agent).snooze_conversation(snooze).await.unwrap();
        world.record(inbound("c-1", "3")).await;
        world.resolve(&id).await;
        world.resolve(&id).await;
        let reopen = ReopenConversationRequest { conversation_id: id.clone(), ..Default::default() };
        let it = world.conversations("ana", Role::Agent).reopen_conversation(reopen).await.unwrap().into_inner();
        let it = world.order("ana", &it.conversation.unwrap(), Target::Nobody(())).await.unwrap();
        world.pin("ana", &ana, Availability::Away).await;
        world.order("ben", &it, Target::TeamId(team.team_id.clone())).await.unwrap();

        let history = read(&world, request(&id)).await;
        assert_eq!((history.contact_id.as_str(), history.more_messages, history.more_events), (it.contact_id.as_str(), false, false));
        assert_eq!(whole(&history), [
            "message 1",
            "QUEUED by -: - had - team flights",
            "ASSIGNED by -: ana had - team flights",
            "message 2",
            "ASSIGNED by ana: ben had ana team ",
            "SNOOZED by ben: - had - team ",
            "message 3",
            "REOPENED by -: - had - team ",
            "RESOLVED by chat-adapter: - had - team ",
            "REOPENED by ana: - had - team ",
            "UNASSIGNED by ana: - had ben team ",
            "QUEUED by ben: - had - team flights",
        ]);
        let snoozed = history.events.iter().find(|it| it.r#type() == HistoryEventType::Snoozed).unwrap();
        assert_eq!(snoozed.snooze_until_time, Some(until));
    }

    // N10, R6
    async fn the_end_of_a_snooze_is_an_event_of_its_own(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let id = world.begin("c-1").await.conversation_id;
        let until = rpc::convert::proto_time(NEW_YEAR.plus(Duration::from_secs(60)));
        let snooze = SnoozeConversationRequest { conversation_id: id.clone(), snooze_until_time: Some(until), ..Default::default() };
        world.conversations(&ana.subject, Role::Agent).snooze_conversation(snooze).await.unwrap();
        world.suite.hand().advance(Duration::from_secs(61));
        for _ in 0..400 {
            let events = read(&world, request(&id)).await.events;
            if let [snoozed, reopened] = events.as_slice() {
                assert_eq!((snoozed.r#type(), reopened.r#type()), (HistoryEventType::Snoozed, HistoryEventType::Reopened));
                assert_eq!(reopened.actor, None);
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the snooze does not end");
    }

    // N10, P7
    async fn stretches_in_either_direction_give_the_same_whole(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let id = world.begin("c-1").await.conversation_id;
        for message in 2..8 { world.record(inbound("c-1", &message.to_string())).await; }
        for agent in [&ana, &ben, &ana, &ben] {
            let it = world.read(&id).await;
            world.assign("ana", &it, agent).await.unwrap();
        }
        let all = read(&world, request(&id)).await;
        assert_eq!((all.messages.len(), all.events.len()), (7, 4));
        for order in [HistoryOrder::OldestFirst, HistoryOrder::NewestFirst] {
            let (mut messages, mut events) = (Vec::new(), Vec::new());
            let mut next = GetHistoryRequest { page_size: 2, order: order.into(), ..request(&id) };
            loop {
                let stretch = read(&world, next.clone()).await;
                assert!(stretch.messages.len() <= 2 && stretch.events.len() <= 2);
                messages.extend(stretch.messages);
                events.extend(stretch.events);
                if !stretch.more_messages && !stretch.more_events { break }
                let behind = |time, id: &String| Some(HistoryPosition { time, id: id.clone() });
                next.messages_after = messages.last().and_then(|it: &Message| behind(it.create_time, &it.message_id));
                next.events_after = events.last().and_then(|it: &HistoryEvent| behind(it.event_time, &it.event_id));
            }
            if order == HistoryOrder::NewestFirst {
                messages.reverse();
                events.reverse();
            }
            assert_eq!((&messages, &events), (&all.messages, &all.events));
        }
    }

    // N10, P7
    async fn a_stretch_ends_where_an_answer_would_become_too_large(engine) {
        let world = World::on(engine).await;
        let id = world.begin("c-1").await.conversation_id;
        for message in 2..36 {
            let long = RecordMessageRequest { text: "x".repeat(65_536), ..inbound("c-1", &message.to_string()) };
            world.record(long).await;
        }
        let first = read(&world, GetHistoryRequest { page_size: 200, ..request(&id) }).await;
        assert_eq!((first.messages.len(), first.more_messages), (32, true), "one short text and 31 of 64 KiB");
    }

    // N10, N3, P1
    async fn contacts_integrations_and_strangers_read_no_history(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        for (subject, role) in [(it.contact_id.as_str(), Role::Contact), ("chat-adapter", Role::Integration)] {
            let refused = history(&world, subject, role).get_history(request(&it.conversation_id)).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
        }
        let globex = world.suite.client("globex", "ana", Role::Admin);
        let mut globex = HistoryServiceClient::new(globex);
        let mut answers = Vec::new();
        for id in [it.conversation_id, world.request_id()] {
            let refused = globex.get_history(request(&id)).await.unwrap_err();
            assert_eq!(refused.code(), Code::NotFound);
            answers.push((refused.message().to_owned(), refused.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
    }
}
