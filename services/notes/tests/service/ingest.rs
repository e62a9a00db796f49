//! Notes that other services write.

use kernel::{Clock, Role};
use proto::common::v1::{Actor, ErrorReason, EventDisposition};
use proto::notes::v1::acknowledgement_service_client::AcknowledgementServiceClient;
use proto::notes::v1::ingest_service_client::IngestServiceClient;
use proto::notes::v1::ingested_handoff::Receiver;
use proto::notes::v1::ingested_note::Author;
use proto::notes::v1::*;
use testkit::Client;
use tonic::Code;

use crate::erasure::{erase_contact, erase_conversations};
use crate::world::{World, refusal, request_id};

fn ingest(world: &World) -> IngestServiceClient<Client> {
    IngestServiceClient::new(world.suite.client("acme", "routing", Role::Service))
}

fn desk(world: &World, name: &str) -> AcknowledgementServiceClient<Client> {
    AcknowledgementServiceClient::new(world.suite.client("acme", &format!("sub-{name}"), Role::Agent))
}

/// A note of Ana's on the world's conversation.
fn note(world: &World, body: &str) -> IngestedNote {
    IngestedNote {
        event_id: request_id(),
        conversation_id: world.conversation.clone(),
        contact_id: world.contact(),
        occur_time: Some(rpc::convert::proto_time(Clock::system().now())),
        author: Some(Author::Person(person("ana"))),
        body: body.to_owned(),
        handoff: None,
    }
}

fn person(name: &str) -> NotePerson {
    NotePerson { subject: format!("sub-{name}"), display_name: name.to_owned(), ..NotePerson::default() }
}

fn handoff(receiver: Receiver) -> IngestedHandoff {
    IngestedHandoff {
        receiver: Some(receiver),
        steps_taken: "asked the airline".to_owned(),
        expected_outcome: "she has her bag".to_owned(),
        urgency: HandoffUrgency::Urgent.into(),
        due_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 5_000 }),
    }
}

async fn write(world: &World, notes: Vec<IngestedNote>) -> Vec<EventDisposition> {
    let answer = ingest(world).write_notes(WriteNotesRequest { notes }).await.unwrap();
    answer.into_inner().outcomes.into_iter().map(|outcome| outcome.disposition()).collect()
}

testkit::on_both_databases! {
    // R14, N9
    async fn a_handoff_of_routing_is_a_handoff_note_that_its_receiver_acknowledges(engine) {
        let world = World::on(engine).await;
        let sent = IngestedNote { handoff: Some(handoff(Receiver::Person(person("bob")))), ..note(&world, "Lisbon") };
        assert_eq!(write(&world, vec![sent.clone()]).await, [EventDisposition::Applied]);
        let all = world.all().await;
        let [written] = all.as_slice() else { panic!("one note: {all:?}") };
        assert_eq!((written.kind(), &written.note_id, written.body.as_str()), (NoteKind::Handoff, &sent.event_id, "Lisbon"));
        let author = Actor { subject: "sub-ana".into(), role: proto::common::v1::Role::Agent.into(), display_name: "ana".into() };
        assert_eq!((written.author.as_ref(), &written.contact_id), (Some(&author), &world.contact()));
        assert_eq!(written.create_time, sent.occur_time);
        let said = written.handoff.clone().unwrap();
        assert_eq!((said.receiver_subject.as_str(), said.receiver_display_name.as_str()), ("sub-bob", "bob"));
        assert_eq!((said.urgency(), said.due_time, said.steps_taken.as_str()), (HandoffUrgency::Urgent, handoff(Receiver::TeamHandle(String::new())).due_time, "asked the airline"));

        let waiting = desk(&world, "bob").list_unacknowledged_notes(ListUnacknowledgedNotesRequest::default()).await;
        assert_eq!(waiting.unwrap().into_inner().notes, all);
        let acknowledge = AcknowledgeNoteRequest { note_id: written.note_id.clone(), etag: String::new() };
        assert_eq!(refusal(desk(&world, "cleo").acknowledge_note(acknowledge.clone()).await).0, Code::PermissionDenied);
        desk(&world, "bob").acknowledge_note(acknowledge).await.unwrap();
        let (told, _) = world.peers.told(1).await;
        assert_eq!(told[0].recipient_subjects, ["sub-ana"], "only of the acknowledgement: who wrote the handoff tells its receiver");
    }

    // R14
    async fn a_handoff_to_a_team_is_acknowledged_by_whoever_takes_it(engine) {
        let world = World::on(engine).await;
        let sent = IngestedNote { handoff: Some(handoff(Receiver::TeamHandle("billing".into()))), ..note(&world, "Lisbon") };
        write(&world, vec![sent.clone()]).await;
        let said = world.all().await.remove(0).handoff.unwrap();
        assert_eq!((said.receiver_subject.as_str(), said.receiver_team_handle.as_str()), ("", "billing"));
        let acknowledge = AcknowledgeNoteRequest { note_id: sent.event_id, etag: String::new() };
        let (code, reason, _) = refusal(desk(&world, "ana").acknowledge_note(acknowledge.clone()).await);
        assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::NotTheReceiver)), "not by its author");
        let done = desk(&world, "cleo").acknowledge_note(acknowledge).await.unwrap().into_inner().note.unwrap();
        assert_eq!(done.handoff.unwrap().acknowledgement.unwrap().actor.unwrap().subject, "sub-cleo");
    }

    // R9
    async fn a_workflow_writes_a_note_under_its_name_and_tells_whom_it_mentions(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let workflow = NoteWorkflow { workflow_id: request_id(), name: "VIP first".to_owned() };
        let sent = IngestedNote { author: Some(Author::Workflow(workflow.clone())), ..note(&world, "look soon, @bob") };
        write(&world, vec![sent.clone()]).await;
        let written = world.all().await.remove(0);
        let author = written.author.unwrap();
        assert_eq!(author.display_name, "workflow VIP first");
        assert_eq!(author.subject, format!("workflow:{}", workflow.workflow_id));
        assert_eq!((written.kind, written.mentions[0].subjects.as_slice()), (NoteKind::Conversation.into(), ["sub-bob".to_owned()].as_slice()));
        let (told, _) = world.peers.told(1).await;
        assert_eq!((told[0].recipient_subjects.as_slice(), &told[0].note_id), (["sub-bob".to_owned()].as_slice(), &sent.event_id));
    }

    // R14
    async fn what_comes_twice_is_written_once(engine) {
        let world = World::on(engine).await;
        let (first, second) = (note(&world, "one"), note(&world, "two"));
        assert_eq!(write(&world, vec![first.clone(), first.clone()]).await, [EventDisposition::Applied, EventDisposition::Duplicate]);
        assert_eq!(write(&world, vec![first, second]).await, [EventDisposition::Duplicate, EventDisposition::Applied]);
        let bodies: Vec<String> = world.all().await.into_iter().map(|note| note.body).collect();
        assert_eq!(bodies, ["one", "two"]);
    }

    // R14, P12
    async fn nothing_is_written_about_whom_or_what_was_erased_and_the_rest_of_the_batch_is(engine) {
        let world = World::on(engine).await;
        let other = world.peers.conversation("acme");
        erase_conversations(&world, &request_id(), &[&world.conversation]).await;
        let elsewhere = IngestedNote { conversation_id: other.clone(), contact_id: world.peers.contact_of(&other), ..note(&world, "there") };
        let outcomes = write(&world, vec![note(&world, "gone"), elsewhere.clone()]).await;
        assert_eq!(outcomes, [EventDisposition::Duplicate, EventDisposition::Applied]);
        assert!(world.all().await.is_empty());
        erase_contact(&world, &request_id(), &world.peers.contact_of(&other)).await;
        let late = IngestedNote { event_id: request_id(), ..elsewhere };
        assert_eq!(write(&world, vec![late]).await, [EventDisposition::Duplicate]);
    }

    // R14
    async fn a_time_ahead_of_ours_is_now_and_a_text_with_too_many_names_is_kept(engine) {
        let world = World::on(engine).await;
        let names: Vec<String> = (0..60).map(|number| format!("@agent{number}")).collect();
        let ahead = prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 };
        let sent = IngestedNote { occur_time: Some(ahead), ..note(&world, &names.join(" ")) };
        assert_eq!(write(&world, vec![sent]).await, [EventDisposition::Applied]);
        let written = world.all().await.remove(0);
        assert!(written.create_time.unwrap().seconds < 4_000_000_000 && written.mentions.is_empty());
    }

    // N3, P4
    async fn only_services_write_so_and_what_is_missing_is_named(engine) {
        let world = World::on(engine).await;
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Admin, Role::Integration] {
            let subject = if role == Role::Contact { world.contact() } else { "somebody".to_owned() };
            let mut client = IngestServiceClient::new(world.suite.client("acme", &subject, role));
            let refused = client.write_notes(WriteNotesRequest { notes: vec![note(&world, "no")] }).await;
            assert_eq!(refusal(refused).1, Some(ErrorReason::RoleNotAllowed), "{role}");
        }
        let nobody = IngestedNote { author: None, ..note(&world, "no") };
        let spaced = IngestedNote { author: Some(Author::Person(person("a b"))), ..note(&world, "no") };
        let teamless = IngestedNote { handoff: Some(handoff(Receiver::TeamHandle("no team!".into()))), ..note(&world, "no") };
        for wrong in [nobody, spaced, teamless, note(&world, "")] {
            let refused = ingest(&world).write_notes(WriteNotesRequest { notes: vec![wrong] }).await;
            assert_eq!(refusal(refused).0, Code::InvalidArgument);
        }
        assert!(world.all().await.is_empty());
    }
}
