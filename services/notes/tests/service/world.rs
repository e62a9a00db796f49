//! A running notes service with its stand-in peers, and short ways to call it.

use db::{Db, Engine, Target};
use kernel::{Clock, OrgId, Role};
use proto::common::v1::ErrorReason;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notes::v1::*;
use testkit::{Client, Suite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::peers::Peers;

pub(crate) type Notes = NoteServiceClient<Client>;

/// The service, its peers, and a conversation of the organization `acme`.
pub(crate) struct World {
    pub(crate) suite: Suite,
    pub(crate) peers: Peers,
    pub(crate) conversation: String,
}

impl World {
    pub(crate) async fn on(engine: Engine) -> Self {
        Self::with_deadline(engine, 5_000).await
    }

    /// Calls that name no deadline have this one, in milliseconds.
    pub(crate) async fn with_deadline(engine: Engine, deadline_ms: u64) -> Self {
        let peers = Peers::default();
        let units = [notes::unit(), peers.routing_unit(), peers.notifications_unit()];
        let suite = Suite::of(units)
            .on(engine)
            .configured(move |config| {
                config.limits.calls_per_person = 0;
                config.limits.person_per_second = 0;
                config.limits.org_per_second = 0;
                config.limits.default_deadline_ms = deadline_ms;
            })
            .start()
            .await;
        let conversation = peers.conversation("acme");
        Self { suite, peers, conversation }
    }

    /// The service as seen by this person of `acme`.
    pub(crate) fn person(&self, subject: &str, role: Role) -> Notes {
        self.foreigner("acme", subject, role)
    }

    /// The service as seen by an agent of `acme` whose subject is `sub-` and the name.
    pub(crate) fn agent(&self, name: &str) -> Notes {
        self.person(&format!("sub-{name}"), Role::Agent)
    }

    pub(crate) fn foreigner(&self, org: &str, subject: &str, role: Role) -> Notes {
        NoteServiceClient::new(self.suite.client(org, subject, role)).max_decoding_message_size(4 << 20)
    }

    /// A request to write a note on the world's conversation.
    pub(crate) fn note(&self, body: &str) -> CreateNoteRequest {
        CreateNoteRequest {
            conversation_id: self.conversation.clone(),
            body: body.to_owned(),
            request_id: String::new(),
        }
    }

    pub(crate) async fn written(&self, by: &mut Notes, body: &str) -> Note {
        by.create_note(self.note(body)).await.unwrap().into_inner().note.unwrap()
    }

    /// All notes of the world's conversation.
    pub(crate) async fn all(&self) -> Vec<Note> {
        let request = ListNotesRequest {
            conversation_id: self.conversation.clone(),
            page_size: 200,
            ..ListNotesRequest::default()
        };
        self.agent("reader").list_notes(request).await.unwrap().into_inner().notes
    }

    /// The service's tables, seen from beside it.
    pub(crate) async fn tables(&self) -> (Db, OrgId) {
        let target = match self.suite.database_url() {
            Some(url) => Target::Postgres { url, schema: "notes".to_owned(), connections: 1 },
            None => Target::Sqlite { path: self.suite.data().join("notes.db"), readers: 1 },
        };
        let db = Db::open(target, &notes::MIGRATIONS, Clock::system()).await.unwrap();
        (db, OrgId::parse("acme").unwrap())
    }
}

/// A request for another text.
pub(crate) fn edit(note: &Note, body: &str) -> UpdateNoteRequest {
    UpdateNoteRequest {
        note_id: note.note_id.clone(),
        body: body.to_owned(),
        etag: note.etag.clone(),
        ..UpdateNoteRequest::default()
    }
}

pub(crate) fn request_id() -> String {
    Clock::system().new_id().to_string()
}

/// What a refusal says to a program.
pub(crate) fn refusal<T: std::fmt::Debug>(
    answer: Result<tonic::Response<T>, Status>,
) -> (Code, Option<ErrorReason>, Status) {
    let status = answer.unwrap_err();
    (status.code(), rpc::reason_of(&status), status)
}

pub(crate) fn metadata(status: &Status, key: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.get(key).cloned()
}

pub(crate) fn violated(status: &Status) -> Vec<String> {
    let request = status.get_details_bad_request();
    request.into_iter().flat_map(|bad| bad.field_violations).map(|violation| violation.field).collect()
}
