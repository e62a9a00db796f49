//! C9: what a blocked contact writes calls nobody. Contacts is asked only where it matters.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

/// A team with Ana at work, to which everything goes.
async fn at_work(world: &World) -> Agent {
    let ana = world.online("ana").await;
    let team = world.team("flights", &[&ana]).await;
    world.route("true", &team).await;
    ana
}

/// The line of a conversation in a view of Ana's.
async fn line(world: &World, view: InboxView, it: &Conversation) -> Option<InboxEntry> {
    let of_it =
        |entry: &InboxEntry| entry.conversation.as_ref().unwrap().conversation_id == it.conversation_id;
    world.view("ana", view).await.into_iter().find(of_it)
}

async fn snooze(world: &World, it: &Conversation) {
    let later = world.suite.clock().now().plus(std::time::Duration::from_secs(3_600));
    let request = SnoozeConversationRequest {
        conversation_id: it.conversation_id.clone(),
        snooze_until_time: Some(rpc::convert::proto_time(later)),
        etag: String::new(),
    };
    world.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
}

testkit::on_both_databases! {
    // C9
    async fn a_blocked_contacts_conversation_is_born_resolved_and_nobody_is_called(engine) {
        let world = World::on(engine).await;
        at_work(&world).await;
        world.contacts.block("customer-spam", true);
        let first = RecordMessageRequest { tags: vec!["web".into()], ..inbound("spam", "1") };
        let answer = world.record(first).await;
        assert!(answer.conversation_created && !answer.duplicate);
        let it = answer.conversation.unwrap();
        assert_eq!((it.status(), it.message_count), (ConversationStatus::Resolved, 1));
        assert_eq!((&it.assignee, it.team_id.as_str(), it.waiting_since_time), (&None, "", None));
        assert!(it.resolve_time.is_some() && it.tags == ["web"]);
        assert_eq!(world.read(&it.conversation_id).await, it);
        let decided = world.decisions(&it.conversation_id).await;
        let [decision] = decided.as_slice() else { panic!("{decided:?}") };
        assert_eq!(
            (decision.cause(), decision.outcome()),
            (DecisionCause::BlockedContact, DecisionOutcome::Resolved)
        );
        assert!(decision.candidates.is_empty() && decision.workflows.is_empty(), "nobody was considered");
        assert!(decision.summary.contains("the contact is blocked"), "{}", decision.summary);

        // Somebody else's conversation goes its way, and is the only one of which anybody hears.
        let other = world.begin("other").await;
        world.assigned(&other.conversation_id).await;
        let told = world.told(1).await;
        assert_eq!(told.iter().map(|it| it.conversation_id.as_str()).collect::<Vec<_>>(), [other.conversation_id.as_str()]);
        assert!(!line(&world, InboxView::Resolved, &it).await.unwrap().unread);
        assert!(line(&world, InboxView::All, &it).await.is_none());
        assert!(line(&world, InboxView::Unassigned, &it).await.is_none());
        let mut own = world.conversations(&it.contact_id, Role::Contact);
        let request = GetConversationRequest { conversation_id: it.conversation_id.clone() };
        let seen = own.get_conversation(request).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!((seen.status(), seen.message_count), (ConversationStatus::Resolved, 1));
        world.suite.stop().await;
    }

    // C9
    async fn a_blocked_contacts_message_opens_nothing_and_after_the_block_the_next_one_does(engine) {
        let world = World::on(engine).await;
        at_work(&world).await;
        let it = world.assigned(&world.begin("c-1").await.conversation_id).await;
        let read = MarkConversationReadRequest { conversation_id: it.conversation_id.clone() };
        world.conversations("ana", Role::Agent).mark_conversation_read(read).await.unwrap();
        world.resolve(&it.conversation_id).await;
        world.contacts.block("customer-c-1", true);

        let answer = world.record(inbound("c-1", "2")).await;
        let quiet = answer.conversation.unwrap();
        assert_eq!((quiet.status(), quiet.message_count), (ConversationStatus::Resolved, 2));
        assert_eq!(quiet.waiting_since_time, None);
        assert_eq!(answer.message.unwrap().position, 2, "it is kept");
        assert!(!line(&world, InboxView::Resolved, &quiet).await.unwrap().unread);
        assert!(world.record(inbound("c-1", "2")).await.duplicate);

        world.contacts.block("customer-c-1", false);
        let heard = world.record(inbound("c-1", "3")).await.conversation.unwrap();
        assert_eq!((heard.status(), heard.message_count), (ConversationStatus::Open, 3));
        assert!(line(&world, InboxView::Mine, &heard).await.unwrap().unread);
        let told: Vec<_> = world.told(2).await.iter().map(|told| told.r#type()).collect();
        assert_eq!(told, [NotificationType::Assigned, NotificationType::Reopened], "of the third message, not of the second");
        world.suite.stop().await;
    }

    // C9
    async fn a_blocked_contacts_message_leaves_a_snoozed_conversation_asleep_and_an_open_one_open(engine) {
        let world = World::on(engine).await;
        at_work(&world).await;
        let asleep = world.assigned(&world.begin("asleep").await.conversation_id).await;
        snooze(&world, &asleep).await;
        let open = world.assigned(&world.begin("open").await.conversation_id).await;
        world.contacts.block("customer-asleep", true);
        world.contacts.block("customer-open", true);
        let asleep = world.record(inbound("asleep", "2")).await.conversation.unwrap();
        assert_eq!(asleep.status(), ConversationStatus::Snoozed);
        let still = world.record(inbound("open", "2")).await.conversation.unwrap();
        assert_eq!((still.status(), still.assignee), (ConversationStatus::Open, open.assignee));
        // Whoever wants to talk to them nevertheless opens it by hand.
        let request = ReopenConversationRequest { conversation_id: asleep.conversation_id, etag: String::new() };
        let opened = world.conversations("ana", Role::Agent).reopen_conversation(request).await.unwrap();
        assert_eq!(opened.into_inner().conversation.unwrap().status(), ConversationStatus::Open);
        world.suite.stop().await;
    }

    // C9 R5
    async fn contacts_is_asked_before_a_conversation_opens_again_and_never_for_an_open_one(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        assert_eq!(world.contacts.asked(), ["ResolveContact"]);
        world.contacts.go_down(true);
        world.record(inbound("c-1", "2")).await;
        world.record(outbound("c-1", "3")).await;
        world.resolve(&it.conversation_id).await;
        world.record(outbound("c-1", "4")).await;
        assert!(world.record(inbound("c-1", "2")).await.duplicate);
        assert!(world.contacts.asked().is_empty());

        let refused = world.adapter().record_message(inbound("c-1", "5")).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
        assert_eq!(world.contacts.asked(), ["GetContact"]);
        let untouched = world.read(&it.conversation_id).await;
        assert_eq!((untouched.status(), untouched.message_count), (ConversationStatus::Resolved, 4));

        world.contacts.go_down(false);
        let opened = world.record(inbound("c-1", "5")).await;
        assert!(!opened.duplicate);
        assert_eq!(opened.conversation.unwrap().status(), ConversationStatus::Open);
        assert_eq!(world.contacts.asked(), ["GetContact"]);
        world.suite.stop().await;
    }

    // C9
    async fn many_first_messages_of_a_blocked_contact_at_once_begin_one_resolved_conversation(engine) {
        let world = World::on(engine).await;
        world.contacts.block("customer-c-1", true);
        let numbers: Vec<String> = (1..=8).map(|number| number.to_string()).collect();
        let all = futures::future::join_all(numbers.iter().map(|number| world.record(inbound("c-1", number)))).await;
        assert_eq!(all.iter().filter(|answer| answer.conversation_created).count(), 1);
        let it = world.read(&all[0].conversation.as_ref().unwrap().conversation_id).await;
        assert_eq!((it.status(), it.message_count), (ConversationStatus::Resolved, 8));
        world.suite.stop().await;
    }
}
