//! N8: the index of either database finds what a look at every note would.

use audit::Origin;
use db::test_support::{TestDb, org};
use db::{Retry, both_databases};
use kernel::{NoteId, Role, Subject, Timestamp};
use notes::MIGRATIONS;
use notes::app::{Draft, NewNote, create_note};
use notes::domain::search::{Filter, Query, words_in};
use notes::domain::{Author, Body, Directory, NoteKind, Place};
use notes::store::search::{Before, find};
use outbox::Outbox;

/// Letters, words and signs at which tokenizers differ.
const PIECES: [&str; 40] = [
    "a",
    "ab",
    "abc",
    "A",
    "é",
    "e\u{301}",
    "ß",
    "SS",
    "İ",
    "Σας",
    "漢",
    "字",
    "漢字",
    "かな",
    "カナ",
    "が",
    "ไทย",
    "한국어",
    "👍",
    "👍🏽",
    "👩‍💻",
    "❤\u{fe0f}",
    "שָׁ",
    "كـتاب",
    "½",
    "ﬁ",
    "１２",
    "12.5",
    "x_y",
    "don't",
    "re-do",
    "a@b.co",
    "http://a.b/c",
    "\u{ad}",
    "\u{200d}",
    "&",
    "|",
    "'",
    "\"",
    "ﷺ",
];

fn draft(db: &TestDb, body: &str) -> Draft {
    let place = Place::Conversation {
        conversation_id: db.clock.new_id().into(),
        contact_id: db.clock.new_id().into(),
    };
    let subject = Subject::parse("ana").unwrap();
    let author = Author { subject, role: Role::Agent, display_name: "Ana".to_owned() };
    let body = Body::parse(body.to_owned()).unwrap();
    let origin = Origin::new(&author.subject, author.role, "CreateNote");
    let new = NewNote { place, reply: None, author, body, handles: vec![], handoff: None, origin };
    Draft::new(&db.clock, new, &Directory::new())
}

fn retry() -> Retry {
    let caller = Subject::parse("ana").unwrap();
    Retry { caller, method: "CreateNote", request_id: None, digest: [0; 32] }
}

/// Writes notes of an organization, oldest first.
async fn write(db: &TestDb, of: &str, bodies: impl IntoIterator<Item = String>) -> Vec<NoteId> {
    let mut ids = Vec::new();
    for body in bodies {
        let draft = draft(db, &body);
        ids.push(draft.note_id());
        create_note::record(db, &Outbox::new(), &org(of), retry(), draft).await.unwrap();
    }
    ids
}

/// Everything that is found, in steps of so many.
async fn all(db: &TestDb, of: &str, filter: Filter, query: &Query, step: i64) -> Vec<NoteId> {
    let (org, tokens) = (org(of), filter.tokens(&org(of), query));
    let (mut found, mut before) = (Vec::new(), Before::NEWEST);
    loop {
        let (tokens, span) = (tokens.clone(), (filter.since, filter.until));
        let read =
            db.read(&org, move |tx| Box::pin(async move { find(tx, &tokens, span, before, step).await }));
        let page = read.await.unwrap();
        let Some((_, last)) = page.last() else { return found };
        before = *last;
        found.extend(page.into_iter().map(|(id, _)| id));
    }
}

both_databases!(the_index_finds_what_a_look_at_every_text_would, MIGRATIONS, |db| async move {
    // A fixed walk through the pieces, so that a failure comes back.
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut text = |most: usize| -> String {
        let count = 1 + next(most);
        (0..count).map(|_| format!("{}{}", PIECES[next(PIECES.len())], ["", " ", ", "][next(3)])).collect()
    };
    let bodies: Vec<String> = (0..120).map(|_| format!("n{}", text(9))).collect();
    let ids = write(&db, "acme", bodies.clone()).await;
    write(&db, "globex", bodies.iter().take(30).cloned()).await;
    let mut found_any = 0;
    for _ in 0..150 {
        let mut asked = text(2);
        if asked.len().is_multiple_of(3) {
            asked = format!("{}*", asked.trim_end());
        }
        let Ok(query) = Query::parse(&asked) else { continue };
        if query.is_empty() {
            continue;
        }
        let holds = |body: &String| {
            let words: Vec<_> = words_in(body).collect();
            query.words().all(|(wanted, open)| {
                words
                    .iter()
                    .any(|word| if open { word.folded.starts_with(wanted) } else { word.folded == wanted })
            })
        };
        let expected: Vec<NoteId> =
            ids.iter().zip(&bodies).filter(|(_, body)| holds(body)).map(|(id, _)| *id).rev().collect();
        assert_eq!(all(&db, "acme", Filter::default(), &query, 7).await, expected, "{asked:?}");
        found_any += usize::from(!expected.is_empty());
    }
    assert!(found_any > 50, "the walk finds something: {found_any} times");
});

both_databases!(
    rare_words_and_common_ones_are_found_far_behind_the_newest_notes,
    MIGRATIONS,
    |db| async move {
        let bodies = (0..1_150).map(|number| match number {
            3 | 40 => format!("rare common {number}"),
            _ if number % 2 == 0 => format!("common half {number}"),
            _ => format!("common {number}"),
        });
        let ids = write(&db, "acme", bodies).await;
        write(&db, "globex", ["rare common".to_owned()]).await;
        let query = |text: &str| Query::parse(text).unwrap();
        assert_eq!(all(&db, "acme", Filter::default(), &query("rare"), 50).await, [ids[40], ids[3]]);
        assert_eq!(all(&db, "acme", Filter::default(), &query("rare"), 1).await, [ids[40], ids[3]]);
        let newest_first: Vec<NoteId> = ids.iter().rev().copied().collect();
        assert_eq!(all(&db, "acme", Filter::default(), &query("common"), 500).await, newest_first);
        let kind = Filter { kind: Some(NoteKind::Contact), ..Filter::default() };
        assert!(all(&db, "acme", kind, &query("common"), 50).await.is_empty());
        assert_eq!(all(&db, "acme", Filter::default(), &query("half"), 200).await.len(), 574);
        assert!(all(&db, "initech", Filter::default(), &query("common"), 50).await.is_empty());
    }
);

both_databases!(times_bound_a_search_to_the_millisecond, MIGRATIONS, |db| async move {
    let mut ids = Vec::new();
    let start = db.clock.now();
    for _ in 0..3 {
        ids.extend(write(&db, "acme", ["tick".to_owned(), "tick".to_owned()]).await);
        db.hand.advance(std::time::Duration::from_secs(1));
    }
    let second = |count: u64| Some(start.plus(std::time::Duration::from_secs(count)));
    let query = Query::parse("tick").unwrap();
    let of = async |since: Option<Timestamp>, until: Option<Timestamp>| {
        all(&db, "acme", Filter { since, until, ..Filter::default() }, &query, 2).await
    };
    let newest_first = |range: std::ops::Range<usize>| ids[range].iter().rev().copied().collect::<Vec<_>>();
    assert_eq!(of(second(1), None).await, newest_first(2..6));
    // SQLite may add those of the last millisecond: whoever searches looks at the time again.
    assert!(of(second(1), second(2)).await.ends_with(&newest_first(2..4)));
    assert_eq!(of(None, second(10)).await, newest_first(0..6));
    assert!(of(second(10), None).await.is_empty());
    let far = Timestamp::from_micros(i64::MAX);
    assert!(of(Some(far), None).await.is_empty());
    assert_eq!(of(None, Some(far)).await, newest_first(0..6));
});
