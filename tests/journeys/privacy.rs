//! No path leads a note, a mention, or a count of notes to a contact.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::StreamStart;
use proto::common::v1::stream_start::Start;
use proto::notes::v1 as notes;
use proto::notes::v1::watch_notes_response::Frame;
use proto::routing::v1 as pb;
use suite::client::Session;
use tonic::Code;

use crate::cast::{Ear, assigned, customer_writes, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::raw::{Values, call};
use crate::world::{ORG, World, in_every_shape};

/// In every private text here, and nowhere else.
const CANARY: &str = "canary-7d1f0c";

/// Writes a note.
pub(crate) async fn note_on(author: &Session, conversation_id: &str, body: &str) -> notes::Note {
    let request = notes::CreateNoteRequest {
        conversation_id: conversation_id.to_owned(),
        body: body.to_owned(),
        ..Default::default()
    };
    author.notes().create_note(request).await.unwrap().into_inner().note.unwrap()
}

/// What a contact sees of their own conversation.
pub(crate) async fn seen_by_contact(
    world: &World,
    conversation: &pb::Conversation,
) -> Vec<Vec<bytes::Bytes>> {
    let token = world.token(ORG, &conversation.contact_id, Role::Contact);
    let values = Values::from([
        ("conversation_id", conversation.conversation_id.clone()),
        ("contact_id", conversation.contact_id.clone()),
    ]);
    let mut seen = Vec::new();
    for path in [
        "/backchannel.routing.v1.ConversationService/GetConversation",
        "/backchannel.routing.v1.ConversationService/ListMessages",
        "/backchannel.routing.v1.ConversationService/ListConversations",
        "/backchannel.contacts.v1.ContactService/GetContact",
    ] {
        // A list is asked for all of one's own: the probe's other filters would find nothing.
        let values = match path.ends_with("ListConversations") {
            true => Values::from([
                ("view", "0".into()),
                ("sort", "0".into()),
                ("channel", "chat".into()),
                ("source", "airline".into()),
            ]),
            false => values.clone(),
        };
        let answer = call(world, &token, proto::method(path).unwrap(), &values).await;
        assert!(answer.status.is_none(), "{path}: {answer:?}");
        seen.push(answer.messages);
    }
    seen
}

/// Makes sure that there is something to leak: searches and streams show colleagues the notes which they shall not show a contact.
async fn shown_to_colleagues(colleague: &Session, conversation_id: &str) {
    let request = notes::SearchNotesRequest { query: CANARY.to_owned(), ..Default::default() };
    let found = colleague.note_search().search_notes(request).await.unwrap().into_inner().hits;
    assert_eq!(found.len(), 22, "on the conversation and on the contact");
    assert!(
        found.iter().all(|hit| hit.snippet.as_ref().is_some_and(|snippet| snippet.text.contains(CANARY)))
    );
    let request = notes::WatchNotesRequest {
        target: Some(notes::watch_notes_request::Target::ConversationId(conversation_id.to_owned())),
        start: Some(StreamStart { start: Some(Start::Earliest(())) }),
    };
    let mut stream = colleague.note_watch().watch_notes(request).await.unwrap().into_inner();
    for _ in 0..22 {
        let frame = stream.message().await.unwrap().unwrap().frame.unwrap();
        match frame {
            Frame::Change(change) => assert!(change.note.unwrap().body.contains(CANARY)),
            other => assert!(matches!(other, Frame::Opened(_)), "{other:?}"),
        }
    }
}

in_every_shape! {
    // N3
    async fn nothing_private_reaches_a_contact_by_any_rpc_or_stream(world: World) {
        let others = team(&world, "others", &["dora"]).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "p-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.clone().unwrap().subject);
        let colleague = team.other_than(&author.subject);
        let before = seen_by_contact(&world, &conversation).await;

        let supervisor = world.as_one("supervisor", Role::Supervisor);
        let mut ear = Ear::open(&colleague.api).await;
        let mut last = notes::Note::default();
        for number in 0..20 {
            let body = format!("{CANARY} {number}: he is lying. @{} @{}", colleague.subject, team.handle);
            last = note_on(&author.api, &conversation.conversation_id, &body).await;
        }
        let told = ear.hears().await;
        let (internal, thread) =
            tell(&supervisor, &conversation.conversation_id, &format!("{CANARY} you are lying"), None).await;
        // Events leave in their order: when the last note has reached routing, all have.
        let dora = &others.agents[0];
        note_on(&author.api, &conversation.conversation_id, &format!("{CANARY} @{}", dora.subject)).await;
        crate::cast::eventually("the last mention arrives in routing", || async {
            let request = pb::ListConversationsRequest { view: pb::InboxView::Mentioned.into(), ..Default::default() };
            let page = dora.api.conversations().list_conversations(request).await.unwrap().into_inner();
            page.entries.into_iter().next()
        })
        .await;

        let on_contact = format!("{CANARY} known for it");
        let on_contact =
            note_on_contact(&author.api, &conversation.contact_id, &conversation.conversation_id, &on_contact).await;
        shown_to_colleagues(&colleague.api, &conversation.conversation_id).await;

        let token = world.token(ORG, &conversation.contact_id, Role::Contact);
        let values = Values::from([
            ("query", CANARY.to_owned()),
            ("conversation_id", conversation.conversation_id.clone()),
            ("contact_id", conversation.contact_id.clone()),
            ("note_id", last.note_id.clone()),
            ("reply_to", on_contact.note_id.clone()),
            ("internal_thread_id", thread.internal_thread_id.clone()),
            ("up_to_internal_message_id", internal.internal_message_id.clone()),
            ("notification_id", told.notification_id.clone()),
            ("agent_id", author.agent_id.clone()),
            ("team_id", team.team_id.clone()),
            ("handle", author.subject.clone()),
        ]);
        for method in proto::METHODS {
            let answer = call(&world, &token, method, &values).await;
            let ids = [&last.note_id, &on_contact.note_id, &told.notification_id, &thread.internal_thread_id, &internal.internal_message_id];
            for private in ids.map(String::as_str).into_iter().chain([CANARY, "lying"]) {
                assert!(!answer.contains(private), "{} shows {private}: {answer:?}", method.path);
            }
            let package_is_private =
                method.path.starts_with("/backchannel.notes.") || method.path.starts_with("/backchannel.notifications.");
            if package_is_private && !method.public {
                assert_eq!(answer.code(), Some(Code::PermissionDenied), "{}: {answer:?}", method.path);
                assert!(answer.messages.is_empty(), "{}", method.path);
            }
        }
        let after = seen_by_contact(&world, &conversation).await;
        assert_eq!(before, after, "twenty notes and mentions changed not one byte of what the contact sees");
        world.stop().await;
    }

    // R4 N3
    async fn a_contact_sees_own_conversations_without_anything_internal(world: World) {
        let team = team(&world, "flights", &["ana"]).await;
        let tags = pb::action::Action::AddTags(pb::AddTags { tags: vec!["difficult-customer".into()] });
        route(&world, "airline", &team.team_id, vec![tags]).await;
        let recorded = customer_writes(&world, message("airline", "p-2", 0, "hello")).await;
        let own = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let other = customer_writes(&world, message("airline", "p-3", 0, "I am another")).await.conversation.unwrap();

        let contact = world.as_one(&own.contact_id, Role::Contact);
        let request = pb::GetConversationRequest { conversation_id: own.conversation_id.clone() };
        let seen = contact.conversations().get_conversation(request).await.unwrap().into_inner().conversation.unwrap();
        assert_eq!(seen.contact_id, own.contact_id);
        assert_eq!(
            (seen.assignee, seen.team_id, seen.tags, seen.etag, seen.priority, seen.waiting_since_time),
            (None, String::new(), vec![], String::new(), 0, None)
        );
        let request = pb::GetConversationRequest { conversation_id: other.conversation_id.clone() };
        let refused = contact.conversations().get_conversation(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let request = pb::ListMessagesRequest { conversation_id: other.conversation_id, ..Default::default() };
        assert_eq!(contact.conversations().list_messages(request).await.unwrap_err().code(), Code::NotFound);
        let listed = contact.conversations().list_conversations(pb::ListConversationsRequest::default()).await.unwrap();
        let listed: Vec<String> =
            listed.into_inner().entries.into_iter().map(|entry| entry.conversation.unwrap().conversation_id).collect();
        assert_eq!(listed, [own.conversation_id]);
        world.stop().await;
    }
}

// N3 P9
#[test]
fn logs_and_metrics_hold_nothing_of_what_was_written() {
    testkit::run(async {
        let world = World::four_processes(testkit::Engine::Postgres).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let text = format!("{CANARY} my number is 555");
        let recorded = customer_writes(&world, message("airline", "p-4", 0, &text)).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        note_on(&team.agents[0].api, &conversation.conversation_id, &format!("{CANARY} @ben")).await;
        let supervisor = world.as_one("supervisor", Role::Supervisor);
        tell(&supervisor, &conversation.conversation_id, &format!("{CANARY} what was that?"), None).await;
        // Refused calls are logged too.
        let broken = notes::CreateNoteRequest {
            conversation_id: CANARY.into(),
            body: CANARY.into(),
            request_id: CANARY.into(),
            ..Default::default()
        };
        team.agents[0].api.notes().create_note(broken).await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(500)).await;
        for address in world.metrics() {
            let page = crate::operations::get(&address, "/metrics").await;
            assert!(page.contains("rpc_server_duration_seconds"), "metrics are there");
            assert!(!page.contains(CANARY) && !page.contains("customer-of-p-4"), "{page}");
        }
        let logs = world.logs();
        assert!(logs.contains("serving"), "logs are there");
        assert!(!logs.contains(CANARY) && !logs.contains("customer-of-p-4"), "{logs}");
        assert!(
            logs.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
            "JSON lines: {logs}"
        );
        world.stop().await;
    });
}
