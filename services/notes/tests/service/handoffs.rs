//! Handoffs, and those who acknowledge them.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::acknowledgement_service_client::AcknowledgementServiceClient;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::*;
use proto::notifications::v1::NotificationType;
use testkit::Client;
use tonic::Code;

use crate::watch::{change, from_now, on_conversation, opened};
use crate::world::{Notes, World, delete, edit, metadata, read, refusal, request_id, violated};

type Desk = AcknowledgementServiceClient<Client>;

fn desk(world: &World, name: &str) -> Desk {
    AcknowledgementServiceClient::new(world.suite.client("acme", &format!("sub-{name}"), Role::Agent))
}

fn details(receiver: &str) -> NewHandoff {
    NewHandoff {
        receiver_username: receiver.to_owned(),
        steps_taken: "called the airline".to_owned(),
        expected_outcome: "she has her bag".to_owned(),
        urgency: HandoffUrgency::High.into(),
        due_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 5_000 }),
    }
}

fn handing_over(world: &World, to: &str, summary: &str) -> CreateNoteRequest {
    CreateNoteRequest { handoff: Some(details(to)), ..world.note(summary) }
}

async fn handed_over(world: &World, by: &mut Notes, to: &str, summary: &str) -> Note {
    by.create_note(handing_over(world, to, summary)).await.unwrap().into_inner().note.unwrap()
}

fn acknowledging(note: &Note) -> AcknowledgeNoteRequest {
    AcknowledgeNoteRequest { note_id: note.note_id.clone(), etag: String::new() }
}

async fn acknowledged(by: &mut Desk, note: &Note) -> Note {
    by.acknowledge_note(acknowledging(note)).await.unwrap().into_inner().note.unwrap()
}

async fn waiting_for(by: &mut Desk) -> Vec<String> {
    let listed = by.list_unacknowledged_notes(ListUnacknowledgedNotesRequest::default()).await.unwrap();
    listed.into_inner().notes.into_iter().map(|note| note.body).collect()
}

testkit::on_both_databases! {
    // N9
    async fn a_handoff_tells_its_receiver_once_and_how_urgent_it_is(engine) {
        let world = World::on(engine).await;
        for name in ["bob", "cleo"] { world.peers.agent(name); }
        let mut ana = world.agent("ana");
        let note = handed_over(&world, &mut ana, "Bob", "@bob takes over, @cleo knows").await;
        assert_eq!(note.kind(), NoteKind::Handoff);
        let handoff = note.handoff.clone().unwrap();
        let NewHandoff { steps_taken, expected_outcome, due_time, .. } = details("bob");
        assert_eq!((&handoff.steps_taken, &handoff.expected_outcome), (&steps_taken, &expected_outcome));
        assert_eq!((handoff.urgency(), handoff.due_time), (HandoffUrgency::High, due_time));
        assert_eq!((handoff.receiver_subject.as_str(), &handoff.acknowledgement), ("sub-bob", &None));
        let refusals: Vec<_> = note.mentions.iter().map(Mention::refusal).collect();
        assert_eq!(refusals, [MentionRefusal::AlreadyNotified, MentionRefusal::Unspecified]);
        assert_eq!(read(&mut ana, &note).await, note);
        assert_eq!(world.all().await, std::slice::from_ref(&note));

        let (told, _) = world.peers.told(4).await;
        let to_bob: Vec<_> = told.iter().filter(|it| it.recipient_subjects == ["sub-bob"]).collect();
        let [to_bob] = to_bob.as_slice() else { panic!("Bob is told once: {told:?}") };
        assert_eq!(to_bob.r#type(), NotificationType::Handoff);
        assert!(to_bob.reason.contains("urgency: high"), "{}", to_bob.reason);
        assert!(!format!("{told:?}").contains("takes over") && !format!("{told:?}").contains("airline"));
        assert_eq!((&to_bob.note_id, &to_bob.conversation_id), (&note.note_id, &world.conversation));

        // Nor by an edit.
        let again = ana.update_note(edit(&note, "Bob takes over: @bob")).await.unwrap().into_inner().note.unwrap();
        assert_eq!(again.mentions[0].refusal(), MentionRefusal::AlreadyNotified);
        assert_eq!(again.handoff, note.handoff, "an edit changes the summary only");
    }

    // N9
    async fn only_its_receiver_acknowledges_a_handoff_once_and_the_author_is_told(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let mut ana = world.agent("ana");
        let note = handed_over(&world, &mut ana, "bob", "he takes over").await;
        let plain = world.written(&mut ana, "no handoff").await;
        for (by, note, code, reason) in [
            ("ana", &note, Code::PermissionDenied, ErrorReason::NotTheReceiver),
            ("bob", &plain, Code::FailedPrecondition, ErrorReason::NotAHandoff),
        ] {
            let (got, why, status) = refusal(desk(&world, by).acknowledge_note(acknowledging(note)).await);
            assert_eq!((got, why), (code, Some(reason)));
            assert_eq!(metadata(&status, "note_id").as_deref(), Some(note.note_id.as_str()));
        }
        let admin = world.suite.client("acme", "root", Role::Admin);
        let mut admin = AcknowledgementServiceClient::new(admin);
        assert_eq!(refusal(admin.acknowledge_note(acknowledging(&note)).await).0, Code::PermissionDenied);

        let mut bob = desk(&world, "bob");
        let stale = AcknowledgeNoteRequest { etag: plain.etag.clone() + "x", ..acknowledging(&note) };
        assert_eq!(refusal(bob.acknowledge_note(stale).await).1, Some(ErrorReason::StaleEtag));
        let with_etag = AcknowledgeNoteRequest { etag: note.etag.clone(), ..acknowledging(&note) };
        let done = bob.acknowledge_note(with_etag.clone()).await.unwrap().into_inner().note.unwrap();
        let given = done.handoff.clone().unwrap().acknowledgement.unwrap();
        assert_eq!((given.actor.unwrap().subject.as_str(), given.revision), ("sub-bob", 1));
        assert!(given.acknowledge_time.is_some() && done.etag != note.etag && done.update_time == note.update_time);
        let again = bob.acknowledge_note(with_etag).await.unwrap().into_inner().note.unwrap();
        assert_eq!(again, done, "the etag it had changes nothing");
        assert_eq!(read(&mut ana, &note).await, done);

        let (told, _) = world.peers.told(4).await;
        let to_ana: Vec<_> = told.iter().filter(|it| it.recipient_subjects == ["sub-ana"]).collect();
        let [to_ana] = to_ana.as_slice() else { panic!("Ana is told once: {told:?}") };
        assert_eq!((to_ana.r#type(), &to_ana.note_id), (NotificationType::Handoff, &note.note_id));
        assert!(to_ana.reason.contains("acknowledged"));
    }

    // N9, N12
    async fn whoever_watches_sees_a_handoff_and_its_acknowledgement(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let mut stream = opened(&world, on_conversation(&world), from_now()).await;
        let note = handed_over(&world, &mut world.agent("ana"), "bob", "he takes over").await;
        let (created, _) = change(&mut stream).await;
        assert_eq!((created.r#type(), created.note), (NoteChangeType::Created, Some(note.clone())));
        let note = acknowledged(&mut desk(&world, "bob"), &note).await;
        let (updated, _) = change(&mut stream).await;
        assert_eq!((updated.r#type(), updated.note), (NoteChangeType::Updated, Some(note)));
    }

    // N9, N5
    async fn an_acknowledgement_stays_with_the_text_that_was_acknowledged(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let (mut ana, mut bob) = (world.agent("ana"), desk(&world, "bob"));
        let note = handed_over(&world, &mut ana, "bob", "first").await;
        let note = ana.update_note(edit(&note, "second")).await.unwrap().into_inner().note.unwrap();
        let done = acknowledged(&mut bob, &note).await;
        let edited = ana.update_note(edit(&done, "third")).await.unwrap().into_inner().note.unwrap();
        assert_eq!((edited.revision, &edited.handoff), (3, &done.handoff));
        assert_eq!(edited.handoff.clone().unwrap().acknowledgement.unwrap().revision, 2);
        assert_eq!(acknowledged(&mut bob, &edited).await, edited, "the first acknowledgement counts");
        assert!(waiting_for(&mut bob).await.is_empty(), "an edit asks for none");
    }

    // N9
    async fn what_waits_for_a_person_is_listed_until_it_is_acknowledged_or_deleted(engine) {
        let world = World::on(engine).await;
        world.allow_tombstones().await;
        for name in ["bob", "cleo"] { world.peers.agent(name); }
        let mut ana = world.agent("ana");
        let mut notes = Vec::new();
        for n in 0..4 { notes.push(handed_over(&world, &mut ana, "bob", &format!("{n}")).await); }
        handed_over(&world, &mut ana, "cleo", "hers").await;
        let mut bob = desk(&world, "bob");
        assert_eq!(waiting_for(&mut bob).await, ["0", "1", "2", "3"]);
        let mut pages = Vec::new();
        let mut page = ListUnacknowledgedNotesRequest { page_size: 1, ..Default::default() };
        loop {
            let answer = bob.list_unacknowledged_notes(page.clone()).await.unwrap().into_inner();
            pages.extend(answer.notes.into_iter().map(|note| note.body));
            if answer.next_page_token.is_empty() { break }
            page.page_token = answer.next_page_token;
        }
        assert_eq!(pages, ["0", "1", "2", "3"]);
        acknowledged(&mut bob, &notes[1]).await;
        ana.delete_note(delete(&notes[2])).await.unwrap();
        assert_eq!(waiting_for(&mut bob).await, ["0", "3"]);
        let (code, reason, _) = refusal(bob.acknowledge_note(acknowledging(&notes[2])).await);
        assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::NoteDeleted)));
        let gone = read(&mut world.agent("bob"), &notes[2]).await.handoff.unwrap();
        assert_eq!((gone.steps_taken.as_str(), gone.expected_outcome.as_str()), ("", ""), "deleted, it says nothing");
        assert_eq!(waiting_for(&mut desk(&world, "cleo")).await, ["hers"]);
    }

    // N9, P4
    async fn a_handoff_needs_an_agent_other_than_its_author(engine) {
        let world = World::on(engine).await;
        world.peers.agent("ana");
        world.peers.team("flights", &["bob"]);
        let mut ana = world.agent("ana");
        for receiver in ["nobody", "flights", "ana", "not a name"] {
            let (code, reason, status) = refusal(ana.create_note(handing_over(&world, receiver, "x")).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)), "{receiver}");
            assert_eq!(violated(&status), ["handoff.receiver_username"]);
        }
        world.peers.agent("bob");
        let nul = NewHandoff { steps_taken: "a\0b".to_owned(), ..details("bob") };
        let request = CreateNoteRequest { handoff: Some(nul), ..world.note("x") };
        assert_eq!(violated(&refusal(ana.create_note(request).await).2), ["handoff.steps_taken"]);
        assert!(world.all().await.is_empty());
    }

    // N9, P5
    async fn a_retry_has_the_whole_first_answer_and_no_text_is_kept_for_it(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let mut ana = world.agent("ana");
        let request = CreateNoteRequest { request_id: request_id(), ..handing_over(&world, "bob", "he takes over") };
        let first = ana.create_note(request.clone()).await.unwrap().into_inner();
        acknowledged(&mut desk(&world, "bob"), &first.note.clone().unwrap()).await;
        assert_eq!(ana.create_note(request).await.unwrap().into_inner(), first);
        let (db, org) = world.tables().await;
        let kept: i64 = db.read(&org, |tx| Box::pin(async move {
            tx.query("SELECT COUNT(*) FROM retry_keys WHERE org_id = $1 AND CAST(answer AS TEXT) LIKE '%airline%'")
                .fetch_value(tx).await
        })).await.unwrap();
        assert_eq!(kept, 0);
        db.close().await;
    }

    // N9, N4
    async fn the_receiver_follows_the_thread_of_a_handoff(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let (mut ana, mut cleo) = (world.agent("ana"), world.agent("cleo"));
        let note = handed_over(&world, &mut ana, "bob", "he takes over").await;
        let reply = world.replied(&mut cleo, &note, "good luck").await;
        let (told, _) = world.peers.told(5).await;
        let replied: Vec<_> = told.iter().filter(|it| it.r#type() == NotificationType::NoteReply).collect();
        let [replied] = replied.as_slice() else { panic!("one reply: {told:?}") };
        assert_eq!(replied.note_id, reply.note_id);
        let mut followers = replied.recipient_subjects.clone();
        followers.sort();
        assert_eq!(followers, ["sub-ana", "sub-bob"]);

        // A handoff that is a reply itself tells its receiver of that only.
        let back = CreateNoteRequest { reply_to: note.note_id.clone(), ..handing_over(&world, "bob", "please") };
        let back = cleo.create_note(back).await.unwrap().into_inner().note.unwrap();
        let (told, _) = world.peers.told(8).await;
        let of_it = told.iter().filter(|it| it.note_id == back.note_id);
        let mut of_it: Vec<_> = of_it.map(|it| (it.r#type(), it.recipient_subjects.clone())).collect();
        of_it.sort();
        assert_eq!(of_it, [
            (NotificationType::Handoff, vec!["sub-bob".to_owned()]),
            (NotificationType::NoteReply, vec!["sub-ana".to_owned()]),
        ]);
    }

    // N9, N8
    async fn handoffs_are_found_by_their_kind(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let mut ana = world.agent("ana");
        let note = handed_over(&world, &mut ana, "bob", "the lost bag").await;
        world.written(&mut ana, "another bag").await;
        let mut search = NoteSearchServiceClient::new(world.suite.client("acme", "sub-ana", Role::Agent));
        let mut found = async |kind: NoteKind| {
            let request = SearchNotesRequest { query: "bag".to_owned(), kind: kind.into(), ..Default::default() };
            let hits = search.search_notes(request).await.unwrap().into_inner().hits;
            hits.into_iter().map(|hit| (hit.note_id.clone(), hit.kind())).collect::<Vec<_>>()
        };
        assert_eq!(found(NoteKind::Handoff).await, [(note.note_id, NoteKind::Handoff)]);
        assert_eq!(found(NoteKind::Conversation).await.len(), 1);
        assert_eq!(found(NoteKind::Unspecified).await.len(), 2);
    }
}
