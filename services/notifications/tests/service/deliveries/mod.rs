//! The queue of deliveries (D7), with a carrier that does as it is told. The same on both databases.

mod attempts;
mod crashes;
mod lists;
mod queues;
mod retention;
mod wire;

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use db::BoxFuture;
use db::test_support::org;
use kernel::{OrgId, Subject, Timestamp};
use notifications::app::App;
use notifications::app::claim::Batch;
use notifications::app::deliver::Carrier;
use notifications::app::dispatch::Pace;
use notifications::app::enqueue::enqueue;
use notifications::domain::attempt::Attempt;
use notifications::domain::delivery::{
    Body, Channel, DeliveryId, DeliveryState, Job, NewDelivery, Outcome, Why,
};
use notifications::store::delivery_claims::Claimed;
use notifications::store::delivery_list::Delivery;

static ACME: LazyLock<OrgId> = LazyLock::new(|| org("acme"));
static UMBRELLA: LazyLock<OrgId> = LazyLock::new(|| org("umbrella"));

/// Fast enough for a test, with the leases of every day.
fn pace() -> Pace {
    Pace::usual(32, 4, Duration::from_millis(20))
}

/// Deliveries of a channel that are due now, to one destination and lane.
fn new(app: &App, destination: &str, lane: &str) -> NewDelivery {
    NewDelivery {
        delivery_id: app.clock.new_id().into(),
        channel: Channel::Webhook,
        subject: None,
        destination: destination.to_owned(),
        lane: lane.to_owned(),
        body: Body::of(&"what"),
        due_time: app.clock.now(),
    }
}

fn email(app: &App, subject: &str) -> NewDelivery {
    let subject = Some(Subject::parse(subject).unwrap());
    NewDelivery { channel: Channel::Email, subject, ..new(app, "", "") }
}

/// Queues deliveries of an organization, in several transactions if they are many; gives their ids.
async fn queue(app: &App, org: &OrgId, new: Vec<NewDelivery>) -> Vec<DeliveryId> {
    let ids = new.iter().map(|new| new.delivery_id).collect();
    for part in new.chunks(1_000) {
        let (part, wake) = (part.to_vec(), app.wake.clone());
        let write = app.db.write(org, move |tx| Box::pin(async move { enqueue(tx, &wake, part).await }));
        write.await.unwrap();
    }
    ids
}

/// Some deliveries to one destination and lane.
async fn queue_some(app: &App, org: &OrgId, many: usize, destination: &str, lane: &str) -> Vec<DeliveryId> {
    queue(app, org, (0..many).map(|_| new(app, destination, lane)).collect()).await
}

async fn claim(app: &App, channel: Channel, free: usize) -> Batch {
    app.claim_deliveries(channel, pace(), None, free).await.unwrap()
}

fn ids(batch: &Batch) -> Vec<DeliveryId> {
    batch.deliveries.iter().map(|one| one.job.delivery_id).collect()
}

/// Claims webhooks; each becomes what is said.
async fn round(app: &App, outcome: impl Fn(&Job) -> Outcome) -> Vec<DeliveryId> {
    let batch = claim(app, Channel::Webhook, 32).await;
    for one in &batch.deliveries {
        assert!(app.settle(batch.fence, one, &outcome(&one.job)).await.unwrap());
    }
    ids(&batch)
}

async fn settle(app: &App, batch: &Batch, one: &Claimed, outcome: Outcome) -> bool {
    app.settle(batch.fence, one, &outcome).await.unwrap()
}

async fn get(app: &App, id: DeliveryId) -> (Delivery, Vec<Attempt>) {
    app.get_delivery(&ACME, id).await.unwrap()
}

async fn state(app: &App, id: DeliveryId) -> DeliveryState {
    get(app, id).await.0.state
}

fn sent(_: &Job) -> Outcome {
    Outcome::Sent
}

fn again() -> Outcome {
    Outcome::Again { why: Why::from("not this time").with_code(451_i64), not_before: None }
}

fn unreachable(not_before: Option<Timestamp>) -> Outcome {
    Outcome::Unreachable { why: Why::from("no connection"), not_before }
}

/// A carrier that remembers what it was given.
#[derive(Default)]
struct Post {
    taken: Mutex<Vec<Job>>,
}

impl Post {
    fn taken(&self) -> Vec<DeliveryId> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter().map(|job| job.delivery_id).collect()
    }
}

impl Carrier for Post {
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        Box::pin(async { Outcome::Sent })
    }
}
