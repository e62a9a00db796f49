//! The part of notes in the erasure of a contact (P12).

use std::time::Duration;

use db::{Db, DbError, Engine};
use kernel::{Clock, OrgId, Role};
use proto::common::v1::ErasedCount;
use proto::notes::v1::erasure_service_client::ErasureServiceClient;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::{World, delete, edit, get, refusal};

/// In every text about the person, and nowhere else.
const MARKER: &str = "markermia";

/// What an erasure removed, by kind.
pub(crate) type Counts = Vec<(String, i64)>;

fn counts(removed: Vec<ErasedCount>) -> Counts {
    removed.into_iter().map(|ErasedCount { kind, count }| (kind, count)).collect()
}

fn counted(expected: &[(&str, i64)]) -> Counts {
    expected.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

fn erasures(world: &World) -> ErasureServiceClient<Client> {
    ErasureServiceClient::new(world.suite.client("acme", "contacts", Role::Service))
}

pub(crate) async fn erase_conversations(world: &World, erasure_id: &str, ids: &[&str]) -> Counts {
    let request = EraseConversationsRequest {
        erasure_id: erasure_id.to_owned(),
        conversation_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    loop {
        let answer = erasures(world).erase_conversations(request.clone()).await.unwrap().into_inner();
        if answer.done {
            return counts(answer.removed);
        }
    }
}

pub(crate) async fn erase_contact(world: &World, erasure_id: &str, contact: &str) -> Counts {
    let request =
        EraseContactRequest { erasure_id: erasure_id.to_owned(), contact_ids: vec![contact.to_owned()] };
    loop {
        let answer = erasures(world).erase_contact(request.clone()).await.unwrap().into_inner();
        if answer.done {
            return counts(answer.removed);
        }
    }
}

/// Writes everything there can be about a conversation and its contact.
async fn seed(world: &World) -> (Note, Note) {
    let ana = world.peers.person("ana", Role::Agent);
    world.peers.agent("ben");
    world.peers.assign(&world.conversation, Some(&ana));
    let mut author = world.agent("ana");
    let first = world.written(&mut author, &format!("{MARKER} is ill @ben")).await;
    author.update_note(edit(&first, &format!("{MARKER} is well again @ben"))).await.unwrap();
    let mut ben = world.agent("ben");
    world.replied(&mut ben, &first, &format!("{MARKER} said so")).await;
    let on_contact = world.on_contact("ana", &format!("{MARKER} has two children")).await;
    let client = world.suite.client("acme", "sub-eve", Role::Supervisor);
    let message = SendInternalMessageRequest {
        conversation_id: world.conversation.clone(),
        body: format!("be kind to {MARKER}"),
        ..Default::default()
    };
    InternalMessageServiceClient::new(client).send_internal_message(message).await.unwrap();
    (first, on_contact)
}

/// How many rows of the organization every table has that may hold texts.
async fn rows(db: &Db) -> Vec<(&'static str, i64)> {
    const TABLES: [&str; 12] = [
        "notes",
        "note_revisions",
        "mentioned_people",
        "reply_recipients",
        "thread_followers",
        "note_search",
        "note_changes",
        "note_heads",
        "internal_messages",
        "internal_people",
        "internal_threads",
        "internal_conversations",
    ];
    let org = OrgId::parse("acme").unwrap();
    let rows = db.read(&org, |tx| {
        Box::pin(async move {
            let mut rows = Vec::new();
            for table in TABLES {
                let query = tx.query_dynamic(format!("SELECT COUNT(*) FROM {table} WHERE org_id = $1"));
                rows.push((table, query.fetch_value::<i64>(tx).await?));
            }
            Ok::<_, DbError>(rows)
        })
    });
    rows.await.unwrap()
}

testkit::on_both_databases! {
    // P12
    async fn everything_about_an_erased_contact_goes_and_is_counted_once(engine) {
        let world = World::on(engine).await;
        let (note, on_contact) = seed(&world).await;
        let (db, _) = world.tables().await;
        assert!(rows(&db).await.iter().all(|(_, rows)| *rows > 0), "there is something to erase everywhere");

        let erasure = Clock::system().new_id().to_string();
        let removed = erase_conversations(&world, &erasure, &[&world.conversation]).await;
        let conversation = counted(&[
            ("internal_messages", 1), ("internal_people", 2), ("internal_threads", 1), ("mentions", 1),
            ("note_revisions", 1), ("notes", 2), ("reply_recipients", 1), ("thread_followers", 2),
        ]);
        assert_eq!(removed, conversation);
        assert_eq!(erase_conversations(&world, &erasure, &[&world.conversation]).await, conversation);
        let all = erase_contact(&world, &erasure, &world.contact()).await;
        assert_eq!(all.iter().find(|(kind, _)| kind == "notes").unwrap().1, 3, "the one on the contact, too");
        assert_eq!(erase_contact(&world, &erasure, &world.contact()).await, all, "told again, not counted again");

        assert!(rows(&db).await.iter().all(|(_, rows)| *rows == 0), "{:?}", rows(&db).await);
        let mut admin = world.person("root", Role::Admin);
        for note in [&note, &on_contact] {
            assert_eq!(refusal(admin.get_note(get(note)).await).0, Code::NotFound);
        }
        let mut search = NoteSearchServiceClient::new(world.suite.client("acme", "root", Role::Admin));
        let request = SearchNotesRequest { query: MARKER.to_owned(), ..Default::default() };
        assert_eq!(search.search_notes(request).await.unwrap().into_inner().hits, vec![]);
        db.close().await;
        world.suite.stop().await;
    }

    // P12: PostgreSQL knows nothing of the sizes of new tables, and plans accordingly.
    async fn the_many_notes_of_a_conversation_go_on_a_new_database(engine) {
        let world = World::on(engine).await;
        let mut left = 800;
        while left > 0 {
            let some = (0..50).map(|number| {
                let (mut ana, note) = (world.agent("ana"), world.note(&format!("text {left} {number}")));
                async move { ana.create_note(note).await.unwrap() }
            });
            futures::future::join_all(some).await;
            left -= 50;
        }
        let erasure = Clock::system().new_id().to_string();
        assert_eq!(erase_conversations(&world, &erasure, &[&world.conversation]).await, counted(&[("notes", 800)]));
        world.suite.stop().await;
    }

    // P12
    async fn what_is_about_others_stays(engine) {
        let world = World::on(engine).await;
        seed(&world).await;
        let other = World { conversation: world.peers.conversation("acme"), ..world };
        let kept = other.written(&mut other.agent("ana"), "another customer").await;
        let on_other = other.on_contact("ana", "another contact").await;
        let erased = other.peers.conversation("acme");
        let erasure = Clock::system().new_id().to_string();
        erase_conversations(&other, &erasure, &[&erased]).await;
        erase_contact(&other, &erasure, &other.peers.contact_of(&erased)).await;
        let mut ana = other.agent("ana");
        for note in [&kept, &on_other] {
            ana.get_note(get(note)).await.unwrap();
        }
        other.suite.stop().await;
    }

    // P12
    async fn a_note_under_way_when_its_conversation_is_erased_is_refused(engine) {
        let world = World::on(engine).await;
        seed(&world).await;
        let erasure = Clock::system().new_id().to_string();
        erase_conversations(&world, &erasure, &[&world.conversation]).await;

        // Routing answered before the erasure: in this world it never learns of it.
        let late = world.agent("ana").create_note(world.note(&format!("{MARKER} again"))).await;
        assert_eq!(refusal(late).0, Code::NotFound);
        let client = world.suite.client("acme", "sub-eve", Role::Supervisor);
        let late = SendInternalMessageRequest {
            conversation_id: world.conversation.clone(),
            body: format!("{MARKER} again"),
            ..Default::default()
        };
        let late = InternalMessageServiceClient::new(client).send_internal_message(late).await;
        assert_eq!(refusal(late).0, Code::NotFound);
        erase_contact(&world, &erasure, &world.contact()).await;
        let mut on_contact = world.contact_notes("sub-ana", Role::Agent);
        let late = on_contact.create_contact_note(world.contact_note(&format!("{MARKER} again"))).await;
        assert_eq!(refusal(late).0, Code::NotFound);
        let (db, _) = world.tables().await;
        assert!(rows(&db).await.iter().all(|(_, rows)| *rows == 0), "{:?}", rows(&db).await);
        db.close().await;
        world.suite.stop().await;
    }
}

// P12; of PostgreSQL's index its vacuum takes care.
#[test]
fn the_words_of_erased_notes_leave_sqlites_index() {
    testkit::run(async {
        let world = World::on(Engine::Sqlite).await;
        seed(&world).await;
        for number in 0..60 {
            world.written(&mut world.agent("ana"), &format!("{MARKER} {number}")).await;
        }
        let (db, _) = world.tables().await;
        assert!(words_in_index(&db).await > 0);
        let erasure = Clock::system().new_id().to_string();
        erase_conversations(&world, &erasure, &[&world.conversation]).await;
        erase_contact(&world, &erasure, &world.contact()).await;
        assert_eq!(words_in_index(&db).await, 0);
        db.close().await;
        world.suite.stop().await;
    });
}

// N6 P12; of PostgreSQL's index its vacuum takes care.
#[test]
fn the_words_of_a_deleted_note_leave_sqlites_index() {
    testkit::run(async {
        let world = World::on(Engine::Sqlite).await;
        let note = world.on_contact("ana", &format!("{MARKER} has two children")).await;
        let (db, _) = world.tables().await;
        assert!(words_in_index(&db).await > 0);
        world.agent("ana").delete_note(delete(&note)).await.unwrap();
        no_words_in_index(&db).await;
        // An organization's time for notes is over.
        world.on_contact("ana", &format!("{MARKER} has three children")).await;
        let keep = UpdateSettingsRequest { note_retention_days: Some(1), ..Default::default() };
        world.admin().update_settings(keep).await.unwrap();
        let in_two_days = Clock::system().now().plus(Duration::from_secs(2 * 24 * 60 * 60));
        assert_eq!(notes::app::retention::forget(&db, in_two_days).await.unwrap(), 1);
        no_words_in_index(&db).await;
        db.close().await;
        world.suite.stop().await;
    });
}

/// Waits until SQLite's index does not hold the marker any more.
async fn no_words_in_index(db: &Db) {
    for _ in 0..1_000 {
        if words_in_index(db).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the words of a deleted note stay in the index");
}

/// Blocks of SQLite's index that hold the marker, also of notes that are marked as removed.
async fn words_in_index(db: &Db) -> i64 {
    let count = db.read_system(|tx| {
        Box::pin(async move {
            let query =
                tx.query("SELECT COUNT(*) FROM note_index_data WHERE instr(block, CAST($1 AS BLOB)) > 0");
            query.bind(MARKER).fetch_value::<i64>(tx).await
        })
    });
    count.await.unwrap()
}
