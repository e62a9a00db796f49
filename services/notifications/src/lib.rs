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
//! | `worker` | the poller behind lost wake-ups, and retention |
//! | [`config`] | the service's own settings |
//! | [`error`] | what can go wrong |
//! | `peers` | whom it asks: nobody |
//!
//! To follow one notification: `api` `notify` -> `events` (checks) -> `app::notify` (one transaction: inbox, heads,
//! entries) -> commit -> wake-up -> `app::subscribe` (a stream reads behind its cursor) -> `wire` (a frame).

mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod error;
mod events;
mod peers;
pub mod store;
mod wire;
mod worker;

use std::sync::Arc;

use proto::notifications::v1::admin_service_server::AdminServiceServer;
use proto::notifications::v1::erasure_service_server::ErasureServiceServer;
use proto::notifications::v1::ingest_service_server::IngestServiceServer;
use proto::notifications::v1::notification_service_server::NotificationServiceServer;
use runtime::{Config, Deps, Service, StartError, Unit};
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::api::Api;
use crate::app::App;
use crate::config::NotificationsConfig;

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
    let db = deps.open(&store::MIGRATIONS).await?;
    let app = Arc::new(App {
        db: db.clone(),
        clock: deps.clock.clone(),
        seal: deps.seal.clone(),
        wake: deps.wake.clone(),
        listeners: Default::default(),
        streams_end: deps.streams_end.clone(),
    });
    let workers = worker::workers(&app, &own);
    let notifications = NotificationServiceServer::new(Api::new(Arc::clone(&app)));
    let admin = AdminServiceServer::new(Api::new(Arc::clone(&app)));
    let erasure = ErasureServiceServer::new(Api::new(Arc::clone(&app)));
    let ingest = IngestServiceServer::new(Api::new(app));
    Ok(Service {
        routes: Routes::new(notifications.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(admin.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(erasure.max_decoding_message_size(rpc::MESSAGE_LIMIT))
            .add_service(ingest.max_decoding_message_size(rpc::MESSAGE_LIMIT)),
        workers,
        health: vec![
            health::<NotificationServiceServer<Api>>(),
            health::<IngestServiceServer<Api>>(),
            health::<AdminServiceServer<Api>>(),
            health::<ErasureServiceServer<Api>>(),
        ],
    })
}

fn health<S: NamedService>() -> &'static str {
    S::NAME
}
