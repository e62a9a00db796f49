//! How long a search, and a list of a conversation's notes, take with few notes and with many in one organization: medians through
//! gRPC, and how much longer they are with the most.
//!
//! `cargo bench -p journeys --bench search -- 10000 1000000`; the sizes are 10,000 alone unless given. Filling a million takes minutes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

use std::future::Future;
use std::time::{Duration, Instant};

use db::{Db, Target};
use kernel::{Clock, ContactId, ConversationId, OrgId, Role, Subject};
use notes::domain::search::Entry;
use notes::domain::{Author, Body, Note, Place};
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notes::v1::{ListNotesRequest, SearchNotesRequest};
use testkit::{Client, Engine, Suite};

const ORG: &str = "bench";
/// Notes on each conversation.
const ON_EACH: usize = 50;
/// Notes written in one transaction.
const AT_ONCE: usize = 250;
/// Different words of the notes; the word n is about n times rarer than the first.
const WORDS: u64 = 5_000;
/// Calls of each kind that are measured.
const CALLS: usize = 101;

/// What is searched for, and what it stands for.
const QUERIES: [(&str, &str); 8] = [
    ("number777", "a word of one note"),
    ("w4000", "a rare word"),
    ("w300", "a word now and then"),
    ("w2", "a common word"),
    ("w2 w300", "a common and a rarer word"),
    ("\"w1 w2\"", "a phrase of common words"),
    ("number77*", "a beginning"),
    ("w50", "an author's word"),
];

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000] } else { sizes };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        measure(Engine::Sqlite, &sizes).await;
        match std::env::var_os("BACKCHANNEL_TEST_POSTGRES") {
            Some(_) => measure(Engine::Postgres, &sizes).await,
            None => println!("PostgreSQL  not measured: BACKCHANNEL_TEST_POSTGRES is not set"),
        }
    });
}

async fn measure(engine: Engine, sizes: &[usize]) {
    let mut columns = Vec::new();
    for size in sizes {
        columns.push(medians(engine, *size).await);
    }
    let names = QUERIES.iter().map(|(_, name)| format!("search: {name}")).chain(["list".to_owned()]);
    for (row, name) in names.enumerate() {
        let times: Vec<f64> = columns.iter().map(|column| column[row].as_secs_f64() * 1_000.0).collect();
        let shown: Vec<String> =
            sizes.iter().zip(&times).map(|(size, time)| format!("{size} notes {time:.2} ms")).collect();
        let ratio = times[times.len() - 1] / times[0];
        println!("{:<9} {name:<36} {}   ratio {ratio:.2}", format!("{engine:?}"), shown.join(", "));
    }
}

/// The median of each kind of call with so many notes.
async fn medians(engine: Engine, size: usize) -> Vec<Duration> {
    let units = [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()];
    let unlimited = |config: &mut runtime::Config| {
        config.limits.calls_per_person = 0;
        config.limits.person_per_second = 0;
        config.limits.org_per_second = 0;
    };
    let suite = Suite::of(units).on(engine).configured(unlimited).start().await;
    let begun = Instant::now();
    let conversations = fill(&suite, size).await;
    println!("{engine:?}: {size} notes written in {:.0} s", begun.elapsed().as_secs_f64());
    let client = || suite.client(ORG, "ana", Role::Agent);
    let search = NoteSearchServiceClient::new(client());
    let mut medians = Vec::new();
    for (query, name) in QUERIES {
        let author_subject = if name.starts_with("an author") { "author3" } else { "" };
        let request = SearchNotesRequest {
            query: query.to_owned(),
            author_subject: author_subject.to_owned(),
            ..SearchNotesRequest::default()
        };
        medians.push(median_of(|_| searched(search.clone(), request.clone())).await);
    }
    let list = NoteServiceClient::new(client());
    medians.push(median_of(|call| listed(list.clone(), conversations[call * 7 % conversations.len()])).await);
    medians
}

async fn searched(mut search: NoteSearchServiceClient<Client>, request: SearchNotesRequest) {
    search.search_notes(request).await.unwrap();
}

async fn listed(mut notes: NoteServiceClient<Client>, conversation: ConversationId) {
    let conversation_id = conversation.to_string();
    let request = ListNotesRequest { conversation_id, ..ListNotesRequest::default() };
    assert_eq!(notes.list_notes(request).await.unwrap().into_inner().notes.len(), ON_EACH);
}

async fn median_of<F: Future<Output = ()>>(call: impl Fn(usize) -> F) -> Duration {
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..CALLS {
        let begun = Instant::now();
        call(number).await;
        times.push(begun.elapsed());
    }
    times.sort();
    times[CALLS / 2]
}

/// Writes notes, their words and their changes, without the events that nobody needs here.
async fn fill(suite: &Suite, size: usize) -> Vec<ConversationId> {
    let target = match suite.database_url() {
        Some(url) => Target::postgres(url, "notes"),
        None => Target::sqlite(suite.data().join("notes.db")),
    };
    let clock = Clock::system();
    let db = Db::open(target, &notes::MIGRATIONS, clock.clone()).await.unwrap();
    let conversations: Vec<ConversationId> =
        (0..size.div_ceil(ON_EACH)).map(|_| clock.new_id().into()).collect();
    let (mut text, org) = (Text(1), OrgId::parse(ORG).unwrap());
    for first in (0..size).step_by(AT_ONCE) {
        let drafts: Vec<(Note, Entry)> = (first..size.min(first + AT_ONCE))
            .map(|number| {
                let note = note(&clock, conversations[number % conversations.len()], number, text.next());
                let entry = Entry::of(&note, []);
                (note, entry)
            })
            .collect();
        let written = db.write(&org, move |tx| {
            Box::pin(async move {
                for (note, entry) in &drafts {
                    notes::store::notes::insert_note(tx, note).await?;
                    notes::store::search::index(tx, note.note_id, note.create_time, entry).await?;
                }
                Ok::<_, db::DbError>(())
            })
        });
        written.await.unwrap();
    }
    db.close().await;
    conversations
}

fn note(clock: &Clock, conversation_id: ConversationId, number: usize, text: String) -> Note {
    let subject = Subject::parse(&format!("author{}", number % 20)).unwrap();
    let contact_id: ContactId = conversation_id.as_uuid().into();
    Note {
        note_id: clock.new_id().into(),
        place: Place::Conversation { conversation_id, contact_id },
        reply: None,
        author: Author { subject, role: Role::Agent, display_name: "Author".to_owned() },
        body: Body::parse(format!("number{number} {text}")).unwrap(),
        mentions: vec![],
        revision: 1,
        version: 1,
        create_time: clock.now(),
        update_time: clock.now(),
        pin: None,
        deletion: None,
    }
}

/// Texts of 30 words, as words are in languages: a few make up most of a text.
struct Text(u64);

impl Text {
    fn next(&mut self) -> String {
        let words: Vec<String> = (0..30).map(|_| format!("w{}", self.word())).collect();
        words.join(" ")
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Log-uniform: the word n as often as 1/n.
        let uniform = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        (WORDS as f64).powf(uniform) as u64
    }
}
