//! Routing: people inside, conversations with people outside, and who has which of them.
//!
//! | room | what is in it |
//! |---|---|
//! | [`domain`] | what routing knows and decides, pure: turns, workflows, views, how events change a conversation |
//! | [`app`] | the use cases; transactions begin and end here |
//! | [`store`] | all SQL |
//! | [`api`], [`wire`] | the RPCs, and the way between the contract's types and the domain's |
//! | [`peers`], [`events`] | what it asks contacts, and what it tells contacts and notifications |
//! | [`worker`] | the assigner, the lease sweep, the snooze waker, the timers |
//! | [`error`], [`config`] | what can go wrong; settings |
//!
//! Follow a message: [`api`] `record_message` -> [`app::record_message`] -> [`domain::workflow`] -> the queue ->
//! [`worker::assign`] -> [`app::assigner`] -> [`domain::batch`] -> an assignment, a decision, an event.
//!
//! It cannot read from the notes service, and no table of its own holds anything private: what a customer may read and what
//! they may not are kept by different services. What it has to say in private (a handoff, a note of a workflow) leaves by the outbox,
//! in the transaction that says it.

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
pub mod events;
pub mod peers;
pub mod store;
pub mod wire;
pub mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use announce::Announcer;
use audit::Sealer;
use merges::Follower;
use outbox::{Deliver, Outbox, Relay, Sweep};
use proto::routing::v1::admin_service_server::AdminServiceServer;
use proto::routing::v1::agent_service_server::AgentServiceServer;
use proto::routing::v1::assignment_service_server::AssignmentServiceServer;
use proto::routing::v1::bulk_service_server::BulkServiceServer;
use proto::routing::v1::business_hours_service_server::BusinessHoursServiceServer;
use proto::routing::v1::contact_event_service_server::ContactEventServiceServer;
use proto::routing::v1::conversation_service_server::ConversationServiceServer;
use proto::routing::v1::directory_service_server::DirectoryServiceServer;
use proto::routing::v1::erasure_service_server::ErasureServiceServer;
use proto::routing::v1::event_service_server::EventServiceServer;
use proto::routing::v1::handoff_service_server::HandoffServiceServer;
use proto::routing::v1::history_service_server::HistoryServiceServer;
use proto::routing::v1::inbox_watch_service_server::InboxWatchServiceServer;
use proto::routing::v1::offer_service_server::OfferServiceServer;
use proto::routing::v1::presence_service_server::PresenceServiceServer;
use proto::routing::v1::report_service_server::ReportServiceServer;
use proto::routing::v1::settings_service_server::SettingsServiceServer;
use proto::routing::v1::simulation_service_server::SimulationServiceServer;
use proto::routing::v1::sla_service_server::SlaServiceServer;
use proto::routing::v1::team_service_server::TeamServiceServer;
use proto::routing::v1::workflow_service_server::WorkflowServiceServer;
use runtime::{Config, Deps, Service, StartError, Unit, Worker};
use tonic::server::NamedService;

use api::Api;
use app::presence_board::PresenceBoard;
use app::rulesets::Rulesets;
use app::{App, inbox};
use config::RoutingConfig;
use events::notes::{NOTES, ToNotes};
use events::{CONTACTS, NOTIFICATIONS, deliver_to_contacts, deliver_to_notifications};

/// The name by which peers know this service.
pub const NAME: &str = "routing";

/// This service, for a process to run.
#[must_use]
pub fn unit() -> Unit {
    Unit::new(NAME, service).reading::<RoutingConfig>()
}

/// Makes the service.
///
/// # Errors
/// [`StartError`] where its settings, its database or the address of a peer are not as they must be.
pub async fn service(config: Config, deps: Deps) -> Result<Service, StartError> {
    let settings: RoutingConfig = config.section(NAME)?;
    let notifications = deps.peer(NOTIFICATIONS)?;
    let contacts = deps.peer(CONTACTS)?;
    let db = deps.open(&store::MIGRATIONS).await?;
    let outbox = Outbox::new();
    let to_contacts = deliver_to_contacts(contacts.clone());
    let to_notes: Arc<dyn Deliver> = Arc::new(ToNotes::new(deps.peer(NOTES)?));
    let announcer = Announcer::new(outbox.clone());
    let targets = HashMap::from([
        (NOTIFICATIONS, deliver_to_notifications(notifications.clone())),
        (announce::TARGET, announce::deliver(notifications.clone())),
        (CONTACTS, to_contacts),
        (NOTES, to_notes),
    ]);
    let relay = Relay::new(NAME, db.clone(), outbox.clone(), deps.clock.clone(), targets);
    let app = Arc::new(App {
        db: db.clone(),
        conversations: inbox::gather(db.clone()),
        follower: Follower::new(NAME, db.clone(), store::merges::Conversations),
        clock: deps.clock.clone(),
        seal: deps.seal.clone(),
        outbox,
        announcer: announcer.clone(),
        wake: deps.wake.clone(),
        contacts,
        settings,
        rulesets: Rulesets::default(),
        hubs: Default::default(),
        presence: Arc::new(PresenceBoard::new(deps.clock.new_id())),
        streams_end: deps.streams_end.clone(),
    });
    let routes = Api::new(Arc::clone(&app)).routes();
    let mut workers = workers(&app, relay, Sweep::new(db));
    workers.push(announce::asker(&announcer, notifications));
    Ok(Service { routes, workers, health: health() })
}

fn workers(app: &Arc<App>, relay: Relay, sweep: Sweep) -> Vec<Worker> {
    let [assigner, leases, snoozes] = [app, app, app].map(Arc::clone);
    let [presence, inboxes, timers] = [app, app, app].map(Arc::clone);
    let (follower, reports, queues) = (app.follower.clone(), Arc::clone(app), Arc::clone(app));
    vec![
        Worker::relay(relay),
        Worker::sealer(Sealer::new(NAME, app.db.clone())),
        Worker::sweep(sweep),
        Worker::new("assigner", move |stop| worker::assign(Arc::clone(&assigner), stop)),
        Worker::new("queue gauge", move |stop| worker::measure_queues(Arc::clone(&queues), stop)),
        Worker::new("lease sweep", move |stop| worker::expire_leases(Arc::clone(&leases), stop)),
        Worker::new("snooze waker", move |stop| worker::wake_snoozed(Arc::clone(&snoozes), stop)),
        Worker::new("timers", move |stop| worker::fire_timers(Arc::clone(&timers), stop)),
        Worker::new("presence", move |stop| worker::hear_presence(Arc::clone(&presence), stop)),
        Worker::new("inbox log", move |stop| worker::forget_inbox_changes(Arc::clone(&inboxes), stop)),
        Worker::new("report counter", move |stop| worker::count_for_reports(Arc::clone(&reports), stop)),
        Worker::new("contact mover", move |stop| follower.clone().work(stop)),
        Worker::forget_answers(app.db.clone()),
    ]
}

fn health() -> Vec<&'static str> {
    vec![
        AdminServiceServer::<Api>::NAME,
        AgentServiceServer::<Api>::NAME,
        AssignmentServiceServer::<Api>::NAME,
        BulkServiceServer::<Api>::NAME,
        BusinessHoursServiceServer::<Api>::NAME,
        ContactEventServiceServer::<Api>::NAME,
        ConversationServiceServer::<Api>::NAME,
        DirectoryServiceServer::<Api>::NAME,
        ErasureServiceServer::<Api>::NAME,
        EventServiceServer::<Api>::NAME,
        HandoffServiceServer::<Api>::NAME,
        HistoryServiceServer::<Api>::NAME,
        InboxWatchServiceServer::<Api>::NAME,
        OfferServiceServer::<Api>::NAME,
        PresenceServiceServer::<Api>::NAME,
        ReportServiceServer::<Api>::NAME,
        SettingsServiceServer::<Api>::NAME,
        SimulationServiceServer::<Api>::NAME,
        SlaServiceServer::<Api>::NAME,
        TeamServiceServer::<Api>::NAME,
        WorkflowServiceServer::<Api>::NAME,
    ]
}
