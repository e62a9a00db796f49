//! D8: what other services tell of what happened goes to the webhooks that want it.

use crate::support::*;
use kernel::{Clock, OrgId, Role};
use proto::common::v1::EventDisposition;
use proto::notifications::v1 as pb;
use proto::notifications::v1::WebhookEventType as Type;
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::webhook_service_client::WebhookServiceClient;
use rpc::convert::proto_time;
use testkit::{Client, Suite};
use tonic::Code;

type Events = WebhookEventServiceClient<Client>;

fn events(suite: &Suite, org: &str) -> Events {
    WebhookEventServiceClient::new(suite.client(org, "notes", Role::Service))
}

/// Somebody listens. Nobody is there: the calls fail, which is not what this is about.
async fn webhook(suite: &Suite, org: &str, types: &[Type], include_private: bool) {
    let request = pb::CreateWebhookRequest {
        url: "https://hooks.example.com/in".to_owned(),
        event_types: types.iter().map(|kind| (*kind).into()).collect(),
        include_private,
        ..Default::default()
    };
    let mut admin = WebhookServiceClient::new(suite.client(org, "root", Role::Admin));
    admin.create_webhook(request).await.unwrap();
}

/// A note was written, which says so.
fn note(kind: Type) -> pb::WebhookEvent {
    let clock = Clock::system();
    let change = pb::WebhookNoteChange {
        note_id: clock.new_id().to_string(),
        kind: pb::WebhookNoteKind::Conversation.into(),
        conversation_id: clock.new_id().to_string(),
        contact_id: clock.new_id().to_string(),
        revision: 1,
    };
    pb::WebhookEvent {
        event_id: clock.new_id().to_string(),
        r#type: kind.into(),
        occur_time: Some(proto_time(clock.now())),
        actor: None,
        change: Some(Change::Note(change)),
        private_text: "he is lying".to_owned(),
    }
}

async fn publish(events: &mut Events, sent: Vec<pb::WebhookEvent>) -> Vec<EventDisposition> {
    let answer = events.publish_webhook_events(pb::PublishWebhookEventsRequest { events: sent }).await;
    dispositions(&answer.unwrap().into_inner().outcomes)
}

/// What is kept to be told: the type, and what is private.
async fn kept(suite: &Suite, org: &str) -> Vec<(String, Option<String>)> {
    let db = tables(suite).await;
    let org = OrgId::parse(org).unwrap();
    let read = db.read(&org, |tx| {
        Box::pin(async move {
            tx.query("SELECT type, private_text FROM webhook_events WHERE org_id = $1 ORDER BY create_time, event_id")
                .fetch_all::<(String, Option<String>)>(tx)
                .await
        })
    });
    let kept = read.await.unwrap();
    db.close().await;
    kept
}

async fn interest(events: &mut Events) -> (Vec<i32>, bool) {
    let answer = events.get_webhook_interest(pb::GetWebhookInterestRequest {}).await.unwrap().into_inner();
    (answer.types, answer.private_text)
}

fn numbers(types: &[Type]) -> Vec<i32> {
    types.iter().map(|kind| (*kind).into()).collect()
}

testkit::on_both_databases! {
    // D8
    async fn an_event_that_somebody_wants_is_kept_once_and_what_nobody_wants_leaves_no_trace(engine) {
        let suite = suite(engine).await;
        let mut events = events(&suite, "acme");
        let early = note(Type::NoteCreated);
        assert_eq!(publish(&mut events, vec![early.clone()]).await, [EventDisposition::Applied]);
        webhook(&suite, "acme", &[Type::NoteCreated], false).await;
        let (wanted, other) = (note(Type::NoteCreated), note(Type::NoteDeleted));
        let other = pb::WebhookEvent { private_text: String::new(), ..other };
        let sent = vec![wanted.clone(), other, wanted.clone()];
        assert_eq!(publish(&mut events, sent).await, [EventDisposition::Applied; 3]);
        assert_eq!(publish(&mut events, vec![wanted]).await, [EventDisposition::Duplicate]);
        assert_eq!(kept(&suite, "acme").await, [("note.created".to_owned(), None)]);
        // What nobody wanted when it was told is not remembered either: it would take effect now.
        assert_eq!(publish(&mut events, vec![early]).await, [EventDisposition::Applied]);
        assert_eq!(kept(&suite, "acme").await.len(), 2);
    }

    // D8, N3
    async fn what_a_note_says_is_kept_only_where_a_webhook_is_to_get_it(engine) {
        let suite = suite(engine).await;
        for (org, include_private) in [("acme", false), ("globex", true)] {
            webhook(&suite, org, &[Type::NoteCreated], include_private).await;
            let mut events = events(&suite, org);
            let wanted = numbers(&[Type::NoteCreated, Type::ContactErased]);
            assert_eq!(interest(&mut events).await, (wanted, include_private));
            publish(&mut events, vec![note(Type::NoteCreated)]).await;
            let text = include_private.then(|| "he is lying".to_owned());
            assert_eq!(kept(&suite, org).await, [("note.created".to_owned(), text)]);
        }
    }

    // D8, P1
    async fn interest_is_all_that_the_webhooks_of_one_organization_want(engine) {
        let suite = suite(engine).await;
        let mut acme = events(&suite, "acme");
        assert_eq!(interest(&mut acme).await, (vec![], false));
        webhook(&suite, "acme", &[Type::ContactMerged, Type::NoteCreated], false).await;
        webhook(&suite, "acme", &[Type::NoteCreated, Type::ConversationCreated], false).await;
        // And an erasure, which takes along what is kept.
        let all = [Type::ConversationCreated, Type::NoteCreated, Type::ContactMerged, Type::ContactErased];
        assert_eq!(interest(&mut acme).await, (numbers(&all), false));
        assert_eq!(interest(&mut events(&suite, "globex")).await, (vec![], false));
    }

    // D8, P4
    async fn an_event_that_cannot_be_passed_on_is_refused_by_itself(engine) {
        let suite = suite(engine).await;
        webhook(&suite, "acme", &[Type::NoteCreated, Type::ContactCreated], false).await;
        let mut events = events(&suite, "acme");
        let misfit = pb::WebhookEvent { r#type: Type::ContactCreated.into(), ..note(Type::NoteCreated) };
        let sent = vec![note(Type::NoteCreated), misfit, note(Type::NoteCreated)];
        let [applied, refused] = [EventDisposition::Applied, EventDisposition::Refused];
        assert_eq!(publish(&mut events, sent).await, [applied, refused, applied]);
        let nameless = pb::WebhookEvent { event_id: String::new(), ..note(Type::NoteCreated) };
        let request = pb::PublishWebhookEventsRequest { events: vec![nameless] };
        assert_eq!(events.publish_webhook_events(request).await.unwrap_err().code(), Code::InvalidArgument);
    }

    // D8, P12
    async fn what_is_kept_about_a_contact_goes_with_it_though_nobody_wants_to_know_of_that(engine) {
        let suite = suite(engine).await;
        webhook(&suite, "acme", &[Type::NoteCreated], true).await;
        let mut events = events(&suite, "acme");
        let (doomed, other) = (note(Type::NoteCreated), note(Type::NoteCreated));
        publish(&mut events, vec![doomed.clone(), other]).await;
        let Some(Change::Note(change)) = &doomed.change else { panic!("a note") };
        let erased = pb::WebhookContactChange { contact_id: change.contact_id.clone(), ..Default::default() };
        let erased = pb::WebhookEvent {
            change: Some(Change::Contact(erased)),
            private_text: String::new(),
            ..note(Type::ContactErased)
        };
        assert_eq!(publish(&mut events, vec![erased]).await, [EventDisposition::Applied]);
        assert_eq!(kept(&suite, "acme").await, [("note.created".to_owned(), Some("he is lying".to_owned()))]);
    }

    // D8, P12
    async fn nothing_is_told_of_an_erased_conversation_and_what_was_kept_goes_with_it(engine) {
        let suite = suite(engine).await;
        webhook(&suite, "acme", &[Type::NoteCreated], true).await;
        let mut events = events(&suite, "acme");
        let (doomed, other) = (note(Type::NoteCreated), note(Type::NoteCreated));
        publish(&mut events, vec![doomed.clone(), other]).await;
        let Some(Change::Note(change)) = &doomed.change else { panic!("a note") };
        let request = pb::EraseConversationsRequest {
            erasure_id: Clock::system().new_id().to_string(),
            conversation_ids: vec![change.conversation_id.clone()],
        };
        let contacts = suite.client("acme", "contacts", Role::Service);
        let mut erasure = pb::erasure_service_client::ErasureServiceClient::new(contacts);
        while !erasure.erase_conversations(request.clone()).await.unwrap().into_inner().done {}
        assert_eq!(kept(&suite, "acme").await.len(), 1);
        let late = pb::WebhookEvent { event_id: Clock::system().new_id().to_string(), ..doomed };
        assert_eq!(publish(&mut events, vec![late]).await, [EventDisposition::Applied]);
        assert_eq!(kept(&suite, "acme").await.len(), 1);
    }
}
