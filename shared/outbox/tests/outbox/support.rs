//! A consumer to play with, and a relay that is impatient.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::test_support::TestDb;
use db::{BoxFuture, Db, DbError, Migrations};
use kernel::{EventId, Hand, OrgId};
use opentelemetry::trace::{TraceContextExt, TraceId};
use outbox::{Deliver, Event, Outbox, Outcome, Outgoing, Relay, RelaySettings, Undelivered};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

pub(crate) static MIGRATIONS: Migrations = Migrations { sets: &[&outbox::TABLES] };

pub(crate) const PEER: &str = "notifications";

/// Longer than anything takes that works.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn acme() -> OrgId {
    db::test_support::org("acme")
}

type Answer = Box<dyn Fn(&Outgoing) -> Result<Outcome, Undelivered> + Send + Sync>;

/// Notes every event it is sent, in order, and answers as told.
pub(crate) struct Consumer {
    seen: Mutex<Vec<Outgoing>>,
    batches: Mutex<Vec<usize>>,
    traces: Mutex<Vec<TraceId>>,
    answer: Answer,
}

impl Consumer {
    pub(crate) fn willing() -> Arc<Self> {
        Self::answering(|_| Ok(Outcome::Done))
    }

    pub(crate) fn answering(
        answer: impl Fn(&Outgoing) -> Result<Outcome, Undelivered> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Consumer {
            seen: Mutex::default(),
            batches: Mutex::default(),
            traces: Mutex::default(),
            answer: Box::new(answer),
        })
    }

    pub(crate) fn seen(&self) -> Vec<EventId> {
        self.seen.lock().unwrap().iter().map(|event| event.event_id).collect()
    }

    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }

    /// The trace in which each call was made.
    pub(crate) fn traces(&self) -> Vec<TraceId> {
        self.traces.lock().unwrap().clone()
    }

    pub(crate) fn times(&self, event: EventId) -> usize {
        self.seen().iter().filter(|seen| **seen == event).count()
    }
}

impl Deliver for Consumer {
    fn deliver<'a>(
        &'a self,
        _org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        self.batches.lock().unwrap().push(batch.len());
        let here = tracing::Span::current().context();
        self.traces.lock().unwrap().push(here.span().span_context().trace_id());
        self.seen.lock().unwrap().extend(batch.clone());
        let answers = batch.iter().map(|event| (self.answer)(event)).collect();
        Box::pin(async move { answers })
    }
}

/// A relay at work.
pub(crate) struct Started {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Started {
    pub(crate) async fn drain(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// As `kill -9` would.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _killed = self.task.await;
    }
}

pub(crate) fn relay(db: &TestDb, outbox: &Outbox, peer: Arc<dyn Deliver>) -> Started {
    relay_on(&db.db, db, outbox, peer, RelaySettings::default())
}

pub(crate) fn relay_on(
    db: &Db,
    of: &TestDb,
    outbox: &Outbox,
    peer: Arc<dyn Deliver>,
    settings: RelaySettings,
) -> Started {
    let stop = CancellationToken::new();
    let relay =
        Relay::new("test", db.clone(), outbox.clone(), of.clock.clone(), HashMap::from([(PEER, peer)]))
            .with_settings(settings);
    Started { stop: stop.clone(), task: tokio::spawn(relay.run(stop)) }
}

pub(crate) fn event(db: &TestDb, key: Option<Uuid>) -> Event {
    Event {
        event_id: EventId::from(db.clock.new_id()),
        target: PEER,
        kind: "tested",
        payload: b"what happened".to_vec(),
        key,
    }
}

pub(crate) async fn record(db: &TestDb, outbox: &Outbox, events: Vec<Event>) {
    let outbox = outbox.clone();
    db.write(&acme(), move |tx| Box::pin(async move { outbox.record(tx, &events).await })).await.unwrap();
}

/// Rows left in the outbox, in whatever state.
pub(crate) async fn left(db: &Db) -> i64 {
    db.read_system(|tx| {
        Box::pin(async move { tx.query("SELECT COUNT(*) FROM outbox").fetch_value(tx).await })
    })
    .await
    .unwrap_or_else(|error: DbError| panic!("{error}"))
}

/// Waits until `holds`.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waited = tokio::time::timeout(SOON, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "not in time: {what}");
}

/// Makes the database's time pass quickly until dropped: back-offs and leases of seconds end in moments.
pub(crate) struct TimeFlies(JoinHandle<()>);

impl TimeFlies {
    pub(crate) fn with(hand: &Hand) -> Self {
        let hand = hand.clone();
        TimeFlies(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                hand.advance(Duration::from_secs(10));
            }
        }))
    }
}

impl Drop for TimeFlies {
    fn drop(&mut self) {
        self.0.abort();
    }
}
