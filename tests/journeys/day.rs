//! The main job: messages become conversations, conversations become somebody's work, a colleague is pulled in, and
//! everybody concerned is told at once.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::contacts::v1::{GetContactRequest, TagContactRequest};
use proto::notes::v1 as notes;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use tonic::Code;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, set_availability, team};
use crate::world::{World, in_every_shape};

in_every_shape! {
    // C2 R5 R9 R10 N1 N7 D1 D3 R15
    async fn a_message_becomes_work_and_a_mentioned_colleague_is_told(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        let tags = pb::action::Action::AddTags(pb::AddTags { tags: vec!["travel".into()] });
        let urgent = pb::action::Action::SetPriority(pb::SetPriority { priority: pb::Priority::High.into() });
        route(&world, "airline", &team.team_id, vec![tags, urgent]).await;
        let mut ears = BTreeMap::new();
        for agent in &team.agents {
            ears.insert(agent.subject.clone(), Ear::open(&agent.api).await);
        }

        let recorded = customer_writes(&world, message("airline", "c-1", 0, "I lost my boarding pass")).await;
        assert!(recorded.conversation_created);
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        assert_eq!(conversation.team_id, team.team_id);
        assert_eq!(conversation.tags, ["travel"]);
        assert_eq!(conversation.priority(), pb::Priority::High);
        let assignee = conversation.assignee.clone().unwrap();
        let told = ears.get_mut(&assignee.subject).unwrap().hears().await;
        assert_eq!(told.r#type(), feed::NotificationType::Assigned);
        assert_eq!(told.conversation_id, conversation.conversation_id);

        let (author, colleague) = (team.agent(&assignee.subject), team.other_than(&assignee.subject));
        let request = notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id.clone(),
            body: format!("Lost pass. @{} have you seen this? @nobody-here", colleague.subject),
            ..Default::default()
        };
        let note = author.api.notes().create_note(request).await.unwrap().into_inner().note.unwrap();
        let outcomes: Vec<_> = note.mentions.iter().map(|mention| (mention.outcome(), mention.refusal())).collect();
        assert_eq!(outcomes, [
            (notes::MentionOutcome::Notified, notes::MentionRefusal::Unspecified),
            (notes::MentionOutcome::Refused, notes::MentionRefusal::Unknown),
        ]);
        let told = ears.get_mut(&colleague.subject).unwrap().hears().await;
        assert_eq!(told.r#type(), feed::NotificationType::Mentioned);
        assert_eq!(told.note_id, note.note_id);
        assert!(!told.reason.contains("Lost pass"), "a reason carries no content");

        let decisions = author
            .api
            .assignments()
            .explain_assignment(pb::ExplainAssignmentRequest {
                conversation_id: conversation.conversation_id.clone(),
                ..Default::default()
            })
            .await
            .unwrap()
            .into_inner()
            .decisions;
        let decision = &decisions[0];
        assert_eq!(decision.outcome(), pb::DecisionOutcome::Assigned);
        assert_eq!(decision.chosen.as_ref().unwrap().subject, assignee.subject);
        assert_eq!(decision.candidates.len(), 2);
        assert_eq!(decision.workflows[0].verdict(), pb::WorkflowVerdict::Matched);
        assert!(!decision.summary.is_empty());
        world.stop().await;
    }

    // R7 N7
    async fn a_mention_puts_the_conversation_into_the_colleagues_view_until_they_read_it(world: World) {
        let team = team(&world, "claims", &["ana", "ben"]).await;
        route(&world, "insurance", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("insurance", "c-2", 0, "where is my claim")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let assignee = conversation.assignee.unwrap().subject;
        let colleague = team.other_than(&assignee);
        let request = notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id.clone(),
            body: format!("@{} please", colleague.subject),
            ..Default::default()
        };
        team.agent(&assignee).api.notes().create_note(request).await.unwrap();

        let mentioned = || async {
            let request =
                pb::ListConversationsRequest { view: pb::InboxView::Mentioned.into(), ..Default::default() };
            let entries =
                colleague.api.conversations().list_conversations(request).await.unwrap().into_inner().entries;
            entries.into_iter().next()
        };
        let entry = eventually("the mention is in the view", mentioned).await;
        assert!(entry.mentioned && entry.unread);
        let counts = colleague.api.conversations().get_inbox_counts(pb::GetInboxCountsRequest {}).await.unwrap();
        let counts = counts.into_inner().counts;
        let of = |view: pb::InboxView| counts.iter().find(|count| count.view() == view).unwrap().count;
        assert_eq!((of(pb::InboxView::Mentioned), of(pb::InboxView::Unread), of(pb::InboxView::Mine)), (1, 1, 0));

        let read = pb::MarkConversationReadRequest { conversation_id: conversation.conversation_id.clone() };
        colleague.api.conversations().mark_conversation_read(read).await.unwrap();
        let entry = mentioned().await.expect("a mention stays in its view until the conversation is resolved");
        assert!(!entry.mentioned && !entry.unread, "and is read");
        world.stop().await;
    }

    // R6 R8 D1
    async fn a_customer_who_writes_again_reopens_the_conversation_with_its_assignee(world: World) {
        let team = team(&world, "cards", &["ana", "ben"]).await;
        route(&world, "finance", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("finance", "c-3", 0, "my card is gone")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let assignee = conversation.assignee.unwrap();
        let agent = team.agent(&assignee.subject);
        let mut ear = Ear::open(&agent.api).await;
        let resolve = pb::ResolveConversationRequest {
            conversation_id: conversation.conversation_id.clone(),
            etag: String::new(),
        };
        let resolved = agent.api.conversations().resolve_conversation(resolve).await.unwrap().into_inner();
        assert_eq!(resolved.conversation.unwrap().status(), pb::ConversationStatus::Resolved);

        let again = customer_writes(&world, message("finance", "c-3", 1, "one more thing")).await;
        let reopened = again.conversation.unwrap();
        assert_eq!(reopened.status(), pb::ConversationStatus::Open);
        assert_eq!(reopened.assignee.unwrap().subject, assignee.subject);
        assert_eq!(reopened.message_count, 2);
        let told = ear.hears_of(feed::NotificationType::Reopened).await;
        assert_eq!(told.conversation_id, conversation.conversation_id);
        world.stop().await;
    }
}

testkit::on_both_databases! {
    // R10
    async fn turns_are_strict_over_agents_who_are_there(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "orders", &["ana", "ben", "cleo"]).await;
        route(&world, "fastfood", &team.team_id, vec![]).await;
        let mut got: BTreeMap<String, usize> = BTreeMap::new();
        let mut turns = Vec::new();
        for number in 0..9 {
            let recorded = customer_writes(&world, message("fastfood", &format!("c-{number}"), 0, "a pizza")).await;
            let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
            let subject = conversation.assignee.unwrap().subject;
            *got.entry(subject.clone()).or_default() += 1;
            turns.push(subject);
        }
        assert!(got.values().all(|count| *count == 3), "{got:?}");
        for window in turns.windows(3) {
            assert_eq!(window.iter().collect::<BTreeSet<_>>().len(), 3, "{turns:?}");
        }
    }

    // R11
    async fn work_waits_while_nobody_is_there_and_drains_when_somebody_comes(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "night", &["ana"]).await;
        route(&world, "media", &team.team_id, vec![]).await;
        let ana = &team.agents[0];
        set_availability(&ana.api, &ana.agent_id, pb::Availability::Offline).await;
        let mut waiting = Vec::new();
        for number in 0..5 {
            let recorded = customer_writes(&world, message("media", &format!("n-{number}"), 0, "hello")).await;
            waiting.push(recorded.conversation.unwrap().conversation_id);
        }
        let queued = eventually("the decision to wait is stored", || async {
            let request = pb::ExplainAssignmentRequest { conversation_id: waiting[0].clone(), ..Default::default() };
            ana.api.assignments().explain_assignment(request).await.unwrap().into_inner().decisions.into_iter().next()
        })
        .await;
        assert_eq!(queued.outcome(), pb::DecisionOutcome::Queued);
        assert_eq!(queued.candidates[0].exclusion(), pb::Exclusion::Offline);
        set_availability(&ana.api, &ana.agent_id, pb::Availability::Online).await;
        for conversation_id in &waiting {
            assert_eq!(assigned(&world, conversation_id).await.assignee.unwrap().subject, "ana");
        }
    }

    // R8
    async fn of_two_who_assign_at_once_one_wins(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "duel", &["ana", "ben"]).await;
        for number in 0..20 {
            // No workflow knows this source, so nobody else assigns.
            let recorded = customer_writes(&world, message("nowhere", &format!("d-{number}"), 0, "hi")).await;
            let conversation = recorded.conversation.unwrap();
            let tries = team.agents.iter().map(|agent| {
                let request = pb::AssignConversationRequest {
                    conversation_id: conversation.conversation_id.clone(),
                    etag: conversation.etag.clone(),
                    target: Some(pb::assign_conversation_request::Target::AgentId(agent.agent_id.clone())),
                    ..Default::default()
                };
                let mut assignments = agent.api.assignments();
                async move { assignments.assign_conversation(request).await }
            });
            let outcomes = futures::future::join_all(tries).await;
            let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(won, 1, "{outcomes:?}");
            let lost = outcomes.into_iter().find_map(Result::err).unwrap();
            assert_eq!((lost.code(), rpc::reason_of(&lost)), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        }
    }

    // R9
    async fn a_condition_that_is_not_cel_is_refused_with_its_position(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "rules", &["ana"]).await;
        let action = pb::action::Action::AssignTeam(pb::AssignTeam { team_id: team.team_id, ..Default::default() });
        let spec = pb::WorkflowSpec {
            name: "broken".into(),
            trigger: pb::Trigger::ConversationCreated.into(),
            condition: "conversation.sauce == 'airline'".into(),
            actions: vec![pb::Action { action: Some(action) }],
            ..Default::default()
        };
        let admin = world.as_one("admin", Role::Admin);
        let request = pb::CreateWorkflowRequest { spec: Some(spec), ..Default::default() };
        let refused = admin.workflows().create_workflow(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(rpc::reason_of(&refused), Some(ErrorReason::InvalidExpression));
        let info = tonic_types::StatusExt::get_details_error_info(&refused).unwrap();
        assert_eq!(info.metadata["line"], "1");
        assert!(info.metadata.contains_key("column") && info.metadata["expected"].contains("source"), "{info:?}");
    }

    // C3 R9
    async fn tags_of_a_contact_route_their_next_conversation(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "gold-desk", &["ana"]).await;
        let first = customer_writes(&world, message("shop", "g-1", 0, "hello")).await.conversation.unwrap();
        let admin = world.as_one("admin", Role::Admin);
        let tag = TagContactRequest { contact_id: first.contact_id.clone(), add: vec!["gold".into()], remove: vec![] };
        admin.contacts().tag_contact(tag).await.unwrap();
        let action = pb::action::Action::AssignTeam(pb::AssignTeam { team_id: team.team_id.clone(), ..Default::default() });
        let spec = pb::WorkflowSpec {
            name: "gold first".into(),
            trigger: pb::Trigger::ConversationCreated.into(),
            condition: "'gold' in contact.tags".into(),
            actions: vec![pb::Action { action: Some(action) }],
            ..Default::default()
        };
        let request = pb::CreateWorkflowRequest { spec: Some(spec), ..Default::default() };
        admin.workflows().create_workflow(request).await.unwrap();
        let mut next = message("shop", "g-2", 0, "hello again");
        next.contact_address = "customer-of-g-1".into();
        let second = customer_writes(&world, next).await.conversation.unwrap();
        assert_eq!(second.contact_id, first.contact_id, "one address, one contact");
        assert_eq!(assigned(&world, &second.conversation_id).await.team_id, team.team_id);
        let read = admin.contacts().get_contact(GetContactRequest { contact_id: first.contact_id }).await.unwrap();
        assert_eq!(read.into_inner().contact.unwrap().tags, ["gold"]);
    }
}
