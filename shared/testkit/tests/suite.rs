//! Two stand-ins for services in one process: the road of an event from one's transaction to the other's handler.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::{Db, Migrations};
use kernel::{EventId, OrgId, Role, Timestamp};
use outbox::{Deliver, Event, Outbox, Relay};
use prost::Message;
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::ingest_service_server::{IngestService, IngestServiceServer};
use proto::notifications::v1::{NotificationEvent, NotificationType, NotifyRequest, NotifyResponse};
use rpc::{Caller, Peer};
use runtime::{Service, StartError, Unit, Worker};
use testkit::{Suite, on_both_databases};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

static MIGRATIONS: Migrations = Migrations { sets: &[&outbox::TABLES] };

/// Tells notifications what the test records.
fn deliver_to_notifications(peer: Peer) -> Arc<dyn Deliver> {
    runtime::to_peer(peer, |notifications, events: Vec<NotificationEvent>| async move {
        let answer = IngestServiceClient::new(notifications).notify(NotifyRequest { events }).await?;
        Ok(answer.into_inner().outcomes)
    })
}

/// Who called, for which events.
type Heard = Arc<Mutex<Vec<(Caller, Vec<String>)>>>;

struct Notifications(Heard);

#[tonic::async_trait]
impl IngestService for Notifications {
    async fn notify(&self, request: Request<NotifyRequest>) -> Result<Response<NotifyResponse>, Status> {
        let call = rpc::call(&request)?;
        let ids: Vec<String> = request.into_inner().events.into_iter().map(|event| event.event_id).collect();
        self.0.lock().unwrap().push((Caller::clone(&call.caller), ids.clone()));
        let outcome = |event_id| EventOutcome {
            event_id,
            disposition: EventDisposition::Applied.into(),
            reason: String::new(),
        };
        Ok(Response::new(NotifyResponse { outcomes: ids.into_iter().map(outcome).collect() }))
    }
}

fn notifications(heard: &Heard) -> Unit {
    let heard = Arc::clone(heard);
    Unit::new("notifications", move |_config, _deps| {
        let routes = Routes::new(IngestServiceServer::new(Notifications(Arc::clone(&heard))));
        async { Ok::<_, StartError>(Service { routes, workers: vec![], health: vec![] }) }
    })
}

/// A notes service that only has a database and a relay; the test records for it.
fn notes(opened: &Arc<Mutex<Option<(Db, Outbox)>>>) -> Unit {
    let opened = Arc::clone(opened);
    Unit::new("notes", move |_config, deps| {
        let opened = Arc::clone(&opened);
        async move {
            let (db, outbox) = (deps.open(&MIGRATIONS).await?, Outbox::new());
            let target = deliver_to_notifications(deps.peer("notifications")?);
            let targets = HashMap::from([("notifications", target)]);
            let relay = Relay::new("notes", db.clone(), outbox.clone(), deps.clock.clone(), targets);
            *opened.lock().unwrap() = Some((db, outbox));
            let workers = vec![Worker::relay(relay)];
            Ok::<_, StartError>(Service { routes: Routes::default(), workers, health: vec![] })
        }
    })
}

async fn record(notes: &Arc<Mutex<Option<(Db, Outbox)>>>, suite: &Suite) -> String {
    let (db, outbox) = notes.lock().unwrap().clone().unwrap();
    let event_id = EventId::from(suite.clock().new_id());
    let told = NotificationEvent {
        event_id: event_id.to_string(),
        r#type: NotificationType::Mentioned.into(),
        recipient_subjects: vec!["bob".to_owned()],
        reason: "ana mentioned you".to_owned(),
        occur_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..NotificationEvent::default()
    };
    let event = Event {
        event_id,
        target: "notifications",
        kind: "mention",
        payload: told.encode_to_vec(),
        key: None,
    };
    let acme = OrgId::parse("acme").unwrap();
    db.write(&acme, move |tx| Box::pin(async move { outbox.record(tx, &[event]).await })).await.unwrap();
    event_id.to_string()
}

on_both_databases! {
    async fn an_event_gets_from_one_service_to_the_other_with_a_service_token(engine) {
        let (heard, opened) = (Heard::default(), Arc::default());
        let suite = Suite::of([notes(&opened), notifications(&heard)]).on(engine).start().await;
        let id = record(&opened, &suite).await;
        for _ in 0..1_000 {
            if !heard.lock().unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let calls = heard.lock().unwrap().clone();
        assert_eq!(calls.len(), 1);
        let (caller, ids) = &calls[0];
        assert_eq!((caller.org.as_str(), caller.subject.as_str(), caller.role), ("acme", "notes", Role::Service));
        assert_eq!(*ids, [id]);
        suite.stop().await;
    }

    async fn what_is_recorded_before_a_stop_is_delivered_before_its_end(engine) {
        let (heard, opened) = (Heard::default(), Arc::default());
        let mut suite = Suite::of([notes(&opened), notifications(&heard)]).on(engine).start().await;
        let (mut sent, grpc) = (Vec::new(), suite.grpc());
        for _ in 0..5 {
            for _ in 0..10 {
                sent.push(record(&opened, &suite).await);
            }
            suite.restart().await;
            assert_eq!(suite.grpc(), grpc);
            let mut known: Vec<String> =
                heard.lock().unwrap().iter().flat_map(|(_, ids)| ids.clone()).collect();
            // Delivered at least once, says an outbox.
            known.sort_unstable();
            known.dedup();
            sent.sort_unstable();
            assert_eq!(known, sent);
        }
        suite.stop().await;
    }

    async fn people_call_over_tcp_with_tokens_and_roles(engine) {
        let heard = Heard::default();
        let start = Timestamp::from_micros(1_767_225_600_000_000);
        let suite = Suite::of([notifications(&heard)]).on(engine).with_fake_clock(start).start().await;
        let mut ana = IngestServiceClient::new(suite.client("acme", "ana", Role::Agent));
        let refused = ana.notify(NotifyRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        suite.hand().advance(Duration::from_secs(2 * 60 * 60));
        let refused = ana.notify(NotifyRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "the token has ended");
    }
}
