//! Stand-ins for the services that notes asks and tells. They sit behind the same layers as the real ones.

mod email;
mod history;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use db::BoxFuture;
use kernel::{Clock, Role};
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::contacts::v1::activity_event_service_server::{ActivityEventService, ActivityEventServiceServer};
use proto::contacts::v1::contact_service_server::{ContactService, ContactServiceServer};
use proto::contacts::v1::{
    ActivityEvent, ApplyActivityEventsRequest, ApplyActivityEventsResponse, Contact, CreateContactRequest,
    CreateContactResponse, GetContactRequest, GetContactResponse, ListContactsRequest, ListContactsResponse,
    ListTagsRequest, ListTagsResponse, ResolveContactRequest, ResolveContactResponse, TagContactRequest,
    TagContactResponse, UpdateContactRequest, UpdateContactResponse,
};
use proto::notifications::v1::email_service_server::EmailServiceServer;
use proto::notifications::v1::ingest_service_server::{IngestService, IngestServiceServer};
use proto::notifications::v1::{NotificationEvent, NotifyRequest, NotifyResponse};
use proto::routing::v1::agent_service_server::{AgentService, AgentServiceServer};
use proto::routing::v1::conversation_service_server::{ConversationService, ConversationServiceServer};
use proto::routing::v1::directory_service_server::{DirectoryService, DirectoryServiceServer};
use proto::routing::v1::event_service_server::{EventService, EventServiceServer};
use proto::routing::v1::history_service_server::HistoryServiceServer;
use proto::routing::v1::*;
use rpc::Fault;
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// How a peer behaves now.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    Down,
    Slow(Duration),
}

/// Who asked what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) rpc: &'static str,
    pub(crate) org: String,
    pub(crate) subject: String,
    pub(crate) role: Role,
}

#[derive(Default)]
struct State {
    /// Conversations by organization and id, with their contacts.
    conversations: HashMap<(String, String), String>,
    contacts: HashSet<(String, String)>,
    names: HashMap<String, (HandleKind, Vec<String>)>,
    people: HashMap<String, Agent>,
    assignees: HashMap<String, Person>,
    history: HashMap<String, history::Record>,
    routing: Mood,
    notifications: Mood,
    wants_excerpts: bool,
    asked: Vec<Asked>,
    notified: Vec<NotificationEvent>,
    applied: Vec<ConversationEvent>,
    around: Vec<ActivityEvent>,
}

/// Routing and notifications as a test wants them. Clones are the same two peers.
#[derive(Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<State>>);

impl Peers {
    pub(crate) fn routing_unit(&self) -> Unit {
        let peers = self.clone();
        Unit::new("routing", move |_, _| {
            let peers = peers.clone();
            async move {
                let routes = Routes::new(ConversationServiceServer::new(peers.clone()))
                    .add_service(DirectoryServiceServer::new(peers.clone()))
                    .add_service(AgentServiceServer::new(peers.clone()))
                    .add_service(HistoryServiceServer::new(peers.clone()))
                    .add_service(
                        EventServiceServer::new(peers).max_decoding_message_size(rpc::MESSAGE_LIMIT),
                    );
                Ok(Service { routes, workers: vec![], health: vec![] })
            }
        })
    }

    pub(crate) fn notifications_unit(&self) -> Unit {
        let peers = self.clone();
        Unit::new("notifications", move |_, _| {
            let server =
                IngestServiceServer::new(peers.clone()).max_decoding_message_size(rpc::MESSAGE_LIMIT);
            let routes = Routes::new(server).add_service(EmailServiceServer::new(peers.clone()));
            async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
        })
    }

    pub(crate) fn contacts_unit(&self) -> Unit {
        let peers = self.clone();
        Unit::new("contacts", move |_, _| {
            let routes = Routes::new(ContactServiceServer::new(peers.clone()))
                .add_service(ActivityEventServiceServer::new(peers.clone()));
            async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
        })
    }

    /// A new conversation of `org`, with a new contact.
    pub(crate) fn conversation(&self, org: &str) -> String {
        let contact = self.contact(org);
        self.conversation_with(org, &contact)
    }

    /// A new conversation of `org` with a contact.
    pub(crate) fn conversation_with(&self, org: &str, contact: &str) -> String {
        let id = Clock::system().new_id().to_string();
        let key = (org.to_owned(), id.clone());
        self.0.lock().unwrap().conversations.insert(key, contact.to_owned());
        id
    }

    /// A new contact of `org`.
    pub(crate) fn contact(&self, org: &str) -> String {
        let id = Clock::system().new_id().to_string();
        self.0.lock().unwrap().contacts.insert((org.to_owned(), id.clone()));
        id
    }

    /// The contact of a conversation of `acme`.
    pub(crate) fn contact_of(&self, conversation: &str) -> String {
        self.0.lock().unwrap().conversations[&("acme".to_owned(), conversation.to_owned())].clone()
    }

    /// An agent whose subject is `sub-` and the username.
    pub(crate) fn agent(&self, username: &str) {
        let people = vec![format!("sub-{username}")];
        self.0.lock().unwrap().names.insert(username.to_owned(), (HandleKind::Agent, people));
    }

    pub(crate) fn team(&self, handle: &str, usernames: &[&str]) {
        let people = usernames.iter().map(|name| format!("sub-{name}")).collect();
        self.0.lock().unwrap().names.insert(handle.to_owned(), (HandleKind::Team, people));
    }

    /// A person with a profile, whose subject is `sub-` and the username; gives their agent id.
    pub(crate) fn person(&self, username: &str, role: Role) -> String {
        let agent = Agent {
            agent_id: Clock::system().new_id().to_string(),
            subject: format!("sub-{username}"),
            username: username.to_owned(),
            display_name: format!("{username} of acme"),
            role: rpc::convert::proto_role(role).into(),
            ..Agent::default()
        };
        let id = agent.agent_id.clone();
        self.0.lock().unwrap().people.insert(id.clone(), agent);
        id
    }

    /// Gives a conversation to a person with a profile, or to nobody.
    pub(crate) fn assign(&self, conversation: &str, agent_id: Option<&str>) {
        let mut state = self.0.lock().unwrap();
        let person = |agent: &Agent| Person {
            agent_id: agent.agent_id.clone(),
            subject: agent.subject.clone(),
            username: agent.username.clone(),
            display_name: agent.display_name.clone(),
        };
        match agent_id.map(|id| person(&state.people[id])) {
            Some(person) => state.assignees.insert(conversation.to_owned(), person),
            None => state.assignees.remove(conversation),
        };
    }

    pub(crate) fn make_routing(&self, mood: Mood) {
        self.0.lock().unwrap().routing = mood;
    }

    /// The organization wants the beginnings of notes in its emails.
    pub(crate) fn wants_excerpts(&self) {
        self.0.lock().unwrap().wants_excerpts = true;
    }

    pub(crate) fn make_notifications(&self, mood: Mood) {
        self.0.lock().unwrap().notifications = mood;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().asked.clone()
    }

    /// Everything that was told, once there are `least` events and nothing more has come for a while.
    pub(crate) async fn told(&self, least: usize) -> (Vec<NotificationEvent>, Vec<ConversationEvent>) {
        let (patience, mut known, mut quiet) = (Instant::now(), 0, 0);
        while quiet < 8 || (known < least && patience.elapsed() < Duration::from_secs(20)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let state = self.0.lock().unwrap();
            let now = state.notified.len() + state.applied.len();
            quiet = if now == known { quiet + 1 } else { 0 };
            known = now;
        }
        let state = self.0.lock().unwrap();
        (state.notified.clone(), state.applied.clone())
    }

    /// What was told around contacts, once there are so many.
    pub(crate) async fn around(&self, count: usize) -> Vec<ActivityEvent> {
        let patience = Instant::now();
        while self.0.lock().unwrap().around.len() < count && patience.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.0.lock().unwrap().around.clone()
    }

    async fn answer<T>(
        &self,
        rpc: &'static str,
        request: &Request<T>,
        mood: impl Fn(&State) -> Mood,
    ) -> Result<String, Status> {
        let caller = rpc::call(request)?.caller;
        let mood = {
            let mut state = self.0.lock().unwrap();
            let (org, subject) = (caller.org.to_string(), caller.subject.to_string());
            state.asked.push(Asked { rpc, org, subject, role: caller.role });
            mood(&state)
        };
        match mood {
            Mood::Well => Ok(caller.org.to_string()),
            Mood::Down => Err(Fault::unavailable("stub").into()),
            Mood::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(caller.org.to_string())
            }
        }
    }
}

fn applied(event_id: &str) -> EventOutcome {
    EventOutcome {
        event_id: event_id.to_owned(),
        disposition: EventDisposition::Applied.into(),
        reason: String::new(),
    }
}

/// Written as `async_trait` would: it does not see into macros.
macro_rules! not_asked_by_notes {
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
impl ConversationService for Peers {
    async fn get_conversation(
        &self,
        request: Request<GetConversationRequest>,
    ) -> Result<Response<GetConversationResponse>, Status> {
        let org = self.answer("GetConversation", &request, |state| state.routing).await?;
        let id = request.into_inner().conversation_id;
        let contact = self.0.lock().unwrap().conversations.get(&(org, id.clone())).cloned();
        let contact_id = contact.ok_or_else(Fault::not_found)?;
        let assignee = self.0.lock().unwrap().assignees.get(&id).cloned();
        let conversation =
            Conversation { conversation_id: id, contact_id, assignee, ..Conversation::default() };
        Ok(Response::new(GetConversationResponse { conversation: Some(conversation) }))
    }

    not_asked_by_notes! {
        record_message(RecordMessageRequest) -> RecordMessageResponse;
        list_conversations(ListConversationsRequest) -> ListConversationsResponse;
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
impl AgentService for Peers {
    async fn get_agent(
        &self,
        request: Request<GetAgentRequest>,
    ) -> Result<Response<GetAgentResponse>, Status> {
        let org = self.answer("GetAgent", &request, |state| state.routing).await?;
        let agent = self.0.lock().unwrap().people.get(&request.get_ref().agent_id).cloned();
        let agent = agent.filter(|_| org == "acme").ok_or_else(Fault::not_found)?;
        Ok(Response::new(GetAgentResponse { agent: Some(agent) }))
    }

    not_asked_by_notes! {
        create_agent(CreateAgentRequest) -> CreateAgentResponse;
        get_my_agent(GetMyAgentRequest) -> GetMyAgentResponse;
        list_agents(ListAgentsRequest) -> ListAgentsResponse;
        update_agent(UpdateAgentRequest) -> UpdateAgentResponse;
        set_availability(SetAvailabilityRequest) -> SetAvailabilityResponse;
        send_heartbeat(SendHeartbeatRequest) -> SendHeartbeatResponse;
    }
}

#[tonic::async_trait]
impl ContactService for Peers {
    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        let org = self.answer("GetContact", &request, |_| Mood::Well).await?;
        let contact_id = request.into_inner().contact_id;
        if !self.0.lock().unwrap().contacts.contains(&(org, contact_id.clone())) {
            return Err(Fault::not_found().into());
        }
        let contact = Contact { contact_id, ..Contact::default() };
        Ok(Response::new(GetContactResponse { contact: Some(contact) }))
    }

    not_asked_by_notes! {
        create_contact(CreateContactRequest) -> CreateContactResponse;
        list_contacts(ListContactsRequest) -> ListContactsResponse;
        update_contact(UpdateContactRequest) -> UpdateContactResponse;
        tag_contact(TagContactRequest) -> TagContactResponse;
        resolve_contact(ResolveContactRequest) -> ResolveContactResponse;
        list_tags(ListTagsRequest) -> ListTagsResponse;
    }
}

#[tonic::async_trait]
impl DirectoryService for Peers {
    async fn resolve_handles(
        &self,
        request: Request<ResolveHandlesRequest>,
    ) -> Result<Response<ResolveHandlesResponse>, Status> {
        self.answer("ResolveHandles", &request, |state| state.routing).await?;
        let state = self.0.lock().unwrap();
        let handles = request.into_inner().handles.into_iter().map(|handle| {
            let Some((kind, people)) = state.names.get(&handle) else {
                return ResolvedHandle { handle, ..ResolvedHandle::default() };
            };
            let people =
                people.iter().map(|subject| Person { subject: subject.clone(), ..Person::default() });
            ResolvedHandle { handle, kind: (*kind).into(), team_id: String::new(), people: people.collect() }
        });
        Ok(Response::new(ResolveHandlesResponse { handles: handles.collect() }))
    }
    not_asked_by_notes! {
        search_people(SearchPeopleRequest) -> SearchPeopleResponse;
        batch_get_profiles(BatchGetProfilesRequest) -> BatchGetProfilesResponse;
    }
}

#[tonic::async_trait]
impl EventService for Peers {
    async fn apply_events(
        &self,
        request: Request<ApplyEventsRequest>,
    ) -> Result<Response<ApplyEventsResponse>, Status> {
        self.answer("ApplyEvents", &request, |state| state.routing).await?;
        let events = request.into_inner().events;
        let outcomes = events.iter().map(|event| applied(&event.event_id)).collect();
        self.0.lock().unwrap().applied.extend(events);
        Ok(Response::new(ApplyEventsResponse { outcomes }))
    }
}

#[tonic::async_trait]
impl ActivityEventService for Peers {
    async fn apply_activity_events(
        &self,
        request: Request<ApplyActivityEventsRequest>,
    ) -> Result<Response<ApplyActivityEventsResponse>, Status> {
        let events = request.into_inner().events;
        let outcomes = events.iter().map(|event| applied(&event.event_id)).collect();
        self.0.lock().unwrap().around.extend(events);
        Ok(Response::new(ApplyActivityEventsResponse { outcomes }))
    }
}

#[tonic::async_trait]
impl IngestService for Peers {
    async fn notify(&self, request: Request<NotifyRequest>) -> Result<Response<NotifyResponse>, Status> {
        self.answer("Notify", &request, |state| state.notifications).await?;
        let events = request.into_inner().events;
        let outcomes = events.iter().map(|event| applied(&event.event_id)).collect();
        self.0.lock().unwrap().notified.extend(events);
        Ok(Response::new(NotifyResponse { outcomes }))
    }
}
