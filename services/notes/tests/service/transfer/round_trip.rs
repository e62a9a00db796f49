//! P13: what goes out comes in, and is the same.

use std::collections::BTreeSet;

use kernel::Role;
use notes::domain::transfer::KINDS;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::*;
use testkit::Engine;

use super::{exported, exported_of, full, imported, internal, lines};
use crate::world::World;

/// What people see: lists, threads, texts, hits, internal messages, counts, templates, settings.
async fn seen(world: &World, conversation: &str, contact: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for role in [Role::Agent, Role::Admin] {
        let mut notes = world.person("sub-ana", role);
        let conversation_id = conversation.to_owned();
        let all =
            notes.list_notes(ListNotesRequest { conversation_id, page_size: 200, ..Default::default() });
        let all = all.await.unwrap().into_inner().notes;
        for note in &all {
            let note_id = note.note_id.clone();
            let thread = ListThreadRequest { note_id: note_id.clone(), ..Default::default() };
            seen.push(format!("{:?}", notes.list_thread(thread).await.unwrap().into_inner().notes));
            let texts = ListNoteRevisionsRequest { note_id, ..Default::default() };
            seen.push(format!(
                "{:?}",
                notes.list_note_revisions(texts).await.unwrap().into_inner().revisions
            ));
        }
        seen.push(format!("{all:?}"));
    }
    let contact_id = contact.to_owned();
    let on_contact = ListContactNotesRequest { contact_id, page_size: 200, ..Default::default() };
    let on_contact =
        world.contact_notes("sub-ana", Role::Agent).list_contact_notes(on_contact).await.unwrap();
    seen.push(format!("{:?}", on_contact.into_inner().notes));
    for query in ["سلام", "返金", "vip", "third", "said", "another", "refund"] {
        let mut search = NoteSearchServiceClient::new(world.suite.client("acme", "sub-ana", Role::Agent));
        let request = SearchNotesRequest { query: query.to_owned(), ..Default::default() };
        seen.push(format!("{query} {:?}", search.search_notes(request).await.unwrap().into_inner().hits));
    }
    for subject in ["sub-bob", "sub-cleo"] {
        let mut search = NoteSearchServiceClient::new(world.suite.client("acme", "sub-ana", Role::Agent));
        let request = SearchNotesRequest { mentioned_subject: subject.to_owned(), ..Default::default() };
        let hits = search.search_notes(request).await.unwrap().into_inner().hits;
        assert!(!hits.is_empty(), "{subject}");
        seen.push(format!("{hits:?}"));
    }
    for (name, role) in [("ana", Role::Agent), ("bob", Role::Agent), ("eve", Role::Supervisor)] {
        let mut messages = internal(world, name, role);
        let conversation_id = conversation.to_owned();
        let all = ListInternalMessagesRequest { conversation_id, page_size: 200, ..Default::default() };
        seen.push(format!("{:?}", messages.list_internal_messages(all).await.unwrap().into_inner().messages));
        let threads = messages.list_internal_threads(ListInternalThreadsRequest::default()).await.unwrap();
        seen.push(format!("{:?}", threads.into_inner().threads));
        let counts = GetInternalUnreadCountsRequest { conversation_ids: vec![conversation.to_owned()] };
        seen.push(format!("{:?}", messages.get_internal_unread_counts(counts).await.unwrap().into_inner()));
    }
    let mut templates = world.templates("sub-ana", Role::Agent);
    let templates = templates.list_note_templates(ListNoteTemplatesRequest::default()).await.unwrap();
    seen.push(format!("{:?}", templates.into_inner().note_templates));
    let settings = world.admin().get_settings(GetSettingsRequest::default()).await.unwrap();
    seen.push(format!("{:?}", settings.into_inner().settings));
    seen
}

/// From one installation to another, and from there out again.
async fn goes_round(from: Engine, to: Engine) {
    let world = full(from).await;
    let file = exported(&world).await;
    let (conversation, contact) = (world.conversation.clone(), world.contact());
    let before = seen(&world, &conversation, &contact).await;
    world.suite.stop().await;

    let empty = World::on(to).await;
    let taken = imported(&empty, &file).await;
    assert!(taken.rejected.is_empty(), "{:?}", taken.rejected);
    assert_eq!(taken.counted(), (lines(&file).len() as i64, 0, 0));
    assert_eq!(String::from_utf8(exported(&empty).await).unwrap(), String::from_utf8(file.clone()).unwrap());
    let after = seen(&empty, &conversation, &contact).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }

    let again = imported(&empty, &file).await;
    assert_eq!(again.counted(), (0, lines(&file).len() as i64, 0), "what is in is unchanged");
    assert_eq!(exported(&empty).await, file);
    empty.suite.stop().await;
}

testkit::on_both_databases! {
    // P13
    async fn a_file_comes_in_elsewhere_and_goes_out_again_byte_for_byte(engine) {
        goes_round(engine, engine).await;
    }

    // P13
    async fn a_file_has_lines_of_every_kind(engine) {
        let world = full(engine).await;
        let lines = lines(&exported(&world).await);
        let kinds: BTreeSet<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, KINDS.iter().map(|kind| kind.name).collect());
        assert!(lines.iter().all(|line| line["version"] == 1));
        let text = String::from_utf8(exported_of(&world, "globex").await).unwrap();
        assert_eq!(text, "", "another organization's file has nothing of it");
        world.suite.stop().await;
    }

    // P13: a new column or table is not forgotten.
    async fn every_column_is_in_the_file_or_follows_from_what_is(engine) {
        let world = World::on(engine).await;
        let (db, org) = world.tables().await;
        let columns: Vec<(String, String)> = db.read(&org, move |tx| Box::pin(async move {
            let sql = match tx.engine() {
                Engine::Sqlite => "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
                                   WHERE m.type = 'table' AND $1 IS NOT NULL",
                Engine::Postgres => "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) \
                                     FROM information_schema.columns \
                                     WHERE table_schema = current_schema() AND $1 IS NOT NULL",
            };
            tx.query(sql).fetch_all(tx).await
        })).await.map_err(|error: db::DbError| error).unwrap();
        db.close().await;
        world.suite.stop().await;
        let of_others = |table: &str| FOLLOWS.iter().any(|known| table.starts_with(known));
        let mut tables = BTreeSet::new();
        for (table, column) in &columns {
            if of_others(table) || column == "org_id" {
                continue;
            }
            let kind = KINDS.iter().find(|kind| kind.table == table);
            let kind = kind.unwrap_or_else(|| panic!("the table {table} is in no file"));
            let known = kind.fields.iter().any(|field| field.column == column)
                || kind.derived.iter().any(|derived| derived.column == column);
            assert!(known, "the column {table}.{column} is in no file");
            tables.insert(table.as_str());
        }
        assert_eq!(tables.len(), KINDS.len());
    }
}

/// Tables that no file has: what follows from others, what is about requests and not about people, other crates' own.
const FOLLOWS: &[&str] = &[
    "note_search", // the index
    "note_index",
    "note_heads", // streams of one installation
    "note_changes",
    "internal_conversations", // the time of the latest message
    "audit_",
    "outbox",
    "inbox",
    "retry_keys",
    "erased",          // what was erased stays erased here
    "contact_aliases", // what moved because of which merge
    "contact_moves",
    "moved_rows",
    "schema_",
    "sqlite_",
];

#[test]
fn what_one_database_wrote_the_other_takes_and_writes_byte_for_byte() {
    testkit::run(async {
        goes_round(Engine::Sqlite, Engine::Postgres).await;
        goes_round(Engine::Postgres, Engine::Sqlite).await;
    });
}
