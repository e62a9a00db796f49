//! Stand-ins for the services that contacts asks for panels. They sit behind the same layers as the real ones.

use std::sync::{Arc, Mutex};

use db::BoxFuture;
use kernel::Role;
use proto::notes::v1::contact_note_service_server::{ContactNoteService, ContactNoteServiceServer};
use proto::notes::v1::{
    CreateContactNoteRequest, CreateContactNoteResponse, ListContactNotesRequest, ListContactNotesResponse,
    Note,
};
use proto::routing::v1::conversation_service_server::{ConversationService, ConversationServiceServer};
use proto::routing::v1::*;
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

/// How a stand-in behaves now.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// It answers with this.
    Refuses(Code),
    /// It does not answer.
    Silent,
}

/// Who asked what, and with how much time left.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) rpc: &'static str,
    pub(crate) contact_id: String,
    pub(crate) subject: String,
    pub(crate) role: Role,
    pub(crate) page_size: i32,
    pub(crate) left_ms: u128,
}

#[derive(Default)]
struct State {
    conversations: Vec<Conversation>,
    notes: Vec<Note>,
    routing: Mood,
    notes_mood: Mood,
    asked: Vec<Asked>,
}

/// Routing, notes and notifications as a test wants them. Clones are the same three.
#[derive(Clone, Default)]
pub(crate) struct Elsewhere(Arc<Mutex<State>>);

impl Elsewhere {
    pub(crate) fn units(&self) -> [Unit; 3] {
        let unit = |name: &'static str, routes: fn(Elsewhere) -> Routes| {
            let elsewhere = self.clone();
            Unit::new(name, move |_, _| {
                let routes = routes(elsewhere.clone());
                async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
            })
        };
        [
            unit("routing", |it| Routes::new(ConversationServiceServer::new(it))),
            unit("notes", |it| Routes::new(ContactNoteServiceServer::new(it))),
            unit("notifications", |_| Routes::default()),
        ]
    }

    /// Lets a contact have a conversation and a note.
    pub(crate) fn knows(&self, contact_id: &str, text: &str) {
        let mut state = self.0.lock().unwrap();
        let (contact_id, text) = (contact_id.to_owned(), text.to_owned());
        state.conversations.push(Conversation {
            contact_id: contact_id.clone(),
            subject: text.clone(),
            ..Conversation::default()
        });
        state.notes.push(Note { contact_id, body: text, ..Note::default() });
    }

    pub(crate) fn make(&self, routing: Mood, notes: Mood) {
        let mut state = self.0.lock().unwrap();
        (state.routing, state.notes_mood) = (routing, notes);
    }

    /// What was asked since the last time, by RPC.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut self.0.lock().unwrap().asked);
        asked.sort_by_key(|asked| asked.rpc);
        asked
    }

    async fn answer<T>(
        &self,
        rpc: &'static str,
        request: &Request<T>,
        contact_id: &str,
        page_size: i32,
        mood: fn(&State) -> Mood,
    ) -> Result<(), Status> {
        let call = rpc::call(request)?;
        let mood = {
            let mut state = self.0.lock().unwrap();
            state.asked.push(Asked {
                rpc,
                contact_id: contact_id.to_owned(),
                subject: call.caller.subject.to_string(),
                role: call.caller.role,
                page_size,
                left_ms: call.remaining().as_millis(),
            });
            mood(&state)
        };
        match mood {
            Mood::Well => Ok(()),
            Mood::Refuses(code) => Err(Status::new(code, "stand-in")),
            Mood::Silent => std::future::pending().await,
        }
    }
}

/// The first of these, and the token of the next if there are more.
fn page<T>(all: Vec<T>, size: i32) -> (Vec<T>, String) {
    let size = usize::try_from(size).unwrap();
    let next = if all.len() > size { "more" } else { "" };
    (all.into_iter().take(size).collect(), next.to_owned())
}

/// Written as `async_trait` would: it does not see into macros.
macro_rules! not_asked_by_contacts {
    ($($name:ident($request:ty) -> $response:ty;)+) => {$(
        fn $name<'a, 'b>(&'a self, _: Request<$request>) -> BoxFuture<'b, Result<Response<$response>, Status>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented(stringify!($name))) })
        }
    )+};
}

#[tonic::async_trait]
impl ConversationService for Elsewhere {
    async fn list_conversations(
        &self,
        request: Request<ListConversationsRequest>,
    ) -> Result<Response<ListConversationsResponse>, Status> {
        let it = request.get_ref();
        assert_eq!((it.view(), it.sort()), (InboxView::Any, ConversationSort::LastActivity));
        self.answer("ListConversations", &request, &it.contact_id, it.page_size, |state| state.routing)
            .await?;
        let all = self.0.lock().unwrap().conversations.clone();
        let all = all.into_iter().filter(|one| one.contact_id == it.contact_id);
        let entry = |conversation| InboxEntry { conversation: Some(conversation), ..InboxEntry::default() };
        let (entries, next_page_token) = page(all.map(entry).collect(), it.page_size);
        Ok(Response::new(ListConversationsResponse { entries, next_page_token }))
    }

    not_asked_by_contacts! {
        record_message(RecordMessageRequest) -> RecordMessageResponse;
        get_conversation(GetConversationRequest) -> GetConversationResponse;
        get_inbox_counts(GetInboxCountsRequest) -> GetInboxCountsResponse;
        update_conversation(UpdateConversationRequest) -> UpdateConversationResponse;
        list_messages(ListMessagesRequest) -> ListMessagesResponse;
        resolve_conversation(ResolveConversationRequest) -> ResolveConversationResponse;
        reopen_conversation(ReopenConversationRequest) -> ReopenConversationResponse;
        snooze_conversation(SnoozeConversationRequest) -> SnoozeConversationResponse;
        mark_conversation_read(MarkConversationReadRequest) -> MarkConversationReadResponse;
    }
}

#[tonic::async_trait]
impl ContactNoteService for Elsewhere {
    async fn list_contact_notes(
        &self,
        request: Request<ListContactNotesRequest>,
    ) -> Result<Response<ListContactNotesResponse>, Status> {
        let it = request.get_ref();
        self.answer("ListContactNotes", &request, &it.contact_id, it.page_size, |state| state.notes_mood)
            .await?;
        let all = self.0.lock().unwrap().notes.clone();
        let all = all.into_iter().filter(|note| note.contact_id == it.contact_id).collect();
        let (notes, next_page_token) = page(all, it.page_size);
        Ok(Response::new(ListContactNotesResponse { notes, next_page_token }))
    }

    not_asked_by_contacts! {
        create_contact_note(CreateContactNoteRequest) -> CreateContactNoteResponse;
    }
}
