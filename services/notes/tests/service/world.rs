//! A running notes service with its stand-in peers, and short ways to call it.

use db::{Db, Engine, Target};
use kernel::{Clock, OrgId, Role};
use proto::common::v1::ErrorReason;
use proto::notes::v1::admin_service_client::AdminServiceClient;
use proto::notes::v1::contact_note_service_client::ContactNoteServiceClient;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notes::v1::note_template_service_client::NoteTemplateServiceClient;
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
        Self::configured(engine, move |config| config.limits.default_deadline_ms = deadline_ms).await
    }

    /// With a changed configuration.
    pub(crate) async fn configured(
        engine: Engine,
        change: impl FnOnce(&mut runtime::Config) + Send + 'static,
    ) -> Self {
        let peers = Peers::default();
        let units = [notes::unit(), peers.routing_unit(), peers.contacts_unit(), peers.notifications_unit()];
        let suite = Suite::of(units)
            .on(engine)
            .configured(move |config| {
                config.limits.calls_per_person = 0;
                config.limits.person_per_second = 0;
                config.limits.org_per_second = 0;
                change(config);
            })
            .start()
            .await;
        let conversation = peers.conversation("acme");
        Self { suite, peers, conversation }
    }

    /// Another process on the same database, of PostgreSQL, and without NATS between them.
    pub(crate) async fn beside(&self) -> Self {
        let (database, data) = (self.suite.database_url().unwrap(), self.suite.data().to_owned());
        let peers = self.peers.clone();
        let units = [notes::unit(), peers.routing_unit(), peers.contacts_unit(), peers.notifications_unit()];
        let suite = Suite::of(units).configured(move |config| {
            config.database = Some(runtime::Secret::new(database));
            config.data = data;
        });
        Self { suite: suite.start().await, peers, conversation: self.conversation.clone() }
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

    /// The notes on contacts as seen by this person of `acme`.
    pub(crate) fn contact_notes(&self, subject: &str, role: Role) -> ContactNoteServiceClient<Client> {
        ContactNoteServiceClient::new(self.suite.client("acme", subject, role))
    }

    /// The templates as seen by this person of `acme`.
    pub(crate) fn templates(&self, subject: &str, role: Role) -> NoteTemplateServiceClient<Client> {
        NoteTemplateServiceClient::new(self.suite.client("acme", subject, role))
    }

    /// What an admin of `acme` sees.
    pub(crate) fn admin(&self) -> AdminServiceClient<Client> {
        AdminServiceClient::new(self.suite.client("acme", "root", Role::Admin))
    }

    /// Lets deleted notes of `acme` become tombstones.
    pub(crate) async fn allow_tombstones(&self) {
        let tombstone = ConversationNoteDeletion::Tombstone.into();
        let request = UpdateSettingsRequest { conversation_note_deletion: tombstone, ..Default::default() };
        self.admin().update_settings(request).await.unwrap();
    }

    /// The contact of the world's conversation.
    pub(crate) fn contact(&self) -> String {
        self.peers.contact_of(&self.conversation)
    }

    /// A request to write a note on the contact of the world's conversation, from within it.
    pub(crate) fn contact_note(&self, body: &str) -> CreateContactNoteRequest {
        CreateContactNoteRequest {
            contact_id: self.contact(),
            conversation_id: self.conversation.clone(),
            body: body.to_owned(),
            ..Default::default()
        }
    }

    /// Writes a note on the contact, as an agent.
    pub(crate) async fn on_contact(&self, by: &str, body: &str) -> Note {
        let mut notes = self.contact_notes(&format!("sub-{by}"), Role::Agent);
        notes.create_contact_note(self.contact_note(body)).await.unwrap().into_inner().note.unwrap()
    }

    /// All notes on the contact of the world's conversation.
    pub(crate) async fn all_on_contact(&self) -> Vec<Note> {
        let request =
            ListContactNotesRequest { contact_id: self.contact(), page_size: 200, ..Default::default() };
        let mut notes = self.contact_notes("reader", Role::Agent);
        notes.list_contact_notes(request).await.unwrap().into_inner().notes
    }

    /// Writes a reply to a note of the world's conversation.
    pub(crate) async fn replied(&self, by: &mut Notes, to: &Note, body: &str) -> Note {
        let request = CreateNoteRequest { reply_to: to.note_id.clone(), ..self.note(body) };
        by.create_note(request).await.unwrap().into_inner().note.unwrap()
    }

    /// A request to write a note on the world's conversation.
    pub(crate) fn note(&self, body: &str) -> CreateNoteRequest {
        CreateNoteRequest {
            conversation_id: self.conversation.clone(),
            body: body.to_owned(),
            ..CreateNoteRequest::default()
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

/// A request to delete a note.
pub(crate) fn delete(note: &Note) -> DeleteNoteRequest {
    DeleteNoteRequest { note_id: note.note_id.clone(), ..Default::default() }
}

/// A request for a note.
pub(crate) fn get(note: &Note) -> GetNoteRequest {
    GetNoteRequest { note_id: note.note_id.clone() }
}

pub(crate) async fn read(by: &mut Notes, note: &Note) -> Note {
    by.get_note(get(note)).await.unwrap().into_inner().note.unwrap()
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
