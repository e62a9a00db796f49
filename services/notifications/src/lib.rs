//! The notifications service: who is told what.
//!
//! Each person has one feed. A service that has something to tell calls `Notify`; the event becomes one entry in the
//! feed of each recipient, at the next place of that feed's sequence; people list, read, archive and snooze their
//! entries, and follow the feed live, on as many devices as they like.
//!
//! | room | what is in it |
//! |---|---|
//! | [`domain`] | events, feeds, entries; pure |
//! | [`store`] | all SQL |
//! | `app` | one file per use case; transactions begin and end there |
//! | `wire` | contract types to ours and back |
//! | `events` | what other services tell us |
//! | `api` | the gRPC handlers |
//! | `worker` | the poller behind lost wake-ups, the queues of deliveries, retention |
//! | [`config`] | the service's own settings |
//! | [`error`] | what can go wrong |
//! | `peers` | whom it asks: routing, about people; and what it hands things to outside |
//!
//! To follow one notification: `api` `notify` -> `events` (checks) -> `app::notify` (one transaction: inbox, heads,
//! entries) -> commit -> wake-up -> `app::subscribe` (a stream reads behind its cursor) -> `wire` (a frame).
//! Outside of the feed: `worker` (the planner) -> `app::plan` (`domain::plan` decides; plans and deliveries in one transaction) -> when
//! it is due, the carrier of the channel -> `app::compose` (what is still unread and wanted) -> the mail server or push service.

mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
mod events;
pub mod peers;
pub mod store;
mod wire;
mod worker;

use std::sync::Arc;

use egress::Egress;
use proto::notifications::v1::admin_service_server::AdminServiceServer;
use proto::notifications::v1::delivery_service_server::DeliveryServiceServer;
use proto::notifications::v1::device_service_server::DeviceServiceServer;
use proto::notifications::v1::email_service_server::EmailServiceServer;
use proto::notifications::v1::erasure_service_server::ErasureServiceServer;
use proto::notifications::v1::ingest_service_server::IngestServiceServer;
use proto::notifications::v1::notification_service_server::NotificationServiceServer;
use proto::notifications::v1::preference_service_server::PreferenceServiceServer;
use proto::notifications::v1::webhook_event_service_server::WebhookEventServiceServer;
use proto::notifications::v1::webhook_service_server::WebhookServiceServer;
use runtime::{Config, Deps, Service, StartError, Unit};
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::api::Api;
use crate::app::App;
use crate::app::deliver::Carriers;
use crate::app::email::Mailing;
use crate::app::people::People;
use crate::app::push::Pusher;
use crate::app::webhooks::carry::WebhookCarrier;
use crate::config::NotificationsConfig;
use crate::domain::delivery::Channel;
use crate::peers::admins::Admins;
use crate::peers::people::Directory;
use crate::peers::push::PushServices;

/// The name by which the other services know this one.
pub const NAME: &str = "notifications";

/// This service, for a process that runs several.
pub fn unit() -> Unit {
    Unit::new(NAME, service).reading::<NotificationsConfig>()
}

/// Puts the service together.
///
/// # Errors
/// [`StartError`] if its section of the configuration cannot be read or its database cannot be opened.
pub async fn service(config: Config, deps: Deps) -> Result<Service, StartError> {
    let own: NotificationsConfig = config.section(NAME)?;
    // Keys are read first: with a wrong one the database is left as it is.
    let egress = Egress::new(&own.egress).map_err(unusable)?;
    let push_services = push_services(&config, &own, &egress, &deps)?;
    let mail = own.email.as_ref().map(Mailing::of).transpose()?;
    warn_of_links(&config, &own);
    let routing = deps.peer("routing")?;
    let db = deps.open(&store::MIGRATIONS).await?;
    let app = Arc::new(App {
        db: db.clone(),
        clock: deps.clock.clone(),
        seal: deps.seal.clone(),
        wake: deps.wake.clone(),
        listeners: Default::default(),
        streams_end: deps.streams_end.clone(),
        retention: own.retention(),
        push_services,
        egress,
        people: People::new(Directory::new(routing.clone()), deps.clock.clone()),
        admins: Admins::new(routing.clone()),
        webhook_notices: Default::default(),
        sends_email: mail.is_some(),
        wanting_excerpts: Default::default(),
    });
    let carriers = carriers(&app, mail, &own);
    let workers = worker::workers(&app, &own, &carriers);
    let notifications = NotificationServiceServer::new(Api::new(Arc::clone(&app)));
    let admin = AdminServiceServer::new(Api::new(Arc::clone(&app)));
    let deliveries = DeliveryServiceServer::new(Api::new(Arc::clone(&app)));
    let devices = DeviceServiceServer::new(Api::new(Arc::clone(&app)));
    let email = EmailServiceServer::new(Api::new(Arc::clone(&app)));
    let erasure = ErasureServiceServer::new(Api::new(Arc::clone(&app)));
    let events = WebhookEventServiceServer::new(Api::new(Arc::clone(&app)));
    let webhooks = WebhookServiceServer::new(Api::new(Arc::clone(&app)));
    let preferences = PreferenceServiceServer::new(Api::new(Arc::clone(&app)));
    let ingest = IngestServiceServer::new(Api::new(app));
    Ok(Service {
        routes: Routes::new(notifications.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(admin.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(deliveries.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(devices.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(email.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(erasure.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(webhooks.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(events.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(preferences.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(ingest.max_decoding_message_size(rpc::MESSAGE_LIMIT)),
        workers,
        health: vec![
            health::<NotificationServiceServer<Api>>(),
            health::<IngestServiceServer<Api>>(),
            health::<AdminServiceServer<Api>>(),
            health::<DeliveryServiceServer<Api>>(),
            health::<DeviceServiceServer<Api>>(),
            health::<EmailServiceServer<Api>>(),
            health::<ErasureServiceServer<Api>>(),
            health::<WebhookEventServiceServer<Api>>(),
            health::<WebhookServiceServer<Api>>(),
            health::<PreferenceServiceServer<Api>>(),
        ],
    })
}

/// What carries deliveries out of this process, as far as it is configured.
fn carriers(app: &Arc<App>, mail: Option<Mailing>, own: &NotificationsConfig) -> Carriers {
    let webhooks = WebhookCarrier::new(Arc::clone(app), own.webhooks.patience());
    let mut carriers = Carriers::none().with(Channel::Webhook, Arc::new(webhooks));
    if let Some(mail) = mail {
        carriers = carriers.with(Channel::Email, Arc::new(mail.carrier(Arc::clone(app))));
    }
    for channel in app.push_services.channels() {
        carriers = carriers.with(channel, Arc::new(Pusher(Arc::clone(app))));
    }
    carriers
}

/// Links in emails are sealed: with what follows from the signing key they end with it.
fn warn_of_links(config: &Config, own: &NotificationsConfig) {
    let links = own.email.as_ref().is_some_and(|email| email.unsubscribe_url.is_some());
    if links && config.keys.signing.is_some() && config.keys.seal.is_none() {
        tracing::warn!(
            "keys.seal is not named: another keys.signing ends every unsubscribe link in emails that were sent"
        );
    }
}

/// Where people's tokens are of the development key, Web Push has one of its own beside it.
fn push_services(
    config: &Config,
    own: &NotificationsConfig,
    egress: &Egress,
    deps: &Deps,
) -> Result<PushServices, StartError> {
    let development = config.keys.jwks.is_none() && config.keys.signing.is_none();
    let folder = development.then_some(config.data.as_path());
    PushServices::open(&own.push, folder, egress, &deps.clock).map_err(unusable)
}

fn unusable(reason: impl std::fmt::Display) -> StartError {
    StartError::Service { service: NAME, reason: reason.to_string() }
}

fn health<S: NamedService>() -> &'static str {
    S::NAME
}
