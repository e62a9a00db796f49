//! N12 and P14: notes, live.

use std::time::{Duration, Instant};

use kernel::{OrgId, Role, Subject};
use proto::common::v1::stream_start::Start;
use proto::common::v1::{ClosingReason, ErrorReason, StreamStart};
use proto::notes::v1::note_watch_service_client::NoteWatchServiceClient;
use proto::notes::v1::watch_notes_request::Target;
use proto::notes::v1::watch_notes_response::Frame;
use proto::notes::v1::*;
use rpc::TokenSpec;
use testkit::{Bearer, Client, Engine};
use tonic::{Code, Status, Streaming};

use crate::search::{allow_tombstones, delete, on_contact};
use crate::world::{World, edit, refusal, request_id};

pub(crate) type Stream = Streaming<WatchNotesResponse>;

/// Longer than anything here takes, shorter than a person waits for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn from_now() -> Option<Start> {
    Some(Start::FromNow(()))
}

fn earliest() -> Option<Start> {
    Some(Start::Earliest(()))
}

fn resume(token: &str) -> Option<Start> {
    Some(Start::ResumeToken(token.to_owned()))
}

pub(crate) fn on_conversation(world: &World) -> Target {
    Target::ConversationId(world.conversation.clone())
}

async fn watch(client: Client, target: Target, start: Option<Start>) -> Result<Stream, Status> {
    let request = WatchNotesRequest { target: Some(target), start: Some(StreamStart { start }) };
    Ok(NoteWatchServiceClient::new(client).watch_notes(request).await?.into_inner())
}

/// The next frame; none at the end.
pub(crate) async fn frame(stream: &mut Stream) -> Option<WatchNotesResponse> {
    tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap()
}

/// A stream of an agent of `acme` whose first frame has come, and that frame's token.
async fn opened_with_token(world: &World, target: Target, start: Option<Start>) -> (Stream, String) {
    let client = world.suite.client("acme", "sub-watcher", Role::Agent);
    let mut stream = watch(client, target, start).await.unwrap();
    let first = frame(&mut stream).await.unwrap();
    assert!(matches!(first.frame, Some(Frame::Opened(_))), "{first:?}");
    (stream, first.resume_token)
}

pub(crate) async fn opened(world: &World, target: Target, start: Option<Start>) -> Stream {
    opened_with_token(world, target, start).await.0
}

/// The next change, and the token behind it. Heartbeats are passed over.
pub(crate) async fn change(stream: &mut Stream) -> (NoteChange, String) {
    loop {
        let next = frame(stream).await.unwrap();
        match next.frame.unwrap() {
            Frame::Change(change) => return (change, next.resume_token),
            Frame::Heartbeat(_) => {}
            other => panic!("not a change: {other:?}"),
        }
    }
}

async fn sequences(stream: &mut Stream, count: usize) -> Vec<i64> {
    let mut sequences = Vec::new();
    while sequences.len() < count {
        sequences.push(change(stream).await.0.sequence);
    }
    sequences
}

async fn pin(world: &World, note: &Note) {
    world.agent("ana").pin_note(PinNoteRequest { note_id: note.note_id.clone() }).await.unwrap();
}

testkit::on_both_databases! {
    // N12
    async fn whatever_happens_to_a_note_arrives_in_order_with_the_note_as_it_is(engine) {
        let world = World::on(engine).await;
        allow_tombstones(&world).await;
        let mut stream = opened(&world, on_conversation(&world), from_now()).await;
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "first").await;
        let (created, _) = change(&mut stream).await;
        assert_eq!((created.sequence, created.r#type()), (1, NoteChangeType::Created));
        assert_eq!(created.note, Some(note.clone()));
        let edited = ana.update_note(edit(&note, "second")).await.unwrap().into_inner().note;
        let (updated, _) = change(&mut stream).await;
        assert_eq!((updated.sequence, updated.r#type()), (2, NoteChangeType::Updated));
        assert_eq!(updated.note, edited);
        // The same text again changes nothing, and nobody hears of it.
        ana.update_note(edit(&edited.unwrap(), "second")).await.unwrap();
        pin(&world, &note).await;
        let (pinned, _) = change(&mut stream).await;
        assert_eq!((pinned.sequence, pinned.r#type()), (3, NoteChangeType::Updated));
        assert!(pinned.note.unwrap().pin.is_some());
        delete(&world, &note).await;
        let (deleted, _) = change(&mut stream).await;
        assert_eq!((deleted.sequence, deleted.r#type(), &deleted.note_id), (4, NoteChangeType::Deleted, &note.note_id));
        let buried = deleted.note.unwrap();
        assert_eq!((buried.body.as_str(), buried.deletion.is_some()), ("", true), "what it says is for admins only");

        let admin = world.suite.client("acme", "sub-root", Role::Admin);
        let mut admin = watch(admin, on_conversation(&world), earliest()).await.unwrap();
        frame(&mut admin).await;
        for sequence in 1..=4 {
            let (change, _) = change(&mut admin).await;
            assert_eq!((change.sequence, change.note.unwrap().body.as_str()), (sequence, "second"));
        }
    }

    // N12, N2
    async fn notes_on_a_contact_have_a_stream_of_their_own_and_leave_it_for_good(engine) {
        let world = World::on(engine).await;
        let contact = Target::ContactId(world.peers.contact_of(&world.conversation));
        let mut of_contact = opened(&world, contact.clone(), from_now()).await;
        let mut of_conversation = opened(&world, on_conversation(&world), from_now()).await;
        let note = on_contact(&world, "likes trains").await;
        assert_eq!(change(&mut of_contact).await.0.note, Some(note.clone()));
        let other = world.written(&mut world.agent("ana"), "on the conversation").await;
        assert_eq!(change(&mut of_conversation).await.0.note, Some(other));
        delete(&world, &note).await;
        let (deleted, _) = change(&mut of_contact).await;
        assert_eq!(
            (deleted.sequence, deleted.r#type(), deleted.note_id, deleted.note),
            (2, NoteChangeType::Deleted, note.note_id, None)
        );
        // Who comes later learns that there was a note, not what it said.
        let mut late = opened(&world, contact, earliest()).await;
        let (created, _) = change(&mut late).await;
        assert_eq!((created.r#type(), created.note), (NoteChangeType::Created, None));
        assert_eq!(sequences(&mut late, 1).await, [2]);
    }

    // N12, P14
    async fn a_stream_resumes_behind_every_frame_without_loss_or_repeat(engine) {
        let world = World::on(engine).await;
        let (mut first, token) = opened_with_token(&world, on_conversation(&world), from_now()).await;
        let mut tokens = vec![(0, token)];
        let mut ana = world.agent("ana");
        for _ in 0..5 {
            world.written(&mut ana, "text").await;
            let (change, token) = change(&mut first).await;
            tokens.push((change.sequence, token));
        }
        drop(first);
        world.written(&mut ana, "text").await;
        for (seen, token) in tokens {
            let mut stream = opened(&world, on_conversation(&world), resume(&token)).await;
            let expected: Vec<i64> = (seen + 1..=6).collect();
            assert_eq!(sequences(&mut stream, expected.len()).await, expected);
        }
    }

    // N12: many write to one conversation at once, reply to and edit the same note.
    async fn changes_are_gapless_and_in_order_however_many_write_at_once(engine) {
        let world = World::on(engine).await;
        let mut stream = opened(&world, on_conversation(&world), from_now()).await;
        let root = world.written(&mut world.agent("ana"), "root").await;
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (mut notes, reply) = (world.agent("ana"), world.note("reply"));
                let root = root.clone();
                tokio::spawn(async move {
                    for round in 0..10 {
                        if writer % 2 == 0 {
                            let reply = CreateNoteRequest { reply_to: root.note_id.clone(), ..reply.clone() };
                            notes.create_note(reply).await.unwrap();
                        } else {
                            let text = format!("root {writer} {round}");
                            let edit = UpdateNoteRequest { etag: String::new(), ..edit(&root, &text) };
                            notes.update_note(edit).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        let seen = sequences(&mut stream, 81).await;
        assert_eq!(seen, (1..=81).collect::<Vec<i64>>());
        for writer in writers {
            writer.await.unwrap();
        }
    }

    // N12
    async fn a_wake_up_brings_a_change_in_much_less_than_a_poll(engine) {
        let world = World::configured(engine, |config| {
            config.notes = serde_json::from_value(serde_json::json!({ "poll_ms": 60_000 })).unwrap();
        })
        .await;
        let mut stream = opened(&world, on_conversation(&world), from_now()).await;
        let contact = Target::ContactId(world.peers.contact_of(&world.conversation));
        let mut of_contact = opened(&world, contact, from_now()).await;
        let begin = Instant::now();
        let note = world.written(&mut world.agent("ana"), "one").await;
        change(&mut stream).await;
        world.agent("ana").update_note(edit(&note, "two")).await.unwrap();
        change(&mut stream).await;
        pin(&world, &note).await;
        change(&mut stream).await;
        let note = on_contact(&world, "three").await;
        change(&mut of_contact).await;
        delete(&world, &note).await;
        change(&mut of_contact).await;
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }

    // N12, P1
    async fn what_is_absent_or_anothers_cannot_be_followed(engine) {
        let world = World::on(engine).await;
        world.written(&mut world.agent("ana"), "ours").await;
        on_contact(&world, "ours").await;
        let ours = [on_conversation(&world), Target::ContactId(world.peers.contact_of(&world.conversation))];
        let absent = [Target::ConversationId(request_id()), Target::ContactId(request_id())];
        let mut answers = Vec::new();
        for target in ours.into_iter().chain(absent) {
            let globex = world.suite.client("globex", "sub-watcher", Role::Admin);
            let status = watch(globex, target, earliest()).await.unwrap_err();
            assert_eq!(status.code(), Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!((&answers[0], &answers[1]), (&answers[2], &answers[3]));
        // A conversation's id is no contact's.
        let client = world.suite.client("acme", "sub-watcher", Role::Agent);
        let crossed = watch(client, Target::ContactId(world.conversation.clone()), earliest()).await;
        assert_eq!(crossed.unwrap_err().code(), Code::NotFound);
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let client = world.suite.client("acme", "sub-watcher", role);
            let status = watch(client, on_conversation(&world), earliest()).await.unwrap_err();
            assert_eq!(status.code(), Code::PermissionDenied, "{role}");
        }
    }

    // P14, P1
    async fn a_resume_token_works_for_its_own_stream_only(engine) {
        let world = World::on(engine).await;
        let (_, token) = opened_with_token(&world, on_conversation(&world), from_now()).await;
        let other = Target::ConversationId(world.peers.conversation("acme"));
        let agent = || world.suite.client("acme", "sub-watcher", Role::Agent);
        for (client, target, token) in [
            (agent(), other, token.as_str()),
            (agent(), on_conversation(&world), "garbage"),
        ] {
            let (code, reason, _) = refusal(watch(client, target, resume(token)).await.map(tonic::Response::new));
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
        // Whoever takes over from a colleague goes on where they were.
        let colleague = world.suite.client("acme", "sub-other", Role::Agent);
        watch(colleague, on_conversation(&world), resume(&token)).await.unwrap();
    }

    // Fault 24, P14
    async fn the_end_of_the_token_closes_the_stream_in_band_and_a_new_token_resumes_it(engine) {
        let world = World::on(engine).await;
        let subject = Subject::parse("sub-watcher").unwrap();
        let mut spec = TokenSpec::new(OrgId::parse("acme").unwrap(), subject, Role::Agent);
        spec.ttl = Duration::from_secs(3);
        let client = Client::new(world.suite.channel(), Bearer::new(&world.suite.mint(&spec)));
        let mut stream = watch(client, on_conversation(&world), from_now()).await.unwrap();
        frame(&mut stream).await;
        world.written(&mut world.agent("ana"), "one").await;
        assert_eq!(sequences(&mut stream, 1).await, [1]);
        let last = frame(&mut stream).await.unwrap();
        let Some(Frame::Closing(closing)) = last.frame else { panic!("{last:?}") };
        assert_eq!(closing.reason(), ClosingReason::TokenExpired);
        assert!(frame(&mut stream).await.is_none());
        world.written(&mut world.agent("ana"), "two").await;
        let mut resumed = opened(&world, on_conversation(&world), resume(&last.resume_token)).await;
        assert_eq!(sequences(&mut resumed, 1).await, [2]);
    }

    // P14
    async fn a_restart_closes_streams_in_band_and_they_resume_on_the_new_process(engine) {
        let mut world = World::on(engine).await;
        let mut stream = opened(&world, on_conversation(&world), from_now()).await;
        world.written(&mut world.agent("ana"), "one").await;
        assert_eq!(sequences(&mut stream, 1).await, [1]);
        let reader = tokio::spawn(async move {
            let last = frame(&mut stream).await.unwrap();
            (last, frame(&mut stream).await)
        });
        world.suite.restart().await;
        let (last, end) = reader.await.unwrap();
        let Some(Frame::Closing(closing)) = last.frame else { panic!("{last:?}") };
        assert_eq!((closing.reason(), end), (ClosingReason::Shutdown, None));
        world.written(&mut world.agent("ana"), "two").await;
        let mut resumed = opened(&world, on_conversation(&world), resume(&last.resume_token)).await;
        assert_eq!(sequences(&mut resumed, 1).await, [2]);
    }

    // P14, fault 13
    async fn who_resumes_behind_what_is_kept_lists_again_and_then_misses_nothing(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "one").await;
        let mut stream = opened(&world, on_conversation(&world), earliest()).await;
        let (_, first) = change(&mut stream).await;
        drop(stream);
        // What a thousand changes and one would do, in one transaction each.
        let (db, org) = world.tables().await;
        let id: kernel::NoteId = note.note_id.parse().unwrap();
        for _ in 0..1_001 {
            let bump = db.write(&org, move |tx| {
                Box::pin(async move {
                    let bump = tx.query("UPDATE notes SET version = version + 1 WHERE org_id = $1 AND note_id = $2");
                    bump.bind(id).execute(tx).await
                })
            });
            bump.await.unwrap();
        }
        let mut behind = opened(&world, on_conversation(&world), resume(&first)).await;
        let last = frame(&mut behind).await.unwrap();
        assert!(matches!(last.frame, Some(Frame::ResyncRequired(_))), "{last:?}");
        assert!(frame(&mut behind).await.is_none());
        world.written(&mut world.agent("ana"), "two").await;
        let mut resumed = opened(&world, on_conversation(&world), resume(&last.resume_token)).await;
        assert_eq!(sequences(&mut resumed, 1).await, [1_003]);
        let mut oldest = opened(&world, on_conversation(&world), earliest()).await;
        assert_eq!(sequences(&mut oldest, 1_000).await, (4..=1_003).collect::<Vec<i64>>());
    }
}

// N12, fault 7: two processes on one database, without NATS between them.
#[test]
fn a_change_made_by_another_process_arrives_without_any_wake_up() {
    testkit::run(async {
        let here = World::on(Engine::Postgres).await;
        let there = here.beside().await;
        let mut stream = opened(&here, on_conversation(&here), from_now()).await;
        let mut token = String::new();
        for number in 1..=10 {
            let begin = Instant::now();
            there.written(&mut there.agent("ana"), "from there").await;
            let (change, behind) = change(&mut stream).await;
            assert_eq!(change.sequence, number);
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
            token = behind;
        }
        // Resumed on the other replica: its token is as good there.
        there.written(&mut there.agent("ana"), "once more").await;
        let mut resumed = opened(&there, on_conversation(&there), resume(&token)).await;
        assert_eq!(sequences(&mut resumed, 1).await, [11]);
    });
}
