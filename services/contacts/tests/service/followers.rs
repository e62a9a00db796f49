//! Stand-ins for the services that follow merges: they write down what they are told.

use std::sync::{Arc, Mutex};

use proto::common::v1::ContactEvent;
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::notes::v1 as notes;
use proto::notes::v1::contact_event_service_server::{
    ContactEventService as NotesEvents, ContactEventServiceServer as NotesServer,
};
use proto::routing::v1 as routing;
use proto::routing::v1::contact_event_service_server::{
    ContactEventService as RoutingEvents, ContactEventServiceServer as RoutingServer,
};
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// What one of them was told, in the order in which it came.
type Told = Arc<Mutex<Vec<ContactEvent>>>;

/// Routing, notes and notifications. Clones are the same three.
#[derive(Clone, Default)]
pub(crate) struct Followers {
    pub(crate) routing: Told,
    pub(crate) notes: Told,
}

impl Followers {
    pub(crate) fn units(&self) -> [Unit; 3] {
        let unit = |name: &'static str, routes: fn(Followers) -> Routes| {
            let followers = self.clone();
            Unit::new(name, move |_, _| {
                let routes = routes(followers.clone());
                async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
            })
        };
        [
            unit("routing", |it| Routes::new(RoutingServer::new(it))),
            unit("notes", |it| Routes::new(NotesServer::new(it))),
            unit("notifications", |_| Routes::default()),
        ]
    }
}

/// Writes the events down, each once.
fn write_down(told: &Told, events: Vec<ContactEvent>) -> Vec<EventOutcome> {
    let mut told = told.lock().unwrap();
    let outcome = |event: ContactEvent| {
        let event_id = event.event_id.clone();
        if !told.iter().any(|one| one.event_id == event_id) {
            told.push(event);
        }
        EventOutcome { event_id, disposition: EventDisposition::Applied.into(), reason: String::new() }
    };
    events.into_iter().map(outcome).collect()
}

#[tonic::async_trait]
impl RoutingEvents for Followers {
    async fn apply_contact_events(
        &self,
        request: Request<routing::ApplyContactEventsRequest>,
    ) -> Result<Response<routing::ApplyContactEventsResponse>, Status> {
        let outcomes = write_down(&self.routing, request.into_inner().events);
        Ok(Response::new(routing::ApplyContactEventsResponse { outcomes }))
    }
}

#[tonic::async_trait]
impl NotesEvents for Followers {
    async fn apply_contact_events(
        &self,
        request: Request<notes::ApplyContactEventsRequest>,
    ) -> Result<Response<notes::ApplyContactEventsResponse>, Status> {
        let outcomes = write_down(&self.notes, request.into_inner().events);
        Ok(Response::new(notes::ApplyContactEventsResponse { outcomes }))
    }
}
