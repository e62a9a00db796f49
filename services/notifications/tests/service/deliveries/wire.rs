//! What an admin sees of an endpoint that does not answer.

use std::net::TcpListener;
use std::time::Duration;

use kernel::Role;
use notifications::domain::backoff::SCHEDULE;
use proto::notifications::v1 as pb;
use proto::notifications::v1::delivery_service_client::DeliveryServiceClient;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::webhook_service_client::WebhookServiceClient;
use rpc::convert::proto_time;
use testkit::{Client, Engine, Suite, on_both_databases};
use tonic::Code;

use crate::support::{NEW_YEAR, PATIENCE, builder};

type Deliveries = DeliveryServiceClient<Client>;

async fn suite(engine: Engine) -> Suite {
    let section = serde_json::json!({
        "poll_ms": 10,
        "egress": { "allow_private_addresses": true, "allow_http": true },
    });
    let configured = builder(engine).with_fake_clock(NEW_YEAR);
    configured
        .configured(|config| config.notifications = serde_json::from_value(section).unwrap())
        .start()
        .await
}

/// A port at which nobody is.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A webhook of the organization that does not answer; its id.
async fn webhook(suite: &Suite, org: &str) -> String {
    let request = pb::CreateWebhookRequest {
        url: format!("http://127.0.0.1:{}/hook", closed_port()),
        event_types: vec![pb::WebhookEventType::ContactCreated.into()],
        ..Default::default()
    };
    let mut webhooks = WebhookServiceClient::new(suite.client(org, "root", Role::Admin));
    webhooks.create_webhook(request).await.unwrap().into_inner().webhook.unwrap().webhook_id
}

/// Something that the organization's webhook is told; of which contact.
async fn publish(suite: &Suite, org: &str) -> String {
    let contact_id = suite.clock().new_id().to_string();
    let contact = pb::WebhookContactChange { contact_id: contact_id.clone(), ..Default::default() };
    let event = pb::WebhookEvent {
        event_id: suite.clock().new_id().to_string(),
        r#type: pb::WebhookEventType::ContactCreated.into(),
        occur_time: Some(proto_time(suite.clock().now())),
        change: Some(pb::webhook_event::Change::Contact(contact)),
        ..Default::default()
    };
    let mut events = WebhookEventServiceClient::new(suite.client(org, "contacts", Role::Service));
    let published =
        events.publish_webhook_events(pb::PublishWebhookEventsRequest { events: vec![event] }).await;
    assert_eq!(published.unwrap().into_inner().outcomes.len(), 1);
    contact_id
}

fn admin(suite: &Suite, org: &str) -> Deliveries {
    DeliveryServiceClient::new(suite.client(org, "root", Role::Admin))
}

/// With a token of now: the clock goes faster than tokens last.
async fn list(suite: &Suite, org: &str, request: pb::ListDeliveriesRequest) -> Vec<pb::Delivery> {
    admin(suite, org).list_deliveries(request).await.unwrap().into_inner().deliveries
}

async fn get(suite: &Suite, id: &str) -> (pb::Delivery, Vec<pb::DeliveryAttempt>) {
    let request = pb::GetDeliveryRequest { delivery_id: id.to_owned() };
    let found = admin(suite, "acme").get_delivery(request).await.unwrap().into_inner();
    (found.delivery.unwrap(), found.attempts)
}

/// Waits until so many attempts were made and have ended.
async fn attempted(suite: &Suite, id: &str, attempts: usize) -> (pb::Delivery, Vec<pb::DeliveryAttempt>) {
    let wait = async {
        loop {
            let found = get(suite, id).await;
            if found.1.len() == attempts && found.1.iter().all(|it| it.end_time.is_some()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it is attempted")
}

on_both_databases! {
    // D7
    async fn an_admin_sees_every_attempt_and_has_a_dead_letter_tried_again(engine) {
        let suite = suite(engine).await;
        let webhook = webhook(&suite, "acme").await;
        let contact = publish(&suite, "acme").await;
        let delivery = list(&suite, "acme", pb::ListDeliveriesRequest::default()).await.remove(0);
        assert_eq!((delivery.channel(), &delivery.destination_id), (pb::DeliveryChannel::Webhook, &webhook));
        assert_eq!(delivery.object_id, contact);
        let id = delivery.delivery_id.as_str();
        let (delivery, attempts) = attempted(&suite, id, 1).await;
        assert_eq!((delivery.state(), delivery.attempt_count), (pb::DeliveryState::Waiting, 1));
        assert_eq!(attempts[0].outcome(), pb::DeliveryOutcome::Unreachable);
        assert!(delivery.due_time.unwrap().seconds >= proto_time(NEW_YEAR).seconds + 5 && delivery.done_time.is_none());
        for (attempt, wait) in (2..).zip(SCHEDULE) {
            suite.hand().advance(wait + wait / 5);
            attempted(&suite, id, attempt).await;
        }
        let failed = pb::ListDeliveriesRequest { state: pb::DeliveryState::Failed.into(), ..Default::default() };
        let dead = list(&suite, "acme", failed.clone()).await;
        assert_eq!(dead.len(), 1);
        assert!(dead[0].done_time.is_some() && dead[0].due_time.is_none() && !dead[0].last_error.is_empty());

        let retry = pb::RetryDeliveryRequest { delivery_id: id.to_owned() };
        let retried = admin(&suite, "acme").retry_delivery(retry).await.unwrap().into_inner().delivery.unwrap();
        assert_eq!(retried.state(), pb::DeliveryState::Waiting);
        suite.hand().advance(Duration::from_secs(3_600));
        attempted(&suite, id, 9).await;
        assert!(list(&suite, "acme", failed).await.is_empty());
        let all = admin(&suite, "acme").retry_deliveries(pb::RetryDeliveriesRequest::default()).await;
        let all = all.unwrap().into_inner();
        assert_eq!((all.retried_count, all.more), (0, false));
    }

    // P1 P4 P7
    async fn wrong_requests_name_the_field_and_foreign_ids_are_not_found(engine) {
        let suite = suite(engine).await;
        webhook(&suite, "acme").await;
        publish(&suite, "acme").await;
        let (mut own, mut other) = (admin(&suite, "acme"), admin(&suite, "umbrella"));
        let id = list(&suite, "acme", pb::ListDeliveriesRequest::default()).await.remove(0).delivery_id;
        assert!(list(&suite, "umbrella", pb::ListDeliveriesRequest::default()).await.is_empty());
        let foreign = other.get_delivery(pb::GetDeliveryRequest { delivery_id: id.clone() }).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        let foreign = other.retry_delivery(pb::RetryDeliveryRequest { delivery_id: id }).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        for wrong in [
            pb::ListDeliveriesRequest { destination_id: "x".into(), ..Default::default() },
            pb::ListDeliveriesRequest { subject: "a b".into(), ..Default::default() },
            pb::ListDeliveriesRequest { state: 99, ..Default::default() },
            pb::ListDeliveriesRequest { page_token: "x".into(), ..Default::default() },
            pb::ListDeliveriesRequest { page_size: 201, ..Default::default() },
        ] {
            let refused = own.list_deliveries(wrong.clone()).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{wrong:?}");
        }
    }
}
