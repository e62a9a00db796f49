//! N8: finding notes, over the wire.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::*;
use rpc::convert::proto_time;
use testkit::Client;
use tonic::Code;

use crate::world::{World, edit, refusal, request_id, violated};

type Searches = NoteSearchServiceClient<Client>;

fn searcher(world: &World, org: &str, role: Role) -> Searches {
    NoteSearchServiceClient::new(world.suite.client(org, "sub-searcher", role))
}

fn query(query: &str) -> SearchNotesRequest {
    SearchNotesRequest { query: query.to_owned(), ..SearchNotesRequest::default() }
}

/// Every hit of a search, page by page.
async fn hits(world: &World, request: SearchNotesRequest) -> Vec<NoteHit> {
    let (mut searches, mut request) = (searcher(world, "acme", Role::Agent), request);
    let mut hits = Vec::new();
    loop {
        let page = searches.search_notes(request.clone()).await.unwrap().into_inner();
        hits.extend(page.hits);
        if page.next_page_token.is_empty() {
            return hits;
        }
        request.page_token = page.next_page_token;
    }
}

async fn ids(world: &World, request: SearchNotesRequest) -> Vec<String> {
    hits(world, request).await.into_iter().map(|hit| hit.note_id).collect()
}

fn highlighted(hit: &NoteHit) -> Vec<String> {
    let snippet = hit.snippet.as_ref().unwrap();
    let letters: Vec<char> = snippet.text.chars().collect();
    let part = |place: &NoteHighlight| letters[place.start as usize..place.end as usize].iter().collect();
    snippet.highlights.iter().map(part).collect()
}

/// A note on a contact, from within a conversation with them.
pub(crate) async fn on_contact(world: &World, body: &str) -> Note {
    let request = CreateContactNoteRequest {
        contact_id: world.peers.contact_of(&world.conversation),
        conversation_id: world.conversation.clone(),
        body: body.to_owned(),
        ..CreateContactNoteRequest::default()
    };
    let client = world.suite.client("acme", "sub-ana", Role::Agent);
    let mut notes = contact_note_service_client::ContactNoteServiceClient::new(client);
    notes.create_contact_note(request).await.unwrap().into_inner().note.unwrap()
}

/// From now on, deleted notes of conversations keep their place.
pub(crate) async fn allow_tombstones(world: &World) {
    let client = world.suite.client("acme", "sub-root", Role::Admin);
    let request = UpdateSettingsRequest {
        conversation_note_deletion: ConversationNoteDeletion::Tombstone.into(),
        ..UpdateSettingsRequest::default()
    };
    admin_service_client::AdminServiceClient::new(client).update_settings(request).await.unwrap();
}

pub(crate) async fn delete(world: &World, note: &Note) {
    let request = DeleteNoteRequest { note_id: note.note_id.clone(), ..DeleteNoteRequest::default() };
    world.agent("ana").delete_note(request).await.unwrap();
}

testkit::on_both_databases! {
    // N8
    async fn notes_are_found_by_their_words_in_whichever_way_these_are_written(engine) {
        let world = World::on(engine).await;
        let texts = [
            "Der Kunde wünscht eine **Rückerstattung** für das zweite Paket.",
            "mail bob@example.com, see https://shop.example/orders/4711?ref=x",
            "彼は返金を希望しています 🔥",
            "שָׁלוֹם, the customer from תל אביב calls again",
            "`let total = price * qty;` fails with E0308",
            "He said: don't re-book! Order #A-100/2",
        ];
        let mut notes = Vec::new();
        for text in texts {
            notes.push(world.written(&mut world.agent("ana"), text).await.note_id);
        }
        for (asked, found) in [
            ("rückerstattung", vec![0]),
            ("RUCKERSTATTUNG paket", vec![0]),
            ("paket kunde", vec![0]),
            ("\"zweite Paket\"", vec![0]),
            ("\"Paket zweite\"", vec![]),
            ("ruckerst*", vec![0]),
            ("ruckerst", vec![]),
            ("bob@example.com", vec![1]),
            ("example.com", vec![1]),
            ("com.example", vec![]),
            ("example", vec![1]),
            ("https://shop.example/orders/4711", vec![1]),
            ("4711", vec![1]),
            ("返金", vec![2]),
            ("金返", vec![]),
            ("🔥", vec![2]),
            ("🔥 返金を希望", vec![2]),
            ("שלום", vec![3]),
            ("\"תל אביב\" customer", vec![3]),
            ("price * qty", vec![4]),
            ("e0308", vec![4]),
            ("don’t", vec![5]),
            ("A-100", vec![5]),
            ("re-book", vec![5]),
            ("re-bo*", vec![5]),
            ("rebook", vec![]),
            ("customer OR kunde", vec![]),
            ("the", vec![3]),
        ] {
            let expected: Vec<&String> = found.iter().map(|at: &usize| &notes[*at]).collect();
            assert_eq!(ids(&world, query(asked)).await.iter().collect::<Vec<_>>(), expected, "{asked}");
        }
    }

    // N8
    async fn a_hit_shows_the_part_that_fits_and_where_the_words_are(engine) {
        let world = World::on(engine).await;
        let filler = "Lorem ipsum dolor sit amet, ".repeat(30);
        let body = format!("{filler}👍 the **Rückruf** of the second parcel. {filler}");
        let note = world.written(&mut world.agent("ana"), &body).await;
        let found = hits(&world, query("ruckruf \"second parcel\"")).await;
        assert_eq!(found.len(), 1);
        assert_eq!(highlighted(&found[0]), ["Rückruf", "second parcel"]);
        let snippet = found[0].snippet.clone().unwrap();
        assert!(snippet.cut_before && snippet.cut_after && body.contains(&snippet.text));
        assert!(snippet.text.chars().count() <= 240);
        assert_eq!(
            (&found[0].note_id, &found[0].conversation_id, &found[0].contact_id, found[0].kind),
            (&note.note_id, &note.conversation_id, &note.contact_id, note.kind)
        );
        assert_eq!((&found[0].author, &found[0].create_time), (&note.author, &note.create_time));
    }

    // N8
    async fn filters_narrow_a_search_and_are_one_by_themselves(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        world.peers.team("flights", &["cy", "dan"]);
        let other = world.peers.conversation("acme");
        let first = world.written(&mut world.agent("ana"), "refund @bob").await;
        let second = world.written(&mut world.agent("cy"), "refund @flights @nobody").await;
        let request = CreateNoteRequest { conversation_id: other.clone(), ..world.note("refund elsewhere") };
        let third = world.agent("ana").create_note(request).await.unwrap().into_inner().note.unwrap();
        let fourth = on_contact(&world, "refund gladly").await;
        let all = [&first, &second, &third, &fourth].map(|note| note.note_id.clone());
        let contact_id = world.peers.contact_of(&world.conversation);
        let any = SearchNotesRequest::default;
        let time = |note: &Note| note.create_time;
        for (request, found) in [
            (query("refund"), vec![3, 2, 1, 0]),
            (SearchNotesRequest { author_subject: "sub-ana".into(), ..query("refund") }, vec![3, 2, 0]),
            (SearchNotesRequest { author_subject: "sub-cy".into(), ..any() }, vec![1]),
            (SearchNotesRequest { author_subject: "sub-nobody".into(), ..any() }, vec![]),
            (SearchNotesRequest { conversation_id: world.conversation.clone(), ..any() }, vec![1, 0]),
            (SearchNotesRequest { conversation_id: request_id(), ..any() }, vec![]),
            (SearchNotesRequest { contact_id: contact_id.clone(), ..any() }, vec![3, 1, 0]),
            (SearchNotesRequest { contact_id, kind: NoteKind::Contact.into(), ..any() }, vec![3]),
            (SearchNotesRequest { kind: NoteKind::Conversation.into(), ..query("elsewhere") }, vec![2]),
            (SearchNotesRequest { mentioned_handle: "BOB".into(), ..any() }, vec![0]),
            (SearchNotesRequest { mentioned_handle: "nobody".into(), ..any() }, vec![1]),
            (SearchNotesRequest { mentioned_subject: "sub-dan".into(), ..any() }, vec![1]),
            (SearchNotesRequest { mentioned_subject: "sub-cy".into(), ..any() }, vec![]),
            (SearchNotesRequest { start_time: time(&second), ..query("refund") }, vec![3, 2, 1]),
            (SearchNotesRequest { end_time: time(&second), ..query("refund") }, vec![0]),
            (SearchNotesRequest { start_time: time(&second), end_time: time(&fourth), ..query("refund") }, vec![2, 1]),
        ] {
            let expected: Vec<&String> = found.iter().map(|at: &usize| &all[*at]).collect();
            assert_eq!(ids(&world, request.clone()).await.iter().collect::<Vec<_>>(), expected, "{request:?}");
        }
    }

    // N8, P7
    async fn pages_hold_each_hit_once_and_their_tokens_work_for_their_search_only(engine) {
        let world = World::on(engine).await;
        let mut written = Vec::new();
        for number in 0..7 {
            written.push(world.written(&mut world.agent("ana"), &format!("parcel {number}")).await.note_id);
        }
        written.reverse();
        for page_size in [1, 3, 7, 200] {
            let request = SearchNotesRequest { page_size, ..query("parcel") };
            assert_eq!(ids(&world, request).await, written, "{page_size} a page");
        }
        let mut searches = searcher(&world, "acme", Role::Agent);
        let request = SearchNotesRequest { page_size: 7, ..query("parcel") };
        assert_eq!(searches.search_notes(request).await.unwrap().into_inner().next_page_token, "");
        let request = SearchNotesRequest { page_size: 2, ..query("parcel") };
        let token = searches.search_notes(request.clone()).await.unwrap().into_inner().next_page_token;
        let with_token = |request: SearchNotesRequest| SearchNotesRequest { page_token: token.clone(), ..request };
        searches.search_notes(with_token(query("\"PARCEL\""))).await.unwrap();
        let mut globex = searcher(&world, "globex", Role::Agent);
        for refused in [
            searches.search_notes(with_token(query("parcels"))).await,
            searches.search_notes(with_token(query("parc*"))).await,
            searches.search_notes(with_token(SearchNotesRequest { author_subject: "x".into(), ..query("parcel") })).await,
            searches.search_notes(SearchNotesRequest { page_token: "garbage".into(), ..query("parcel") }).await,
            globex.search_notes(with_token(query("parcel"))).await,
        ] {
            let (code, reason, _) = refusal(refused);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
    }

    // N8, P7
    async fn a_search_for_a_phrase_goes_on_where_it_stopped_looking(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        let first = world.written(&mut ana, "the second parcel").await;
        for number in 0..300 {
            world.written(&mut ana, &format!("parcel {number}, second")).await;
        }
        let last = world.written(&mut ana, "a second parcel").await;
        let page = searcher(&world, "acme", Role::Agent).search_notes(query("\"second parcel\"")).await.unwrap();
        let page = page.into_inner();
        assert_eq!((page.hits.len(), page.next_page_token.is_empty()), (1, false), "not all was looked at");
        assert_eq!(ids(&world, query("\"second parcel\"")).await, [last.note_id, first.note_id]);
        assert_eq!(ids(&world, query("second parcel")).await.len(), 302);
    }

    // N8
    async fn an_edited_note_is_found_under_its_present_text_only(engine) {
        let world = World::on(engine).await;
        let mut ana = world.agent("ana");
        world.peers.agent("bob");
        let note = world.written(&mut ana, "first @bob").await;
        ana.update_note(edit(&note, "second")).await.unwrap();
        assert!(ids(&world, query("first")).await.is_empty());
        assert_eq!(ids(&world, query("second")).await, std::slice::from_ref(&note.note_id));
        // He was told; the present text does not name him.
        let told = SearchNotesRequest { mentioned_subject: "sub-bob".into(), ..SearchNotesRequest::default() };
        assert_eq!(ids(&world, told).await, [note.note_id]);
        let named = SearchNotesRequest { mentioned_handle: "bob".into(), ..SearchNotesRequest::default() };
        assert!(ids(&world, named).await.is_empty());
    }

    // N8, N2, N6
    async fn deleted_notes_are_found_by_nobody_and_leave_nothing_in_the_index(engine) {
        let world = World::on(engine).await;
        allow_tombstones(&world).await;
        let gone = on_contact(&world, "canary one").await;
        let buried = world.written(&mut world.agent("ana"), "canary two").await;
        let kept = world.written(&mut world.agent("ana"), "canary three").await;
        delete(&world, &gone).await;
        delete(&world, &buried).await;
        for role in [Role::Agent, Role::Supervisor, Role::Admin] {
            let page = searcher(&world, "acme", role).search_notes(query("canary")).await.unwrap().into_inner();
            let found: Vec<String> = page.hits.into_iter().map(|hit| hit.note_id).collect();
            assert_eq!(found, std::slice::from_ref(&kept.note_id), "{role}");
        }
        let (db, org) = world.tables().await;
        let left = db.read(&org, |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM note_search WHERE org_id = $1").fetch_value::<i64>(tx).await
            })
        });
        assert_eq!(left.await.unwrap(), 1);
        if engine == testkit::Engine::Sqlite {
            let index = db.read_system(|tx| {
                Box::pin(async move { tx.query("SELECT COUNT(*) FROM note_index").fetch_value::<i64>(tx).await })
            });
            assert_eq!(index.await.unwrap(), 1);
        }
    }

    // N8
    async fn no_text_is_an_error_of_syntax(engine) {
        let world = World::on(engine).await;
        world.written(&mut world.agent("ana"), "plain a b c d e text").await;
        let mut searches = searcher(&world, "acme", Role::Agent);
        for text in [
            "a AND", "NOT a", "(a", "a OR b)", "\"a", "a\"b", "a*b", "*a", "{a b}: c", "col:a", "a NEAR(b, 2)", "^a", "-a", "+a",
            "a & b", "a | b", "!a", "a:*", "'a'", "a\\'", "a\\", "a:B", "<-> a", "a <2> b", "a;--", "%a_", "$1", "\u{202e}a",
        ] {
            let page = searches.search_notes(query(text)).await.unwrap_or_else(|status| panic!("{text}: {status}"));
            assert!(page.into_inner().hits.len() <= 1);
        }
        let many: String = (0..33).map(|number| format!("w{number} ")).collect();
        for (request, field) in [
            (query("***"), "query"),
            (query("\"\" !"), "query"),
            (query(""), "query"),
            (query("a\u{0}b"), "query"),
            (query(&many), "query"),
            (query(&"x".repeat(513)), "query"),
            (SearchNotesRequest { mentioned_handle: "@bob".into(), ..query("a") }, "mentioned_handle"),
            (SearchNotesRequest { conversation_id: "x".into(), ..query("a") }, "conversation_id"),
            (SearchNotesRequest { kind: 99, ..query("a") }, "kind"),
            (SearchNotesRequest { page_size: 201, ..query("a") }, "page_size"),
        ] {
            let (code, _, status) = refusal(searches.search_notes(request.clone()).await);
            assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec![field.to_owned()]), "{request:?}");
        }
        let since = proto_time(kernel::Timestamp::from_micros(0));
        let everything = SearchNotesRequest { start_time: Some(since), ..SearchNotesRequest::default() };
        assert_eq!(refusal(searches.search_notes(everything).await).0, Code::InvalidArgument);
    }

    // N8, P1, N3
    async fn nobody_finds_notes_of_another_organization_or_without_a_colleagues_role(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "private canary").await;
        for request in [
            query("canary"),
            SearchNotesRequest { conversation_id: note.conversation_id.clone(), ..SearchNotesRequest::default() },
            SearchNotesRequest { author_subject: "sub-ana".into(), ..query("canary") },
        ] {
            let page = searcher(&world, "globex", Role::Admin).search_notes(request.clone()).await.unwrap();
            assert_eq!(page.into_inner(), SearchNotesResponse::default());
            for role in [Role::Contact, Role::Integration, Role::Service] {
                let answer = searcher(&world, "acme", role).search_notes(request.clone()).await;
                let (code, reason, status) = refusal(answer);
                assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
                assert!(!format!("{status:?}").contains("canary"));
            }
        }
    }
}
