//! Threads, and whom replies tell.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use proto::notifications::v1::{NotificationEvent, NotificationType};
use tonic::Code;

use crate::world::{Notes, World, delete, edit, metadata, refusal, request_id, violated};

/// Who was told as which, sorted, one line each.
fn told(events: &[NotificationEvent], note: &Note) -> Vec<(NotificationType, String)> {
    let of_note = events.iter().filter(|event| event.note_id == note.note_id);
    let mut told: Vec<_> = of_note
        .flat_map(|event| event.recipient_subjects.iter().map(|subject| (event.r#type(), subject.clone())))
        .collect();
    told.sort();
    told
}

async fn thread(by: &mut Notes, note: &Note, page_size: i32) -> Vec<Vec<String>> {
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListThreadRequest { note_id: note.note_id.clone(), page_size, page_token };
        let answer = by.list_thread(request).await.unwrap().into_inner();
        pages.push(answer.notes.into_iter().map(|note| note.body).collect());
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

testkit::on_both_databases! {
    // N4
    async fn a_thread_is_listed_from_any_of_its_notes_and_page_by_page(engine) {
        let world = World::on(engine).await;
        let (mut ana, mut bob) = (world.agent("ana"), world.agent("bob"));
        let first = world.written(&mut ana, "first").await;
        assert_eq!((first.reply_to.as_str(), first.thread_id.as_str()), ("", ""));
        let second = world.replied(&mut bob, &first, "second").await;
        let third = world.replied(&mut ana, &second, "third").await;
        assert_eq!((&third.reply_to, &third.thread_id), (&second.note_id, &first.note_id));
        let elsewhere = world.written(&mut ana, "another").await;
        for note in [&first, &second, &third] {
            assert_eq!(thread(&mut bob, note, 0).await, [["first", "second", "third"]]);
        }
        assert_eq!(thread(&mut bob, &third, 2).await, [vec!["first", "second"], vec!["third"]]);
        assert_eq!(thread(&mut bob, &third, 1).await.len(), 3);
        assert_eq!(thread(&mut bob, &elsewhere, 0).await, [["another"]]);
        let texts: Vec<_> = world.all().await.into_iter().map(|note| note.body).collect();
        assert_eq!(texts, ["first", "second", "third", "another"], "replies are notes of the conversation");
    }

    // N4
    async fn who_wrote_or_was_mentioned_in_a_thread_is_told_of_replies_once_and_the_author_never(engine) {
        let world = World::on(engine).await;
        for name in ["ana", "bob", "cleo", "dan"] { world.peers.agent(name); }
        let (mut ana, mut bob, mut cleo) = (world.agent("ana"), world.agent("bob"), world.agent("cleo"));
        use NotificationType::{Mentioned, NoteReply};
        let first = world.written(&mut ana, "@bob what do we do?").await;
        let second = world.replied(&mut bob, &first, "refund, says @dan").await;
        let third = world.replied(&mut cleo, &second, "@bob I would not").await;
        let fourth = world.replied(&mut ana, &first, "thanks").await;
        let (events, applied) = world.peers.told(12).await;
        let names = |kind, names: &[&str]| -> Vec<_> { names.iter().map(|name| (kind, format!("sub-{name}"))).collect() };
        assert_eq!(told(&events, &first), names(Mentioned, &["bob"]));
        assert_eq!(told(&events, &second), [names(Mentioned, &["dan"]), names(NoteReply, &["ana"])].concat());
        assert_eq!(
            told(&events, &third),
            [names(Mentioned, &["bob"]), names(NoteReply, &["ana", "dan"])].concat(),
            "a mention wins over a reply"
        );
        assert_eq!(told(&events, &fourth), names(NoteReply, &["bob", "cleo", "dan"]));
        let reply = events.iter().find(|event| event.note_id == fourth.note_id).unwrap();
        assert_eq!(reply.reason, "sub-ana replied in a thread you follow");
        assert_eq!(reply.conversation_id, world.conversation);
        assert_eq!(applied.len(), 4 + 3, "routing is told of every note and of mentions, not of replies");
    }

    // N4, N7
    async fn an_edit_does_not_tell_again_who_was_told_of_the_reply(engine) {
        let world = World::on(engine).await;
        for name in ["ana", "bob", "cleo"] { world.peers.agent(name); }
        let (mut ana, mut bob) = (world.agent("ana"), world.agent("bob"));
        let first = world.written(&mut ana, "a question").await;
        let reply = world.replied(&mut bob, &first, "an answer").await;
        let reply = bob.update_note(edit(&reply, "an answer, @ana and @cleo")).await.unwrap().into_inner().note.unwrap();
        let refusals: Vec<_> = reply.mentions.iter().map(Mention::refusal).collect();
        assert_eq!(refusals, [MentionRefusal::AlreadyNotified, MentionRefusal::Unspecified]);
        let last = world.replied(&mut ana, &first, "good").await;
        let (events, _) = world.peers.told(7).await;
        use NotificationType::{Mentioned, NoteReply};
        assert_eq!(told(&events, &reply), [(Mentioned, "sub-cleo".to_owned()), (NoteReply, "sub-ana".to_owned())]);
        assert_eq!(
            told(&events, &last),
            [(NoteReply, "sub-bob".to_owned()), (NoteReply, "sub-cleo".to_owned())],
            "whoever an edit mentions follows from then on"
        );
    }

    // N4, P5
    async fn a_retried_reply_tells_nobody_twice_and_replies_at_once_tell_each_other_in_one_order(engine) {
        let world = World::on(engine).await;
        let first = world.written(&mut world.agent("ana"), "first").await;
        let request = CreateNoteRequest {
            reply_to: first.note_id.clone(),
            request_id: request_id(),
            ..world.note("once")
        };
        let calls = (0..8).map(|n| {
            let mut notes = world.agent(if n < 4 { "bob" } else { "cleo" });
            let request = request.clone();
            tokio::spawn(async move { notes.create_note(request).await.unwrap().into_inner().note.unwrap() })
        });
        let mut ids = std::collections::BTreeSet::new();
        for call in calls.collect::<Vec<_>>() { ids.insert(call.await.unwrap().note_id); }
        assert_eq!(ids.len(), 2, "one note of each caller");
        let (events, _) = world.peers.told(5).await;
        let mut told: Vec<_> = events.iter().flat_map(|event| event.recipient_subjects.clone()).collect();
        told.sort();
        let later = told.pop().unwrap();
        let earlier = told.pop().unwrap();
        assert_eq!((earlier.as_str(), told.as_slice()), ("sub-ana", &["sub-ana".to_owned()][..]));
        assert!(later == "sub-bob" || later == "sub-cleo", "whoever replied first hears of the second: {later}");
    }

    // N2, N4
    async fn replies_on_a_contact_outlive_the_note_that_began_the_thread(engine) {
        let world = World::on(engine).await;
        let first = world.on_contact("ana", "first").await;
        let mut notes = world.contact_notes("sub-bob", Role::Agent);
        let request = CreateContactNoteRequest { reply_to: first.note_id.clone(), ..world.contact_note("second") };
        let second = notes.create_contact_note(request).await.unwrap().into_inner().note.unwrap();
        let mut ana = world.agent("ana");
        ana.delete_note(delete(&first)).await.unwrap();
        assert_eq!(thread(&mut ana, &second, 0).await, [["second"]]);
        let request = CreateContactNoteRequest { reply_to: second.note_id.clone(), ..world.contact_note("third") };
        let third = notes.create_contact_note(request).await.unwrap().into_inner().note.unwrap();
        assert_eq!(third.thread_id, first.note_id);
        assert_eq!(thread(&mut ana, &third, 0).await, [["second", "third"]]);
    }

    // N4, P1
    async fn a_reply_to_nothing_or_to_something_elsewhere_is_refused(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let on_contact = world.on_contact("ana", "on the contact").await;
        let other = world.peers.conversation("acme");
        let elsewhere = CreateNoteRequest { conversation_id: other, ..world.note("elsewhere") };
        let elsewhere = ana.create_note(elsewhere).await.unwrap().into_inner().note.unwrap();
        for note in [&on_contact, &elsewhere] {
            let request = CreateNoteRequest { reply_to: note.note_id.clone(), ..world.note("a reply") };
            let (code, reason, status) = refusal(ana.create_note(request).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert_eq!(violated(&status), ["reply_to"]);
        }
        let ours = world.written(&mut ana, "ours").await;
        let mut globex = world.foreigner("globex", "sub-ana", Role::Admin);
        let theirs = world.peers.conversation("globex");
        let mut answers = [Vec::new(), Vec::new()];
        for reply_to in [ours.note_id.clone(), request_id()] {
            let request = CreateNoteRequest { conversation_id: theirs.clone(), reply_to: reply_to.clone(), ..world.note("x") };
            let (code, _, status) = refusal(globex.create_note(request).await);
            assert_eq!(code, Code::NotFound);
            assert_eq!(metadata(&status, "field").as_deref(), Some("reply_to"), "the conversation is there");
            answers[0].push((status.message().to_owned(), status.details().to_vec()));
            let (code, _, status) = refusal(globex.list_thread(ListThreadRequest { note_id: reply_to, ..Default::default() }).await);
            assert_eq!(code, Code::NotFound);
            answers[1].push((status.message().to_owned(), status.details().to_vec()));
        }
        assert!(answers.iter().all(|answers| answers[0] == answers[1]), "{answers:?}");
    }
}
