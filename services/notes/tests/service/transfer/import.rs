//! P13: what becomes of lines.

use std::collections::BTreeSet;

use kernel::{Clock, Role};
use notes::domain::transfer::KINDS;
use proto::notes::v1::note_watch_service_client::NoteWatchServiceClient;
use proto::notes::v1::watch_notes_request::Target;
use proto::notes::v1::*;
use serde_json::{Value as Json, json};
use testkit::Engine;

use super::{Taken, exported, exported_of, file, frames, full, imported, lines, transfers_of};
use crate::erasure::{erase_contact, erase_conversations};
use crate::world::{World, edit};
use NoteLineRejectionReason as Reason;

/// A note as a file may bring it, written so many seconds after a moment.
fn note(number: u64) -> Json {
    let time = format!("2024-05-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    json!({
        "kind": "note", "version": 1, "note_id": id(number), "conversation_id": id(1 << 40), "contact_id": id(1 << 41),
        "author_subject": "sub-ana", "author_role": "agent", "author_name": "Ana",
        "editor_subject": "sub-ana", "editor_role": "agent", "editor_name": "Ana",
        "body": format!("text number{number} 🦊"), "mentions": [], "revision": 1, "etag_version": 1,
        "create_time": time, "update_time": time,
    })
}

/// A UUIDv7 of May 2024, or later.
fn id(number: u64) -> String {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    uuid::Builder::from_unix_timestamp_millis(1_714_521_600_000 + number, &[0, 0, a, b, c, d, e, f, g, h])
        .into_uuid()
        .to_string()
}

fn with(line: &Json, changes: Json) -> Json {
    let mut line = line.clone();
    for (name, value) in changes.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

/// Line, reason and field of what was left out.
fn told(taken: &Taken) -> Vec<(i64, Reason, String)> {
    taken.rejected.iter().map(|it| (it.line, it.reason(), it.violations[0].field.clone())).collect()
}

async fn found(world: &World, query: &str) -> usize {
    let client = world.suite.client("acme", "sub-ana", Role::Agent);
    let mut search = note_search_service_client::NoteSearchServiceClient::new(client);
    let request = SearchNotesRequest { query: query.to_owned(), page_size: 200, ..Default::default() };
    search.search_notes(request).await.unwrap().into_inner().hits.len()
}

testkit::on_both_databases! {
    // P13
    async fn a_line_that_cannot_come_in_comes_back_with_its_place_and_reason_and_the_rest_is_in(engine) {
        let world = World::on(engine).await;
        let good = note(1);
        let revision = json!({
            "kind": "note_revision", "version": 1, "note_id": id(1), "revision": 1, "actor_subject": "sub-ana",
            "actor_role": "agent", "actor_name": "Ana", "body": "earlier", "write_time": "2024-05-01T00:00:00Z",
        });
        let message = json!({
            "kind": "internal_message", "version": 1, "internal_message_id": id(5), "internal_thread_id": id(6),
            "conversation_id": id(7), "author_subject": "sub-ana", "author_role": "agent", "author_name": "Ana",
            "body": "hello", "create_time": "2024-05-01T00:00:00Z",
        });
        let template = json!({
            "kind": "note_template", "version": 1, "note_template_id": id(8), "name": "Refund", "body": "of {{amount}}",
            "fields": [{"key": "amount", "label": "", "required": true}], "etag_version": 1,
            "create_time": "2024-05-01T00:00:00Z", "update_time": "2024-05-01T00:00:00Z",
        });
        let mut bytes = file(&[
            good.clone(),
            with(&good, json!({"body": "says something else"})),
            good.clone(),
            with(&note(2), json!({"author_role": "contact"})),
            with(&good, json!({"kind": "notebook"})),
            revision.clone(),
            with(&revision, json!({"note_id": id(9)})),
            message.clone(),
            template.clone(),
            with(&template, json!({"note_template_id": id(10)})),
            with(&template, json!({"note_template_id": id(11), "name": "Other", "body": "of {{sum}}"})),
        ]);
        bytes.extend_from_slice(b"\n{\"kind\":\n\n");
        bytes.extend(file(&[note(3)]));
        let taken = imported(&world, &bytes).await;
        assert_eq!(taken.counted(), (3, 1, 9));
        assert_eq!(told(&taken), [
            (2, Reason::Conflict, String::new()),
            (4, Reason::InvalidValue, "author_role".to_owned()),
            (5, Reason::UnknownKind, "kind".to_owned()),
            (6, Reason::Conflict, "revision".to_owned()),
            (7, Reason::NotFound, "note_id".to_owned()),
            (8, Reason::NotFound, "internal_thread_id".to_owned()),
            (10, Reason::Conflict, "name".to_owned()),
            (11, Reason::InvalidValue, "body".to_owned()),
            (13, Reason::Unreadable, String::new()),
        ]);
        for rejected in &taken.rejected {
            let (from, length) = (rejected.offset as usize, rejected.length as usize);
            let line = bytes.split(|byte| *byte == b'\n').nth(rejected.line as usize - 1).unwrap();
            assert_eq!(&bytes[from..from + length], line, "{rejected:?}");
        }
        let out = lines(&exported(&world).await);
        assert_eq!(out, [template, good, note(3)]);
    }

    // P13
    async fn what_no_answer_could_say_stays_out_and_its_field_is_named(engine) {
        let world = World::on(engine).await;
        let handoff = |due: i64| json!({
            "receiver": {"subject": "sub-bob", "display_name": "Bob"}, "urgency": "low", "due_time": due,
            "texts": {"steps_taken": "", "expected_outcome": ""}, "acknowledgement": null,
        });
        let wrong = [
            (json!({"create_time": "-0001-01-01T00:00:00Z"}), "create_time"),
            (json!({"update_time": "2024-04-30T00:00:00Z"}), "update_time"),
            (json!({"etag_version": i64::MAX}), "etag_version"),
            (json!({"revision": i64::MAX}), "revision"),
            (json!({"revision": i32::MAX}), "revision"),
            (json!({"handoff": handoff(i64::MAX)}), "handoff"),
            (json!({"handoff": handoff(i64::MIN)}), "handoff"),
            (json!({"note_id": "01890a5d-ac96-474b-bcce-b302099a8057"}), "note_id"),
        ];
        let mut all: Vec<Json> = (2..).zip(&wrong).map(|(number, (change, _))| with(&note(number), change.clone())).collect();
        all.push(with(&note(1), json!({"revision": 1_000_000_000, "etag_version": 1_i64 << 53, "handoff": handoff(253_402_300_799_999_999)})));
        let taken = imported(&world, &file(&all)).await;
        let expected: Vec<(i64, Reason, String)> =
            (1..).zip(wrong).map(|(line, (_, field))| (line, Reason::InvalidValue, field.to_owned())).collect();
        assert_eq!((taken.counted().0, told(&taken)), (1, expected));
        // What came in is read and changed as any other.
        let mut ana = world.agent("ana");
        let imported = ana.get_note(GetNoteRequest { note_id: id(1) }).await.unwrap().into_inner().note.unwrap();
        let changed = ana.update_note(edit(&imported, "another text")).await.unwrap().into_inner().note.unwrap();
        assert_eq!((changed.revision, changed.etag != imported.etag), (1_000_000_001, true));
    }

    // P13
    async fn a_line_whose_id_is_there_with_another_content_changes_nothing(engine) {
        let world = full(engine).await;
        let before = exported(&world).await;
        let mut changed = lines(&before);
        for line in &mut changed {
            for field in ["body", "mention_time", "follow_time", "read_time", "last_message_time", "update_time"] {
                if let Some(value) = line.get_mut(field) {
                    *value = if field == "body" { json!("{{amount}} otherwise") } else { json!("2020-01-01T00:00:00Z") };
                    break;
                }
            }
        }
        let taken = imported(&world, &file(&changed)).await;
        // Of a recipient there is nothing but the key.
        let recipients = changed.iter().filter(|line| line["kind"] == "note_reply_recipient").count() as i64;
        assert_eq!(taken.counted(), (0, recipients, changed.len() as i64 - recipients));
        assert!(taken.rejected.iter().all(|it| it.reason() == Reason::Conflict), "{:?}", taken.rejected);
        assert_eq!(exported(&world).await, before);
    }

    // P13, N7, N12: who follows the notes sees them; nobody is told.
    async fn what_comes_in_is_found_and_followed_and_nobody_is_told(engine) {
        let source = full(engine).await;
        let out = exported(&source).await;
        let world = World::on(engine).await;
        let client = world.suite.client("acme", "sub-ana", Role::Agent);
        let notes = imported(&world, &file(&[note(1)])).await;
        assert_eq!(notes.counted(), (1, 0, 0));
        let request = WatchNotesRequest { target: Some(Target::ConversationId(id(1 << 40))), start: None };
        let mut stream = NoteWatchServiceClient::new(client).watch_notes(request).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        imported(&world, &file(&[note(2)])).await;
        let change = loop {
            let frame = stream.message().await.unwrap().unwrap().frame.unwrap();
            if let watch_notes_response::Frame::Change(change) = frame { break change; }
        };
        assert_eq!((change.r#type(), change.note_id), (NoteChangeType::Created, id(2)));
        imported(&world, &out).await;
        assert_eq!((found(&world, "number2").await, found(&world, "otherwise").await, found(&world, "third").await), (1, 0, 1));
        assert_eq!(found(&world, "said too much").await, 0, "a deleted note is found by nobody");
        // What is told of a later note comes, and nothing came before it.
        world.peers.agent("bob");
        world.written(&mut world.agent("ana"), "@bob look").await;
        let (notified, applied) = world.peers.told(3).await;
        assert_eq!((notified.len(), applied.len()), (1, 2));
    }

    // P13
    async fn a_file_of_many_batches_is_in_lists_in_its_order(engine) {
        let world = World::on(engine).await;
        let all: Vec<Json> = (1..=650).map(note).collect();
        let taken = imported(&world, &file(&all)).await;
        assert_eq!((taken.counted(), taken.batches), ((650, 0, 0), 4));
        let mut page_token = String::new();
        let mut listed = Vec::new();
        loop {
            let request = ListNotesRequest { conversation_id: id(1 << 40), page_size: 200, page_token };
            let page = world.agent("ana").list_notes(request).await.unwrap().into_inner();
            listed.extend(page.notes.into_iter().map(|note| note.note_id));
            if page.next_page_token.is_empty() { break; }
            page_token = page.next_page_token;
        }
        assert_eq!(listed, (1..=650).map(id).collect::<Vec<_>>());
        assert_eq!(lines(&exported(&world).await), all);
        assert_eq!((found(&world, "number649").await, found(&world, "number*").await), (1, 200));
    }

    // P12, P13
    async fn a_file_from_before_an_erasure_brings_nothing_back(engine) {
        let world = full(engine).await;
        let file = exported(&world).await;
        let erasure = Clock::system().new_id().to_string();
        erase_conversations(&world, &erasure, &[&world.conversation]).await;
        erase_contact(&world, &erasure, &world.contact()).await;
        let left = exported(&world).await;
        let taken = imported(&world, &file).await;
        let all = lines(&file);
        let kind = |line: i64| all[line as usize - 1]["kind"].as_str().unwrap();
        for it in &taken.rejected {
            let of_erased = match kind(it.line) {
                "note" => Some("contact_id"),
                "internal_thread" | "internal_message" => Some("conversation_id"),
                _ => None,
            };
            let (reason, field) = (it.reason(), it.violations[0].field.as_str());
            match of_erased {
                Some(of) => assert_eq!((reason, field), (Reason::Erased, of), "{it:?}"),
                None => assert_eq!(reason, Reason::NotFound, "it belongs to what was erased: {it:?}"),
            }
        }
        let refused: BTreeSet<&str> = taken.rejected.iter().map(|it| kind(it.line)).collect();
        let whole = KINDS.iter().map(|kind| kind.name).collect::<BTreeSet<_>>();
        assert_eq!(&whole - &refused, BTreeSet::from(["settings", "note_template", "note_thread_follower"]));
        // A follower is a colleague, and the thread an id that leads to nothing.
        let (followers, others) = lines(&exported(&world).await)
            .into_iter()
            .partition::<Vec<_>, _>(|line| line["kind"] == "note_thread_follower");
        assert_eq!(taken.counted(), (followers.len() as i64, others.len() as i64, taken.counts.rejected));
        assert_eq!(others, lines(&left), "settings and templates, as they were");
        assert_eq!((found(&world, "third").await, found(&world, "vip").await), (0, 0));

        // An erased contact, in a conversation that was not.
        let bytes = super::file(&[note(1), with(&note(2), json!({"contact_id": world.contact()})), note(3)]);
        let taken = imported(&world, &bytes).await;
        assert_eq!((taken.counted(), told(&taken)), ((2, 0, 1), vec![(2, Reason::Erased, "contact_id".to_owned())]));
    }

    // P1, P13: ids are an organization's own.
    async fn the_same_ids_in_another_organization_are_nobodys_business(engine) {
        let world = World::on(engine).await;
        imported(&world, &file(&[note(1)])).await;
        assert_eq!(exported_of(&world, "globex").await, b"");
        let sent = frames("", &file(&[with(&note(1), json!({"body": "theirs"}))]), 1_000);
        let mut theirs = transfers_of(&world, "globex");
        let mut stream = theirs.import_notes(futures::stream::iter(sent)).await.unwrap().into_inner();
        while stream.message().await.unwrap().is_some() {}
        assert_eq!(lines(&exported_of(&world, "globex").await)[0]["body"], "theirs");
        assert_eq!(lines(&exported(&world).await), [note(1)]);
    }
}

#[test]
fn the_longest_text_of_signs_that_json_writes_longest_goes_round() {
    testkit::run(async {
        let world = World::on(Engine::Sqlite).await;
        let long = with(&note(1), json!({"body": "\u{1}".repeat(64 * 1024)}));
        let taken = imported(&world, &file(std::slice::from_ref(&long))).await;
        assert_eq!(taken.counted(), (1, 0, 0), "{:?}", taken.rejected);
        assert_eq!(lines(&exported(&world).await), [long]);
    });
}
