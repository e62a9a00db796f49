//! Routing's part in the erasure of a contact (P12).

use db::{Db, Target};
use kernel::{Clock, OrgId, Role};
use proto::common::v1::{ErasedCount, EventDisposition};
use proto::routing::v1::erasure_service_client::ErasureServiceClient;
use proto::routing::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::*;

fn erasures(world: &World) -> ErasureServiceClient<Client> {
    ErasureServiceClient::new(world.client("contacts", Role::Service))
}

/// Erases contacts, until nothing is left; what was removed, by kind.
pub(crate) async fn erase(world: &World, erasure_id: &str, contacts: &[&str]) -> Vec<(String, i64)> {
    let request = EraseContactRequest {
        erasure_id: erasure_id.to_owned(),
        contact_ids: contacts.iter().map(|id| (*id).to_owned()).collect(),
    };
    loop {
        let answer = erasures(world).erase_contact(request.clone()).await.unwrap().into_inner();
        if answer.done {
            return answer.removed.into_iter().map(|ErasedCount { kind, count }| (kind, count)).collect();
        }
    }
}

fn counted(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

/// A first message of a conversation with one certain customer, who can have several.
fn from_mia(conversation: &str, message: &str) -> RecordMessageRequest {
    let subject = format!("marker-mia subject of {conversation}");
    RecordMessageRequest {
        contact_address: "marker-mia".into(),
        text: "marker-mia lives here".into(),
        subject,
        ..inbound(conversation, message)
    }
}

/// The service's tables, seen from beside it.
pub(crate) async fn tables(world: &World) -> Db {
    let target = match world.suite.database_url() {
        Some(url) => Target::Postgres { url, schema: "routing".to_owned(), connections: 1 },
        None => Target::Sqlite { path: world.suite.data().join("routing.db"), readers: 1 },
    };
    Db::open(target, &assignment_routing::store::MIGRATIONS, Clock::system()).await.unwrap()
}

/// How many rows a table has in the organization.
pub(crate) async fn rows(world: &World, table: &'static str) -> i64 {
    let db = tables(world).await;
    let org = OrgId::parse(ORG).unwrap();
    let count = db.read(&org, move |tx| {
        Box::pin(async move {
            let query = tx.query_dynamic(format!("SELECT COUNT(*) FROM {table} WHERE org_id = $1"));
            query.fetch_value::<i64>(tx).await
        })
    });
    let count = count.await.unwrap();
    db.close().await;
    count
}

async fn open_count(world: &World, agent: &Agent) -> i64 {
    let db = tables(world).await;
    let agent = kernel::AgentId::parse(&agent.agent_id).unwrap();
    let org = OrgId::parse(ORG).unwrap();
    let count = db.read(&org, move |tx| {
        Box::pin(async move {
            let query = tx.query("SELECT open_count FROM loads WHERE org_id = $1 AND agent_id = $2");
            query.bind(agent).fetch_value::<i64>(tx).await
        })
    });
    let count = count.await.unwrap();
    db.close().await;
    count
}

fn note_added(world: &World, conversation: &str) -> ApplyEventsRequest {
    let event = conversation_event::Event::NoteAdded(NoteAdded { author_subject: "ana".into() });
    ApplyEventsRequest {
        events: vec![ConversationEvent {
            event_id: world.request_id(),
            conversation_id: conversation.to_owned(),
            occur_time: Some(rpc::convert::proto_time(world.clock.now())),
            event: Some(event),
        }],
    }
}

testkit::on_both_databases! {
    // P12
    async fn an_erased_contact_leaves_no_conversation_and_frees_who_had_them(engine) {
        let world = World::on(engine).await;
        let ana = world.online("ana").await;
        let (flights, empty) = (world.team("flights", &[&ana]).await, world.team("empty", &[]).await);
        world.route("conversation.subject.contains('empty')", &empty).await;
        world.route("!conversation.subject.contains('empty')", &flights).await;
        let first = world.record(from_mia("m-1", "1")).await.conversation.unwrap();
        world.record(outbound("m-1", "2")).await;
        world.assigned(&first.conversation_id).await;
        let snoozed = world.record(from_mia("m-2", "1")).await.conversation.unwrap();
        world.assigned(&snoozed.conversation_id).await;
        let request = SnoozeConversationRequest {
            conversation_id: snoozed.conversation_id.clone(),
            snooze_until_time: Some(rpc::convert::proto_time(
                world.clock.now().plus(std::time::Duration::from_secs(3_600)),
            )),
            ..Default::default()
        };
        world.conversations("ana", Role::Agent).snooze_conversation(request).await.unwrap();
        let resolved = world.record(from_mia("m-3", "1")).await.conversation.unwrap();
        world.assigned(&resolved.conversation_id).await;
        world.resolve(&resolved.conversation_id).await;
        let waiting = from_mia("m-4 empty", "1");
        let waiting = world.record(waiting).await.conversation.unwrap();
        let other = world.begin("other").await;
        world.assigned(&other.conversation_id).await;
        world.events().apply_events(note_added(&world, &first.conversation_id)).await.unwrap();
        let update = UpdateConversationRequest {
            conversation_id: first.conversation_id.clone(),
            subject: "marker-mia again".into(),
            request_id: world.request_id(),
            ..Default::default()
        };
        world.adapter().update_conversation(update).await.unwrap();
        assert_eq!(open_count(&world, &ana).await, 2, "one of Mia's, and another");
        assert_eq!(rows(&world, "retry_keys").await, 1);

        let erasure = world.request_id();
        let removed = erase(&world, &erasure, &[&first.contact_id]).await;
        let of = |kind: &str| removed.iter().find(|(it, _)| it == kind).map_or(0, |(_, count)| *count);
        assert_eq!((of("conversations"), of("messages"), of("assignments")), (4, 5, 3));
        assert_eq!((of("read_cursors"), of("kept_answers")), (1, 1));
        assert_eq!(erase(&world, &erasure, &[&first.contact_id]).await, removed, "told again, not counted again");

        for it in [&first, &snoozed, &resolved, &waiting] {
            let request = GetConversationRequest { conversation_id: it.conversation_id.clone() };
            let gone = world.conversations("ana", Role::Agent).get_conversation(request).await.unwrap_err();
            assert_eq!(gone.code(), Code::NotFound);
        }
        assert_eq!(open_count(&world, &ana).await, 1, "Ana has room again");
        let mine = world.view("ana", InboxView::Mine).await;
        assert_eq!(mine.len(), 1);
        assert_eq!(mine[0].conversation.as_ref().unwrap().conversation_id, other.conversation_id);
        for (table, left) in [("conversations", 1), ("messages", 1), ("queue", 0), ("snoozes", 0), ("assignments", 1),
            ("note_counts", 0), ("read_cursors", 0), ("mentions", 0), ("retry_keys", 0)] {
            assert_eq!(rows(&world, table).await, left, "{table}");
        }
        world.suite.stop().await;
    }

    // P12
    async fn an_erasure_tells_which_conversations_it_removed_page_by_page(engine) {
        let world = World::on(engine).await;
        let mut begun = Vec::new();
        let mut contact = String::new();
        for number in 0..5 {
            let it = world.record(from_mia(&format!("m-{number}"), "1")).await.conversation.unwrap();
            begun.push(it.conversation_id);
            contact = it.contact_id;
        }
        begun.sort_unstable();
        let erasure = world.request_id();
        assert_eq!(erase(&world, &erasure, &[&contact]).await[0], ("conversations".to_owned(), 5));
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListErasedConversationsRequest { erasure_id: erasure.clone(), page_size: 2, page_token };
            let page = erasures(&world).list_erased_conversations(request).await.unwrap().into_inner();
            listed.extend(page.conversation_ids);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, begun);
        world.suite.stop().await;
    }

    // P12
    async fn a_first_message_under_way_when_its_sender_is_erased_begins_nothing_with_them(engine) {
        let world = World::on(engine).await;
        let known = world.record(from_mia("m-1", "1")).await.conversation.unwrap();
        erase(&world, &world.request_id(), &[&known.contact_id]).await;

        // Contacts answered before the erasure: in this world it never learns of it.
        let late = world.adapter().record_message(from_mia("m-2", "1")).await.unwrap_err();
        assert_eq!(late.code(), Code::Unavailable, "{late:?}");
        let late = world.adapter().record_message(from_mia("m-1", "2")).await.unwrap_err();
        assert_eq!(late.code(), Code::Unavailable, "{late:?}");
        assert_eq!((rows(&world, "conversations").await, rows(&world, "messages").await), (0, 0));
        // Somebody else is not touched.
        world.begin("other").await;
        world.suite.stop().await;
    }

    // P12
    async fn an_event_about_an_erased_conversation_lands_on_nothing(engine) {
        let world = World::on(engine).await;
        let known = world.record(from_mia("m-1", "1")).await.conversation.unwrap();
        erase(&world, &world.request_id(), &[&known.contact_id]).await;

        let late = note_added(&world, &known.conversation_id);
        let answer = world.events().apply_events(late).await.unwrap().into_inner();
        assert_eq!(answer.outcomes[0].disposition(), EventDisposition::Duplicate, "its sender is done with it");
        assert_eq!((rows(&world, "note_counts").await, rows(&world, "read_cursors").await), (0, 0));
        world.suite.stop().await;
    }

    // P12
    async fn two_erasers_at_once_remove_everything_and_count_it_once(engine) {
        let world = World::on(engine).await;
        let mut contact = String::new();
        for number in 0..21 {
            contact = world.record(from_mia(&format!("m-{number}"), "1")).await.conversation.unwrap().contact_id;
        }
        let erasure = world.request_id();
        let request = EraseContactRequest { erasure_id: erasure.clone(), contact_ids: vec![contact.clone()] };
        let (mut one, mut two) = (erasures(&world), erasures(&world));
        let (one, two) = tokio::join!(one.erase_contact(request.clone()), two.erase_contact(request));
        // Whoever was in the other's way says so, and is sent again.
        for answer in [one, two] {
            assert!(answer.as_ref().err().is_none_or(|status| status.code() == Code::Unavailable), "{answer:?}");
        }
        let removed = erase(&world, &erasure, &[&contact]).await;
        assert_eq!(removed, counted(&[("conversations", 21), ("decisions", 21), ("messages", 21)]));
        world.suite.stop().await;
    }
}
