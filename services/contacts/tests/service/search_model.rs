//! C5: what is found, and in which order, is what a simple reading of the rules gives: on both databases, so it is the same on
//! both.

use std::collections::BTreeSet;

use contacts::app::{App, CreateContact, SearchContacts};
use contacts::domain::{Contact, Entry, Line, Profile, Search, SearchField, Tag, Term, Tier, entries};
use contacts::store::MIGRATIONS;
use db::test_support::{TestDb, org, replica};
use db::{MigrationSet, Migrations, RETRY_KEYS, Retry, both_databases, step};
use kernel::{ContactId, PageSeal, PageSize, Subject};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::desk::{app, by, origin};

fn sample<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

async fn make(app: &App, profile: Profile, tags: Vec<Tag>) -> Contact {
    let retry =
        Retry { caller: Subject::parse("test").unwrap(), method: "test", request_id: None, digest: [0; 32] };
    let create = CreateContact { profile, tags, attributes: Vec::new(), by: by(), retry };
    app.create_contact(&org("acme"), origin(), create).await.unwrap()
}

/// Who is found on all pages, in order.
async fn find(app: &App, search: &Search, size: i32) -> Vec<ContactId> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let page_size = PageSize::of(size).unwrap();
        let find = SearchContacts { search: search.clone(), page_size, page_token };
        let page = app.search_contacts(&org("acme"), find).await.unwrap();
        found.extend(page.hits.into_iter().map(|(contact, _)| contact.contact_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

fn matches<'a>(
    search: &'a Search,
    term: &'a Term,
    of: &'a BTreeSet<Entry>,
) -> impl Iterator<Item = &'a Entry> {
    of.iter().filter(move |entry| {
        let asked_for = !term.is_word || search.fields.is_empty() || search.fields.contains(&entry.field);
        asked_for && entry.word >= term.low && entry.word < term.high
    })
}

/// The rules as they are written down, over everything there is.
fn expected(all: &[(ContactId, BTreeSet<Entry>)], search: &Search) -> Vec<ContactId> {
    let count = |term: &Term| {
        let within = |entry: &&Entry| {
            entry.word >= term.low && entry.word < term.high && (entry.tier == Tier::Whole) != term.is_word
        };
        let count = all.iter().flat_map(|(_, entries)| entries.iter().filter(within)).count();
        i64::try_from(count).unwrap()
    };
    let counts: Vec<i64> = search.terms.iter().map(count).collect();
    let leading = &search.terms[search.leader(&counts)];
    let mut places: Vec<_> = all
        .iter()
        .filter(|(_, entries)| {
            search.terms.iter().all(|term| matches(search, term, entries).next().is_some())
        })
        .map(|(id, entries)| {
            let best = matches(search, leading, entries).map(|entry| (entry.tier, entry.word.clone())).min();
            (best.unwrap(), std::cmp::Reverse(*id))
        })
        .collect();
    places.sort();
    places.into_iter().map(|(_, id)| id.0).collect()
}

async fn people(db: &TestDb, runner: &mut TestRunner) -> (App, Vec<(ContactId, BTreeSet<Entry>)>) {
    let app = app(db);
    let words = "(a|an|ana|anna|ann|b|bo|bob|é|éa|12|123|34|👩|店){1}( (a|an|Ana|bo|12|345|店)){0,3}";
    let (words, tag) = (proptest::string::string_regex(words).unwrap(), prop_oneof!["vip", "a", "b b"]);
    let mut all = Vec::new();
    for _ in 0..60 {
        let mut text = || line(&sample(runner, &words));
        let mut profile = Profile { display_name: text(), ..Profile::default() };
        if sample(runner, &any::<bool>()) {
            profile.company = line(&sample(runner, &words));
        }
        let tags = (0..sample(runner, &(0..3_usize))).map(|_| Tag::parse(&sample(runner, &tag)).unwrap());
        let tags: BTreeSet<Tag> = tags.collect();
        let contact = make(&app, profile, tags.into_iter().collect()).await;
        all.push((contact.contact_id, entries(&contact)));
    }
    (app, all)
}

// C5
both_databases!(a_search_finds_what_the_rules_say_in_the_order_they_say, MIGRATIONS, |db| async move {
    let mut runner = TestRunner::deterministic();
    let (app, all) = people(&db, &mut runner).await;
    let query =
        proptest::string::string_regex("(a|an|ana|b|bo|e|12|3|👩|店|)( (a|bo|12|34|店|v)){0,2}").unwrap();
    let fields =
        proptest::sample::subsequence(vec![SearchField::Name, SearchField::Company, SearchField::Tag], 0..3);
    let mut found_some = 0;
    for _ in 0..150 {
        let tags: BTreeSet<Tag> = match sample(&mut runner, &(0..4_u8)) {
            0 => BTreeSet::from([Tag::parse("vip").unwrap()]),
            _ => BTreeSet::new(),
        };
        let fields: BTreeSet<SearchField> = sample(&mut runner, &fields).into_iter().collect();
        let Ok(search) = Search::read(&sample(&mut runner, &query), fields, tags, &[]) else { continue };
        let expected = expected(&all, &search);
        for size in [3, 200] {
            assert_eq!(find(&app, &search, size).await, expected, "{search:?}");
        }
        found_some += u32::from(!expected.is_empty());
    }
    assert!(found_some > 80, "the queries find somebody: {found_some}");
});

// C5
both_databases!(whatever_is_stored_as_a_word_is_found_by_its_beginning, MIGRATIONS, |db| async move {
    let mut runner = TestRunner::deterministic();
    let app = app(&db);
    let mut asked = 0;
    for _ in 0..60 {
        let name: String =
            sample(&mut runner, &proptest::string::string_regex("\\PC{1,40}( \\PC{1,10}){0,3}").unwrap());
        let Ok(display_name) = Line::parse(&name) else { continue };
        let made =
            make(&app, Profile { display_name: display_name.clone(), ..Profile::default() }, vec![]).await;
        assert_eq!(made.profile.display_name, display_name, "it comes back as it was written");
        for word in name.split_whitespace() {
            let length = sample(&mut runner, &(1..=word.chars().count()));
            let beginning: String = word.chars().take(length).collect();
            let Ok(search) = Search::read(&beginning, BTreeSet::new(), BTreeSet::new(), &[]) else {
                continue;
            };
            assert!(find(&app, &search, 200).await.contains(&made.contact_id), "{beginning:?} of {name:?}");
            asked += 1;
        }
    }
    assert!(asked > 80, "{asked}");
});

/// The tables as they were before there were searches.
static BEFORE: Migrations = Migrations {
    sets: &[
        &RETRY_KEYS,
        &audit::TABLES,
        &MigrationSet { name: "contacts", steps: &[step!("0001_contacts")], work_tables: &[] },
    ],
};

// C5
both_databases!(contacts_from_before_there_were_searches_are_found, BEFORE, |db| async move {
    let id = ContactId::from(db.clock.new_id());
    let acme = org("acme");
    let inserted = db.write(&acme, move |tx| {
        Box::pin(async move {
            let profile = Profile { display_name: line("Ana"), ..Profile::default() };
            let now = tx.clock().now();
            contacts::store::contacts::insert(tx, id, &profile, now).await
        })
    });
    inserted.await.unwrap();
    let upgraded = replica(&db, &MIGRATIONS).await;
    let app = App::new(upgraded.clone(), db.clock.clone(), PageSeal::new(&[7; 32]));
    let search = Search::read("ana", BTreeSet::new(), BTreeSet::new(), &[]).unwrap();
    assert!(find(&app, &search, 0).await.is_empty());
    while app.index_older().await.unwrap() {}
    assert_eq!(find(&app, &search, 0).await, [id]);
    upgraded.close().await;
});
