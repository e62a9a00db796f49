//! The same for many conversations: all or none.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::batch_assign_conversations_request::Target;
use proto::routing::v1::bulk_service_client::BulkServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::Code;

use crate::handoffs::handoff;
use crate::world::{NEW_YEAR, World, refusal};

impl World {
    fn bulk(&self, subject: &str) -> BulkServiceClient<Client> {
        BulkServiceClient::new(self.client(subject, Role::Agent))
    }

    async fn begin_some(&self, count: usize) -> Vec<Conversation> {
        let mut all = Vec::new();
        for number in 0..count {
            all.push(self.begin(&format!("c-{number}")).await);
        }
        all
    }
}

fn items(all: &[Conversation]) -> Vec<BatchItem> {
    let item =
        |it: &Conversation| BatchItem { conversation_id: it.conversation_id.clone(), etag: it.etag.clone() };
    all.iter().map(item).collect()
}

fn assigned_items(all: &[Conversation]) -> Vec<BatchAssignItem> {
    items(all)
        .into_iter()
        .map(|item| BatchAssignItem { conversation_id: item.conversation_id, etag: item.etag })
        .collect()
}

fn errors(results: &[BatchResult]) -> Vec<Option<ErrorReason>> {
    results.iter().map(|it| it.error.as_ref().map(BatchError::reason)).collect()
}

testkit::on_both_databases! {
    // R20
    async fn many_are_resolved_at_once_and_their_agent_has_room_again(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let mut all = world.begin_some(3).await;
        all[0] = world.assign("ana", &all[0], &ana).await.unwrap();
        all[2] = world.resolve(&all[2].conversation_id).await;
        let request = BatchResolveConversationsRequest { items: items(&all), request_id: world.request_id() };
        let done = world.bulk("ana").batch_resolve_conversations(request.clone()).await.unwrap().into_inner();
        assert!(done.applied && errors(&done.results) == [None; 3]);
        for (result, before) in done.results.iter().zip(&all) {
            let now = result.conversation.as_ref().unwrap();
            assert_eq!((&now.conversation_id, now.status()), (&before.conversation_id, ConversationStatus::Resolved));
            assert_eq!(now, &world.read(&before.conversation_id).await, "the answer is what is stored");
        }
        assert_eq!(done.results[2].conversation.as_ref(), Some(&all[2]), "a resolved one stays as it is");
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        let again = world.bulk("ana").batch_resolve_conversations(request).await.unwrap().into_inner();
        assert_eq!(again, done, "P5: a retry has the first answer");
    }

    // R20
    async fn where_one_cannot_change_none_does_and_each_says_why(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let mut all = world.begin_some(4).await;
        let stale = all[1].clone();
        all[1] = world.assign("ana", &all[1], &ana).await.unwrap();
        all[2] = world.resolve(&all[2].conversation_id).await;
        let mut sent = assigned_items(&[all[0].clone(), stale, all[2].clone(), all[3].clone()]);
        sent[3].conversation_id = world.request_id();
        let request = BatchAssignConversationsRequest {
            items: sent,
            target: Some(Target::AgentId(ana.agent_id.clone())),
            request_id: world.request_id(),
            ..Default::default()
        };
        let refused = world.bulk("ben").batch_assign_conversations(request.clone()).await.unwrap().into_inner();
        assert!(!refused.applied && refused.results.iter().all(|it| it.conversation.is_none()));
        assert_eq!(
            errors(&refused.results),
            [None, Some(ErrorReason::StaleEtag), Some(ErrorReason::ConversationResolved), Some(ErrorReason::NotFound)]
        );
        assert_eq!(refused.results[1].error.as_ref().unwrap().etag, all[1].etag, "with which to try again");
        for it in &all {
            assert_eq!(&world.read(&it.conversation_id).await, it);
        }
        let corrected = BatchAssignConversationsRequest { items: assigned_items(&all[..1]), ..request };
        let applied = world.bulk("ben").batch_assign_conversations(corrected).await.unwrap().into_inner();
        assert!(applied.applied, "what was not applied is not remembered for its request_id");
    }

    // R20, R8, R14
    async fn many_are_assigned_at_once_each_with_its_handoff(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let demanded = UpdateSettingsRequest { reassign_requires_handoff: Some(true), ..Default::default() };
        world.decide(demanded).await;
        let mut all = world.begin_some(3).await;
        all[0] = world.assign("ana", &all[0], &ana).await.unwrap();
        let request = BatchAssignConversationsRequest {
            items: assigned_items(&all),
            target: Some(Target::AgentId(ben.agent_id.clone())),
            ..Default::default()
        };
        let refused = world.bulk("ana").batch_assign_conversations(request.clone()).await.unwrap().into_inner();
        assert_eq!(errors(&refused.results), [Some(ErrorReason::HandoffRequired), None, None]);
        let request = BatchAssignConversationsRequest { handoff: Some(handoff()), ..request };
        let done = world.bulk("ana").batch_assign_conversations(request).await.unwrap().into_inner();
        assert!(done.applied);
        assert!(done.results.iter().all(|it| it.conversation.as_ref().unwrap().assignee.as_ref().unwrap().username == "ben"));
        let counts = (world.agent("ana").await.open_conversation_count, world.agent("ben").await.open_conversation_count);
        assert_eq!(counts, (0, 3));
        assert_eq!((world.notes.written(3).await.len(), world.told(3).await.len()), (3, 3));
        for it in &all {
            assert_eq!(world.decisions(&it.conversation_id).await[0].outcome(), DecisionOutcome::Assigned);
        }
    }

    // R20
    async fn many_join_a_queue_at_once_and_are_served(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.team("bags", &[&ana, &ben]).await;
        let all = world.begin_some(4).await;
        let request = BatchAssignConversationsRequest {
            items: assigned_items(&all),
            target: Some(Target::TeamId(team.team_id)),
            ..Default::default()
        };
        assert!(world.bulk("ana").batch_assign_conversations(request).await.unwrap().into_inner().applied);
        for it in &all {
            world.assigned(&it.conversation_id).await;
        }
        let counts = (world.agent("ana").await.open_conversation_count, world.agent("ben").await.open_conversation_count);
        assert_eq!(counts, (2, 2), "by turns");
    }

    // R20
    async fn tags_are_added_and_taken_off_and_fifty_are_enough(engine) {
        let world = World::on(engine).await;
        let all = world.begin_some(2).await;
        let request = BatchTagConversationsRequest {
            items: items(&all[..1]),
            add_tags: (0..50).map(|number| format!("t{number}")).collect(),
            ..Default::default()
        };
        let full = world.bulk("ana").batch_tag_conversations(request).await.unwrap().into_inner();
        let full = full.results[0].conversation.clone().unwrap();
        let one_more = BatchTagConversationsRequest {
            items: items(&[full.clone(), all[1].clone()]),
            add_tags: vec!["vip".into()],
            ..Default::default()
        };
        let refused = world.bulk("ana").batch_tag_conversations(one_more.clone()).await.unwrap().into_inner();
        assert_eq!(errors(&refused.results), [Some(ErrorReason::InvalidField), None]);
        assert!(world.read(&all[1].conversation_id).await.tags.is_empty());
        let instead = BatchTagConversationsRequest { remove_tags: vec!["t7".into(), "vip".into()], ..one_more };
        let done = world.bulk("ana").batch_tag_conversations(instead).await.unwrap().into_inner();
        let tags = |index: usize| done.results[index].conversation.as_ref().unwrap().tags.clone();
        assert!(tags(0).len() == 50 && tags(0).contains(&"vip".to_owned()) && !tags(0).contains(&"t7".to_owned()));
        assert_eq!(tags(1), ["vip"], "what is both taken off and added is there");
    }

    // R20, R6
    async fn many_are_put_aside_at_once_and_come_back_by_themselves(engine) {
        let world = World::at_new_year(engine).await;
        let ana = world.agent("ana").await;
        let mut all = world.begin_some(2).await;
        all[0] = world.assign("ana", &all[0], &ana).await.unwrap();
        let at = |seconds| Some(prost_types::Timestamp { seconds: NEW_YEAR.as_micros() / 1_000_000 + seconds, nanos: 0 });
        let request = |seconds| BatchSnoozeConversationsRequest { items: items(&all), snooze_until_time: at(seconds), ..Default::default() };
        let past = world.bulk("ana").batch_snooze_conversations(request(-1)).await.unwrap_err();
        assert_eq!(past.code(), Code::InvalidArgument);
        let done = world.bulk("ana").batch_snooze_conversations(request(60)).await.unwrap().into_inner();
        assert!(done.applied && world.view("ana", InboxView::Snoozed).await.len() == 2);
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        world.suite.hand().advance(std::time::Duration::from_secs(60));
        world.told(1).await;
        assert_eq!(world.agent("ana").await.open_conversation_count, 1);
    }

    // R20, P4
    async fn a_batch_is_one_to_a_hundred_conversations_each_named_once(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let many: Vec<Conversation> = std::iter::repeat_n(it.clone(), 101).collect();
        for sent in [vec![], items(&[it.clone(), it.clone()]), items(&many)] {
            let request = BatchResolveConversationsRequest { items: sent, ..Default::default() };
            let refused = world.bulk("ana").batch_resolve_conversations(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert!(refused.message().contains("items"), "{}", refused.message());
        }
        let nothing = BatchTagConversationsRequest { items: items(&[it]), ..Default::default() };
        let refused = world.bulk("ana").batch_tag_conversations(nothing).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}
