//! The queues of deliveries at work, and their retention.

use std::sync::Arc;
use std::time::Duration;

use runtime::Worker;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::deliver::Carriers;
use crate::app::dispatch::{Pace, dispatch};
use crate::domain::delivery::Channel;

/// Between two rounds of retention.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// One worker for each channel that has a carrier here, and one for what is kept no longer.
pub(super) fn workers(app: &Arc<App>, carriers: &Carriers, pace: Pace) -> Vec<Worker> {
    let carrying = carriers.each().map(|(channel, carrier)| {
        let (app, carrier) = (Arc::clone(app), Arc::clone(carrier));
        Worker::new(name(channel), move |stop| {
            dispatch(Arc::clone(&app), channel, Arc::clone(&carrier), pace, stop)
        })
    });
    let app = Arc::clone(app);
    let forgetting = Worker::new("delivery retention", move |stop| forget(Arc::clone(&app), stop));
    carrying.chain([forgetting]).collect()
}

const fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "emails",
        Channel::WebPush => "web pushes",
        Channel::Fcm => "fcm pushes",
        Channel::Webhook => "webhooks",
    }
}

async fn forget(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
        let forgotten = tokio::select! {
            () = stop.cancelled() => return,
            forgotten = app.forget_deliveries(app.clock.now()) => forgotten,
        };
        match forgotten {
            Ok(deliveries) => tracing::debug!(deliveries, "retention of deliveries"),
            Err(error) => tracing::warn!(%error, "retention of deliveries stopped early; goes on later"),
        }
    }
}
