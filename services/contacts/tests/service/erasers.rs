//! Stand-ins for the other services' parts in an erasure. They sit behind the same layers as the real ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proto::common::v1::ErasedCount;
use proto::notes::v1 as notes;
use proto::notes::v1::erasure_service_server::{
    ErasureService as NotesErasure, ErasureServiceServer as NotesServer,
};
use proto::notifications::v1 as notifications;
use proto::notifications::v1::erasure_service_server::{
    ErasureService as NotificationsErasure, ErasureServiceServer as NotificationsServer,
};
use proto::routing::v1 as routing;
use proto::routing::v1::erasure_service_server::{
    ErasureService as RoutingErasure, ErasureServiceServer as RoutingServer,
};
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// What the stand-ins were asked, as `service: ids`, and how they are.
#[derive(Default)]
struct State {
    asked: Vec<String>,
    /// Services that answer nothing.
    down: Vec<&'static str>,
    /// The conversations of everybody.
    conversations: Vec<String>,
    /// Calls after which a service is done; each removes one thing.
    steps: BTreeMap<&'static str, i64>,
    removed: BTreeMap<&'static str, i64>,
}

/// Routing, notes and notifications as a test wants them. Clones are the same three.
#[derive(Clone, Default)]
pub(crate) struct Erasers(Arc<Mutex<State>>);

impl Erasers {
    pub(crate) fn units(&self) -> [Unit; 3] {
        let unit = |name: &'static str, routes: fn(Erasers) -> Routes| {
            let erasers = self.clone();
            Unit::new(name, move |_, _| {
                let routes = routes(erasers.clone());
                async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
            })
        };
        [
            unit("routing", |erasers| Routes::new(RoutingServer::new(erasers))),
            unit("notes", |erasers| Routes::new(NotesServer::new(erasers))),
            unit("notifications", |erasers| Routes::new(NotificationsServer::new(erasers))),
        ]
    }

    /// The contact has these conversations.
    pub(crate) fn conversations(&self, ids: Vec<String>) {
        self.0.lock().unwrap().conversations = ids;
    }

    /// A service needs so many calls.
    pub(crate) fn takes(&self, service: &'static str, steps: i64) {
        self.0.lock().unwrap().steps.insert(service, steps);
    }

    pub(crate) fn make_down(&self, services: &[&'static str]) {
        self.0.lock().unwrap().down = services.to_vec();
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    /// One step of a service: whether it is done, and what it removed so far.
    fn step(&self, service: &'static str, ids: &[String]) -> Result<(bool, Vec<ErasedCount>), Status> {
        let mut state = self.0.lock().unwrap();
        if state.down.contains(&service) {
            return Err(Status::unavailable("down"));
        }
        state.asked.push(format!("{service}: {}", ids.join(" ")));
        let steps = state.steps.get(service).copied().unwrap_or(1);
        let removed = state.removed.entry(service).or_default();
        *removed = (*removed + 1).min(steps);
        let count = *removed;
        Ok((count == steps, vec![ErasedCount { kind: "things".to_owned(), count }]))
    }
}

#[tonic::async_trait]
impl RoutingErasure for Erasers {
    async fn erase_contact(
        &self,
        request: Request<routing::EraseContactRequest>,
    ) -> Result<Response<routing::EraseContactResponse>, Status> {
        let (done, removed) = self.step("routing", &request.into_inner().contact_ids)?;
        Ok(Response::new(routing::EraseContactResponse { done, removed }))
    }

    async fn list_erased_conversations(
        &self,
        request: Request<routing::ListErasedConversationsRequest>,
    ) -> Result<Response<routing::ListErasedConversationsResponse>, Status> {
        let state = self.0.lock().unwrap();
        if state.down.contains(&"routing") {
            return Err(Status::unavailable("down"));
        }
        // Two to a page, whatever was asked for.
        let page: usize = request.into_inner().page_token.parse().unwrap_or(0);
        let mut pages = state.conversations.chunks(2).skip(page);
        let conversation_ids = pages.next().unwrap_or_default().to_vec();
        let next_page_token = pages.next().map(|_| (page + 1).to_string()).unwrap_or_default();
        Ok(Response::new(routing::ListErasedConversationsResponse { conversation_ids, next_page_token }))
    }
}

#[tonic::async_trait]
impl NotesErasure for Erasers {
    async fn erase_conversations(
        &self,
        request: Request<notes::EraseConversationsRequest>,
    ) -> Result<Response<notes::EraseConversationsResponse>, Status> {
        let (done, removed) = self.step("notes", &request.into_inner().conversation_ids)?;
        Ok(Response::new(notes::EraseConversationsResponse { done, removed }))
    }

    async fn erase_contact(
        &self,
        request: Request<notes::EraseContactRequest>,
    ) -> Result<Response<notes::EraseContactResponse>, Status> {
        let (done, removed) = self.step("notes", &request.into_inner().contact_ids)?;
        Ok(Response::new(notes::EraseContactResponse { done, removed }))
    }
}

#[tonic::async_trait]
impl NotificationsErasure for Erasers {
    async fn erase_conversations(
        &self,
        request: Request<notifications::EraseConversationsRequest>,
    ) -> Result<Response<notifications::EraseConversationsResponse>, Status> {
        let (done, removed) = self.step("notifications", &request.into_inner().conversation_ids)?;
        Ok(Response::new(notifications::EraseConversationsResponse { done, removed }))
    }
}
