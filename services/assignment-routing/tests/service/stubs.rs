//! Stubs of the services which routing calls: contacts and notifications.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::Clock;
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::contacts::v1 as contacts;
use proto::contacts::v1::activity_event_service_server::{ActivityEventService, ActivityEventServiceServer};
use proto::contacts::v1::contact_service_server::{ContactService, ContactServiceServer};
use proto::notifications::v1::ingest_service_server::{IngestService, IngestServiceServer};
use proto::notifications::v1::{NotificationEvent, NotifyRequest, NotifyResponse};
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

pub(crate) fn contacts_stub(contacts: &Contacts) -> Unit {
    let contacts = contacts.clone();
    Unit::new("contacts", move |_, _| {
        let routes = Routes::new(ContactServiceServer::new(contacts.clone()))
            .add_service(ActivityEventServiceServer::new(contacts.clone()));
        async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
    })
}

/// Knows people by address; one whose address begins with `vip` carries that tag. Clones are the same service.
#[derive(Clone, Default)]
pub(crate) struct Contacts(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    people: HashMap<String, contacts::Contact>,
    /// Whose an address is while their contacts are one, by address.
    led: HashMap<String, String>,
    asked: Vec<&'static str>,
    around: Vec<contacts::ActivityEvent>,
    down: bool,
}

impl Contacts {
    /// Blocks or unblocks whoever has this address.
    pub(crate) fn block(&self, address: &str, blocked: bool) {
        self.0.lock().unwrap().person(address).blocked = blocked;
    }

    /// Changes what is known of whoever has this address.
    pub(crate) fn change(&self, address: &str, change: impl FnOnce(&mut contacts::Contact)) {
        change(self.0.lock().unwrap().person(address));
    }

    /// Merges whoever has an address into who has another, or parts them again.
    pub(crate) fn merge(&self, address: &str, into: Option<&str>) {
        let mut known = self.0.lock().unwrap();
        match into {
            Some(into) => known.led.insert(address.to_owned(), into.to_owned()),
            None => known.led.remove(address),
        };
    }

    /// Stops answering, or goes on.
    pub(crate) fn go_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// What it was told around contacts, once it was told so much; in the order in which it happened.
    pub(crate) async fn around(&self, count: usize) -> Vec<contacts::ActivityEvent> {
        for _ in 0..400 {
            let mut around = self.0.lock().unwrap().around.clone();
            if around.len() >= count {
                around.sort_by_key(|event| event.event_id.clone());
                return around;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("contacts was told {} times, not {count}", self.0.lock().unwrap().around.len());
    }

    fn take(&self, question: &'static str) -> Result<std::sync::MutexGuard<'_, Known>, Status> {
        let mut known = self.0.lock().unwrap();
        known.asked.push(question);
        if known.down { Err(rpc::Fault::unavailable("stub").into()) } else { Ok(known) }
    }
}

impl Known {
    fn person(&mut self, address: &str) -> &mut contacts::Contact {
        let make = || contacts::Contact {
            contact_id: Clock::system().new_id().to_string(),
            tags: address.starts_with("vip").then(|| "vip".to_owned()).into_iter().collect(),
            language: "de".into(),
            ..Default::default()
        };
        self.people.entry(address.to_owned()).or_insert_with(make)
    }
}

#[tonic::async_trait]
impl ActivityEventService for Contacts {
    async fn apply_activity_events(
        &self,
        request: Request<contacts::ApplyActivityEventsRequest>,
    ) -> Result<Response<contacts::ApplyActivityEventsResponse>, Status> {
        let mut known = self.0.lock().unwrap();
        let mut outcomes = Vec::new();
        for event in request.into_inner().events {
            outcomes.push(EventOutcome {
                event_id: event.event_id.clone(),
                disposition: EventDisposition::Applied.into(),
                reason: String::new(),
            });
            if known.around.iter().all(|told| told.event_id != event.event_id) {
                known.around.push(event);
            }
        }
        Ok(Response::new(contacts::ApplyActivityEventsResponse { outcomes }))
    }
}

#[tonic::async_trait]
impl ContactService for Contacts {
    async fn resolve_contact(
        &self,
        request: Request<contacts::ResolveContactRequest>,
    ) -> Result<Response<contacts::ResolveContactResponse>, Status> {
        let mut known = self.take("ResolveContact")?;
        let address = request.into_inner().address;
        let own = known.person(&address).clone();
        let (contact, first_contact_id) = match known.led.get(&address).cloned() {
            Some(into) => (known.person(&into).clone(), own.contact_id),
            None => (own, String::new()),
        };
        let contact = Some(contact);
        Ok(Response::new(contacts::ResolveContactResponse { contact, created: false, first_contact_id }))
    }

    async fn create_contact(
        &self,
        _: Request<contacts::CreateContactRequest>,
    ) -> Result<Response<contacts::CreateContactResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }

    async fn get_contact(
        &self,
        request: Request<contacts::GetContactRequest>,
    ) -> Result<Response<contacts::GetContactResponse>, Status> {
        let id = request.into_inner().contact_id;
        let known = self.take("GetContact")?;
        let contact = known.people.values().find(|contact| contact.contact_id == id).cloned();
        let contact = Some(contact.ok_or_else(rpc::Fault::not_found)?);
        Ok(Response::new(contacts::GetContactResponse { contact }))
    }

    async fn list_contacts(
        &self,
        _: Request<contacts::ListContactsRequest>,
    ) -> Result<Response<contacts::ListContactsResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }

    async fn update_contact(
        &self,
        _: Request<contacts::UpdateContactRequest>,
    ) -> Result<Response<contacts::UpdateContactResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }

    async fn tag_contact(
        &self,
        _: Request<contacts::TagContactRequest>,
    ) -> Result<Response<contacts::TagContactResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }

    async fn list_tags(
        &self,
        _: Request<contacts::ListTagsRequest>,
    ) -> Result<Response<contacts::ListTagsResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
}

pub(crate) fn notifications_stub(told: Arc<Mutex<Vec<NotificationEvent>>>) -> Unit {
    Unit::new("notifications", move |_, _| {
        let routes = Routes::new(IngestServiceServer::new(Notifications(Arc::clone(&told))));
        async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
    })
}

/// Writes down what it is told, each event once.
struct Notifications(Arc<Mutex<Vec<NotificationEvent>>>);

#[tonic::async_trait]
impl IngestService for Notifications {
    async fn notify(&self, request: Request<NotifyRequest>) -> Result<Response<NotifyResponse>, Status> {
        let mut told = self.0.lock().unwrap();
        let mut outcomes = Vec::new();
        for event in request.into_inner().events {
            outcomes.push(EventOutcome {
                event_id: event.event_id.clone(),
                disposition: EventDisposition::Applied.into(),
                reason: String::new(),
            });
            if told.iter().all(|known| known.event_id != event.event_id) {
                told.push(event);
            }
        }
        Ok(Response::new(NotifyResponse { outcomes }))
    }
}
