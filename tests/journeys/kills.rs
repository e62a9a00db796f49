//! A process killed in the middle of its work loses nothing it has acknowledged, and doubles nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{Clock, OrgId, Role, Subject};
use proto::notes::v1 as notes;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use rpc::{DevKey, TokenSpec};
use suite::client::{Session, Wire};
use testkit::{Engine, PostgresDatabase};

use crate::processes::Process;

/// How often the process is killed, and how many notes are written meanwhile. `BACKCHANNEL_TEST_KILLS=100` runs the
/// campaign of the fault table.
fn kills() -> usize {
    std::env::var("BACKCHANNEL_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(12)
}

const WRITERS: usize = 8;

/// Notes for each kill.
const NOTES_PER_KILL: usize = 100;

testkit::on_both_databases! {
    // Faults 1
    async fn kill_9_loses_no_acknowledged_note_and_doubles_none(engine) {
        let data = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(PostgresDatabase::create().await),
        };
        let url = database.as_ref().map(PostgresDatabase::url).unwrap_or_default();
        let mut environment = vec![
            ("BACKCHANNEL_LIMITS__CALLS_PER_PERSON", "0"),
            ("BACKCHANNEL_LIMITS__PERSON_PER_SECOND", "0"),
            ("BACKCHANNEL_DATABASE_CONNECTIONS", "6"),
        ];
        if database.is_some() {
            environment.push(("BACKCHANNEL_DATABASE", url.as_str()));
        }
        let folder = data.path().to_str().unwrap();
        let arguments = ["up", "--data", folder, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let mut process = Process::start(&arguments, &environment, &data.path().join("log")).await;
        let office = Office::open(&process, data.path()).await;

        let done = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(office.clone().write(writer, Arc::clone(&done), Arc::clone(&written))))
            .collect();
        for kill in 1..=kills() {
            while written.load(Ordering::Relaxed) < kill * NOTES_PER_KILL {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            process.kill().await;
            process.restart().await;
        }
        done.store(true, Ordering::Relaxed);
        let mut acknowledged = BTreeMap::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        assert!(acknowledged.len() >= kills() * NOTES_PER_KILL);

        let found = office.notes().await;
        let bodies: BTreeSet<&String> = found.values().collect();
        assert_eq!(bodies.len(), found.len(), "no note is doubled");
        for (note_id, body) in &acknowledged {
            assert_eq!(found.get(note_id), Some(body), "no acknowledged note is lost");
        }
        office.everybody_was_told(&found).await;
        let (well, _) = process.terminate().await;
        assert!(well);
    }
}

/// Two agents on one conversation: one writes, the other is mentioned.
#[derive(Clone)]
struct Office {
    author: Session,
    colleague: Session,
    conversation_id: String,
}

impl Office {
    async fn open(process: &Process, data: &std::path::Path) -> Self {
        let wire = Wire::connect(|_| process.grpc.clone()).await.unwrap();
        let signer = DevKey::load_or_make(data, Clock::system()).unwrap().signer();
        let bearing = |subject: &str, role: Role| {
            let mut spec =
                TokenSpec::new(OrgId::parse("acme").unwrap(), Subject::parse(subject).unwrap(), role);
            spec.ttl = Duration::from_secs(3_600);
            wire.bearing(&signer.mint(&spec).unwrap()).unwrap()
        };
        let (author, colleague) = (bearing("ana", Role::Agent), bearing("ben", Role::Agent));
        for person in [&author, &colleague] {
            person.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap();
        }
        let channel = bearing("chat-adapter", Role::Integration);
        let recorded =
            channel.conversations().record_message(crate::cast::message("airline", "k-1", 0, "hello")).await;
        let conversation_id = recorded.unwrap().into_inner().conversation.unwrap().conversation_id;
        Self { author, colleague, conversation_id }
    }

    /// Writes notes until told to stop, each until it is acknowledged, with one `request_id`.
    async fn write(
        self,
        writer: usize,
        done: Arc<AtomicBool>,
        written: Arc<AtomicUsize>,
    ) -> BTreeMap<String, String> {
        let clock = Clock::system();
        let mut acknowledged = BTreeMap::new();
        let mut number = 0;
        while !done.load(Ordering::Relaxed) {
            number += 1;
            let request = notes::CreateNoteRequest {
                conversation_id: self.conversation_id.clone(),
                body: format!("writer {writer} note {number} @ben"),
                request_id: clock.new_id().to_string(),
                ..Default::default()
            };
            loop {
                match self.author.notes().create_note(request.clone()).await {
                    Ok(answer) => {
                        let note = answer.into_inner().note.unwrap();
                        acknowledged.insert(note.note_id, note.body);
                        written.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    // It was killed, or is not yet back: the same request again.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        }
        acknowledged
    }

    /// All notes, by id.
    async fn notes(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut page_token = String::new();
        loop {
            let request = notes::ListNotesRequest {
                conversation_id: self.conversation_id.clone(),
                page_size: 200,
                page_token,
            };
            let page = self.author.notes().list_notes(request).await.unwrap().into_inner();
            found.extend(page.notes.into_iter().map(|note| (note.note_id, note.body)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    }

    /// The colleague's feed has each note exactly once.
    async fn everybody_was_told(&self, found: &BTreeMap<String, String>) {
        let told = crate::cast::eventually("everybody was told of every note", || async {
            let mut told = Vec::new();
            let mut page_token = String::new();
            loop {
                let request = feed::ListNotificationsRequest {
                    r#type: feed::NotificationType::Mentioned.into(),
                    page_size: 200,
                    page_token,
                    ..Default::default()
                };
                let page =
                    self.colleague.notifications().list_notifications(request).await.unwrap().into_inner();
                told.extend(page.notifications.into_iter().map(|notification| notification.note_id));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            (told.len() >= found.len()).then_some(told)
        })
        .await;
        assert_eq!(told.len(), found.len(), "nobody is told twice");
        assert_eq!(told.iter().collect::<BTreeSet<_>>(), found.keys().collect::<BTreeSet<_>>());
    }
}
