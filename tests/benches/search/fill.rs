//! An organization of some size: contacts by their import, some conversations as a channel would make them, and notes in large
//! transactions, spread over two years. Events that nobody needs here are left out.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use db::{Db, DbError, Engine, Target};
use kernel::{Clock, ContactId, ConversationId, OrgId, Role, Subject, Timestamp};
use notes::domain::search::Entry;
use notes::domain::transfer::{Field, Line, Value, kind_named};
use notes::domain::{Author, Body, Note, Place};
use proto::contacts::v1::contact_import_service_client::ContactImportServiceClient;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::import_contacts_request::Frame as Sent;
use proto::contacts::v1::import_contacts_response::Frame;
use proto::contacts::v1::panel_service_client::PanelServiceClient;
use proto::contacts::v1::search_service_client::SearchServiceClient;
use proto::contacts::v1::{ContactFileFormat, ContactImportStart, ImportContactsRequest};
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notes::v1::timeline_service_client::TimelineServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::{Direction, RecordMessageRequest};
use testkit::{Client, Suite};

const ORG: &str = "bench";
/// Notes on each conversation.
pub(crate) const ON_EACH: usize = 50;
/// Who writes them.
pub(crate) const AUTHORS: usize = 20;
/// Conversations that are in routing as well, with their messages.
const REAL: usize = 30;
const MESSAGES: usize = 20;
/// Notes on the contact of each of these.
const ON_CONTACT: usize = 5;
/// Notes written in one transaction.
const AT_ONCE: usize = 500;
/// Notes that have the word `seldom`.
const SELDOM: usize = 20;
/// Different words of the notes; the word n is about n times rarer than the first.
const WORDS: u64 = 5_000;
/// When the first note was written, and over which time the others were.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
pub(crate) const TWO_YEARS: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);
/// How long PostgreSQL may take to look at what was written.
const PATIENCE: Duration = Duration::from_secs(300);

/// An organization that can be asked.
pub(crate) struct Office {
    pub(crate) suite: Suite,
    /// Conversations that are everywhere, and their contacts.
    real: Vec<(ConversationId, ContactId)>,
    client: Client,
}

impl Office {
    pub(crate) fn real(&self, call: usize) -> (ConversationId, ContactId) {
        self.real[call % self.real.len()]
    }

    pub(crate) fn note_search(&self) -> NoteSearchServiceClient<Client> {
        NoteSearchServiceClient::new(self.client.clone())
    }

    pub(crate) fn notes(&self) -> NoteServiceClient<Client> {
        NoteServiceClient::new(self.client.clone())
    }

    pub(crate) fn timeline(&self) -> TimelineServiceClient<Client> {
        TimelineServiceClient::new(self.client.clone())
    }

    pub(crate) fn contact_search(&self) -> SearchServiceClient<Client> {
        SearchServiceClient::new(self.client.clone())
    }

    pub(crate) fn contacts(&self) -> ContactServiceClient<Client> {
        ContactServiceClient::new(self.client.clone())
    }

    pub(crate) fn panel(&self) -> PanelServiceClient<Client> {
        PanelServiceClient::new(self.client.clone())
    }
}

/// Fills a suite that is empty.
pub(crate) async fn fill(suite: Suite, notes: usize, contacts: usize) -> Office {
    let begun = Instant::now();
    import_contacts(&suite, contacts).await;
    println!("{contacts} contacts after {:.0} s", begun.elapsed().as_secs_f64());
    let real = converse(&suite).await;
    let db = tables(&suite, "notes", &notes::MIGRATIONS).await;
    write_notes(&db, notes, &real).await;
    println!("{notes} notes after {:.0} s", begun.elapsed().as_secs_f64());
    settle(&db).await;
    db.close().await;
    let db = tables(&suite, "contacts", &contacts::store::MIGRATIONS).await;
    settle(&db).await;
    db.close().await;
    println!("ready after {:.0} s", begun.elapsed().as_secs_f64());
    let client = suite.client(ORG, "ana", Role::Agent);
    Office { suite, real, client }
}

async fn tables(suite: &Suite, service: &str, migrations: &'static db::Migrations) -> Db {
    let target = match suite.database_url() {
        Some(url) => Target::postgres(url, service),
        None => Target::sqlite(suite.data().join(format!("{service}.db"))),
    };
    Db::open(target, migrations, Clock::system()).await.unwrap()
}

/// Contacts by a file, as a stranger would bring them.
async fn import_contacts(suite: &Suite, count: usize) {
    let start = ContactImportStart { format: ContactFileFormat::Csv.into(), ..ContactImportStart::default() };
    let header = std::iter::once("display_name,emails,tags\n".to_owned());
    let rows = (0..count.div_ceil(1_000)).map(move |thousand| {
        (thousand * 1_000..count.min((thousand + 1) * 1_000)).map(row).collect::<String>()
    });
    let chunks = header.chain(rows).map(|text| Sent::Chunk(text.into_bytes()));
    let frames = std::iter::once(Sent::Start(start)).chain(chunks);
    let frames = frames.map(|frame| ImportContactsRequest { frame: Some(frame) });
    let mut imports = ContactImportServiceClient::new(suite.client(ORG, "root", Role::Admin));
    let mut answers = imports.import_contacts(futures::stream::iter(frames)).await.unwrap().into_inner();
    let mut progress = Progress::of("contacts", count);
    while let Some(answer) = answers.message().await.unwrap() {
        match answer.frame.unwrap() {
            Frame::Progress(batch) => progress.at(batch.counts.unwrap().created as usize),
            Frame::Finished(all) => assert_eq!(all.counts.unwrap().created as usize, count),
            Frame::Closing(closing) => panic!("{closing:?}"),
            _ => {}
        }
    }
}

/// A contact: a twentieth is called Ana, half of these Lima, and half of all is tagged.
fn row(number: usize) -> String {
    let first = [
        "Ana", "Bruno", "Carla", "Davi", "Elif", "Felix", "Gita", "Hugo", "Ines", "Jan", "Kira", "Luis",
        "Mira", "Noor", "Olga", "Pedro", "Qiana", "Rosa", "Sven", "Tara",
    ][number % 20];
    let half = (number / 20).is_multiple_of(2);
    let (last, tag) = if half { ("Lima", "vip") } else { ("Souza", "") };
    format!("{first} {last} Person{number}x,person{number}@example.com,{tag}\n")
}

/// Conversations through the API, each with its messages.
async fn converse(suite: &Suite) -> Vec<(ConversationId, ContactId)> {
    let mut channel = ConversationServiceClient::new(suite.client(ORG, "adapter", Role::Integration));
    let mut real = Vec::with_capacity(REAL);
    for conversation in 0..REAL {
        for message in 0..MESSAGES {
            let request = RecordMessageRequest {
                channel: "email".to_owned(),
                external_id: format!("m-{conversation}-{message}"),
                direction: Direction::Inbound.into(),
                conversation_external_id: format!("c-{conversation}"),
                contact_address: format!("person{conversation}@example.com"),
                text: format!("message {message}, please help"),
                ..RecordMessageRequest::default()
            };
            let recorded = channel.record_message(request).await.unwrap().into_inner().conversation.unwrap();
            if message == 0 {
                real.push((recorded.conversation_id.parse().unwrap(), recorded.contact_id.parse().unwrap()));
            }
        }
    }
    real
}

/// Notes on the conversations that are real and on many that are only here, and on the contacts, as if written over two years.
async fn write_notes(db: &Db, count: usize, real: &[(ConversationId, ContactId)]) {
    let (clock, hand) = Clock::fake(START);
    let others = (count.saturating_sub(real.len() * (ON_EACH + ON_CONTACT)) / ON_EACH).max(1);
    let mut places: Vec<Place> = Vec::with_capacity(real.len() * 2 + others);
    for (conversation_id, contact_id) in real.iter().copied() {
        places.push(Place::Conversation { conversation_id, contact_id });
    }
    for _ in 0..others {
        places.push(Place::Conversation {
            conversation_id: clock.new_id().into(),
            contact_id: clock.new_id().into(),
        });
    }
    let (mut text, org) = (Text(1), OrgId::parse(ORG).unwrap());
    let mut progress = Progress::of("notes", count);
    let on_contacts = real.iter().flat_map(|(origin, contact_id)| {
        std::iter::repeat_n(Place::Contact { contact_id: *contact_id, origin: Some(*origin) }, ON_CONTACT)
    });
    let on_real = (0..ON_EACH).flat_map(|_| places[..real.len()].iter().copied());
    let on_others = (0..ON_EACH).flat_map(|_| places[real.len()..].iter().copied());
    let mut all = on_contacts.chain(on_real).chain(on_others).take(count).enumerate().peekable();
    while all.peek().is_some() {
        let notes: Vec<Note> = all
            .by_ref()
            .take(AT_ONCE)
            .map(|(number, place)| {
                // Those that are real are among the others in time as well.
                let turn = (number * 7_919) % count;
                hand.set(START.plus(TWO_YEARS.mul_f64(turn as f64 / count as f64)));
                note(&clock, place, (number, count), text.next())
            })
            .collect();
        let notes = Arc::new(notes);
        // A machine that has much else to do is waited for.
        while let Err(error) = write(db, &org, Arc::clone(&notes)).await {
            assert!(error.is_transient(), "{error}");
        }
        progress.at(progress.done + notes.len());
    }
}

/// Writes notes, and what they are found by.
async fn write(db: &Db, org: &OrgId, notes: Arc<Vec<Note>>) -> Result<(), DbError> {
    let write = db.write(org, move |tx| {
        Box::pin(async move {
            let lines: Vec<Line> = notes.iter().map(line).collect();
            let lines: Vec<&Line> = lines.iter().collect();
            notes::store::transfer::insert(tx, kind_named("note").unwrap(), &lines).await?;
            let entries: Vec<_> =
                notes.iter().map(|note| (note.note_id, note.create_time, Entry::of(note, []))).collect();
            notes::store::search::index_all(tx, &entries).await
        })
    });
    write.await
}

fn note(clock: &Clock, place: Place, (number, count): (usize, usize), text: String) -> Note {
    // As many notes have it in every organization.
    let seldom = if number % (count / SELDOM).max(1) == 0 { " seldom" } else { "" };
    let subject = Subject::parse(&format!("author{}", number % AUTHORS)).unwrap();
    Note {
        note_id: clock.new_id().into(),
        place,
        reply: None,
        author: Author { subject, role: Role::Agent, display_name: "Author".to_owned() },
        body: Body::parse(format!("number{number}{seldom} {text}")).unwrap(),
        mentions: vec![],
        revision: 1,
        version: 1,
        create_time: clock.now(),
        update_time: clock.now(),
        pin: None,
        deletion: None,
        handoff: None,
    }
}

/// The note as a line of a file: lines are what the store takes many of at once.
fn line(note: &Note) -> Line {
    let kind = kind_named("note").unwrap();
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let cell = |field: &Field| match field.name {
        "note_id" => Some(Value::Id(note.note_id.as_uuid())),
        "conversation_id" => note.place.conversation_id().map(|id| Value::Id(id.as_uuid())),
        "contact_id" => Some(Value::Id(note.place.contact_id().as_uuid())),
        "origin_conversation_id" => note.place.origin().map(|id| Value::Id(id.as_uuid())),
        "author_subject" | "editor_subject" => text(note.author.subject.as_str()),
        "author_role" | "editor_role" => text(note.author.role.as_str()),
        "author_name" | "editor_name" => text(&note.author.display_name),
        "body" => text(note.body.as_str()),
        "mentions" => Some(Value::Json(serde_json::json!([]))),
        "revision" | "etag_version" => Some(Value::Number(1)),
        "create_time" | "update_time" => Some(Value::Time(note.create_time)),
        _ => None,
    };
    Line { kind, cells: kind.fields.iter().map(cell).collect() }
}

/// Waits until what goes on behind is done: the audit trail is sealed, and PostgreSQL has looked at its tables.
async fn settle(db: &Db) {
    let (begun, org) = (Instant::now(), OrgId::parse(ORG).unwrap());
    loop {
        let waiting: Result<i64, db::DbError> = db
            .read(&org, |tx| {
                Box::pin(async move {
                    let sql = match tx.engine() {
                        Engine::Sqlite => "SELECT COUNT(*) FROM audit_queue WHERE org_id = $1",
                        Engine::Postgres => {
                            "SELECT (SELECT COUNT(*) FROM audit_queue WHERE org_id = $1) + COUNT(*) \
                             FROM pg_stat_user_tables WHERE schemaname = current_schema() AND n_live_tup > 5000 \
                             AND (n_mod_since_analyze * 5 > n_live_tup OR n_ins_since_vacuum * 3 > n_live_tup)"
                        }
                    };
                    tx.query(sql).fetch_value(tx).await
                })
            })
            .await;
        match waiting.unwrap() {
            0 => return,
            _ if begun.elapsed() > PATIENCE => {
                return println!("the database has not settled: the figures are worse for it");
            }
            _ => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// How far something is, every ten seconds, or always on a terminal.
struct Progress {
    what: &'static str,
    of: usize,
    done: usize,
    told: Instant,
}

impl Progress {
    fn of(what: &'static str, of: usize) -> Self {
        Self { what, of, done: 0, told: Instant::now() }
    }

    fn at(&mut self, done: usize) {
        self.done = done;
        let every = if std::io::stdout().is_terminal() { 1 } else { 10 };
        if self.told.elapsed() > Duration::from_secs(every) {
            println!("  {} of {} {}", self.done, self.of, self.what);
            self.told = Instant::now();
        }
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
