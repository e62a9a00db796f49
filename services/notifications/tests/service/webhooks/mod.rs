//! D8: webhooks, from what another service publishes to the call of an endpoint on this machine.

mod failing;
mod manage;
mod replay;
mod sent;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use kernel::{Clock, Role};
use proto::common::v1::{EventDisposition, Role as ProtoRole};
use proto::notifications::v1 as pb;
use proto::notifications::v1::delivery_service_client::DeliveryServiceClient;
use proto::notifications::v1::webhook_event::Change;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::webhook_service_client::WebhookServiceClient;
use rpc::convert::proto_time;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{Client, Engine, Suite};

use crate::push::outside::{Outside, Seen, status};
use crate::support::routing::Routing;
use crate::support::*;
use pb::WebhookEventType as Type;

/// What a note says, and nobody may read who did not ask for it.
const CANARY: &str = "canary-7f1c";

/// A suite that reaches servers on this machine, an endpoint, and two organizations with an admin each.
struct World {
    suite: Suite,
    hook: Outside,
    routing: Routing,
}

impl World {
    async fn start(engine: Engine) -> Self {
        let routing = Routing::default();
        for org in ["acme", "umbrella"] {
            routing.person(org, "root", ProtoRole::Admin);
            routing.person(org, "ana", ProtoRole::Agent);
        }
        let section = json!({
            "egress": {"allow_private_addresses": true, "allow_http": true},
            "poll_ms": 20,
        });
        let change = move |config: &mut runtime::Config| {
            config.notifications = serde_json::from_value(section).unwrap();
        };
        let suite =
            builder_beside(engine, &routing).with_fake_clock(NEW_YEAR).configured(change).start().await;
        let hook = Outside::open().await;
        hook.answers(|_| status(204));
        Self { suite, hook, routing }
    }

    fn admin(&self, org: &str) -> WebhookServiceClient<Client> {
        WebhookServiceClient::new(self.suite.client(org, "root", Role::Admin))
    }

    /// A webhook of an organization at a path of the endpoint, and its secret.
    async fn webhook(&self, org: &str, path: &str, types: &[Type], private: bool) -> (pb::Webhook, String) {
        let request = pb::CreateWebhookRequest {
            url: format!("{}{path}", self.hook.url),
            event_types: types.iter().map(|kind| (*kind).into()).collect(),
            include_private: private,
            ..Default::default()
        };
        let answer = self.admin(org).create_webhook(request).await.unwrap().into_inner();
        (answer.webhook.unwrap(), answer.secret)
    }

    async fn read(&self, org: &str, id: &str) -> pb::Webhook {
        let request = pb::GetWebhookRequest { webhook_id: id.to_owned() };
        self.admin(org).get_webhook(request).await.unwrap().into_inner().webhook.unwrap()
    }

    async fn publish(&self, org: &str, events: &[pb::WebhookEvent]) {
        let mut service = WebhookEventServiceClient::new(self.suite.client(org, "notes", Role::Service));
        let request = pb::PublishWebhookEventsRequest { events: events.to_vec() };
        let outcomes = service.publish_webhook_events(request).await.unwrap().into_inner().outcomes;
        for outcome in outcomes {
            assert_ne!(outcome.disposition(), EventDisposition::Refused, "{outcome:?}");
        }
    }

    /// The deliveries to a webhook, newest first.
    async fn deliveries(&self, org: &str, webhook_id: &str) -> Vec<pb::Delivery> {
        let mut service = DeliveryServiceClient::new(self.suite.client(org, "root", Role::Admin));
        let request =
            pb::ListDeliveriesRequest { destination_id: webhook_id.to_owned(), ..Default::default() };
        service.list_deliveries(request).await.unwrap().into_inner().deliveries
    }

    /// Waits until what became of every attempt is written down: what is due next is then reckoned from now.
    async fn rests(&self, org: &str, webhook_id: &str) {
        let under_way = async |one: &pb::Delivery| {
            let mut service = DeliveryServiceClient::new(self.suite.client(org, "root", Role::Admin));
            let request = pb::GetDeliveryRequest { delivery_id: one.delivery_id.clone() };
            let attempts = service.get_delivery(request).await.unwrap().into_inner().attempts;
            attempts.iter().any(|attempt| attempt.outcome() == pb::DeliveryOutcome::Started)
        };
        let rests = async {
            for one in self.deliveries(org, webhook_id).await {
                while under_way(&one).await {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, rests).await.expect("every attempt ends");
    }

    /// The deliveries to a webhook, once all are in one of these states.
    async fn settled(&self, org: &str, webhook_id: &str, states: &[pb::DeliveryState]) -> Vec<pb::Delivery> {
        let settled = async {
            loop {
                let all = self.deliveries(org, webhook_id).await;
                if !all.is_empty() && all.iter().all(|one| states.contains(&one.state())) {
                    return all;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("they come to an end")
    }

    /// Waits until something holds of a webhook.
    async fn becomes(&self, org: &str, id: &str, holds: impl Fn(&pb::Webhook) -> bool) -> pb::Webhook {
        let found = async {
            loop {
                let webhook = self.read(org, id).await;
                if holds(&webhook) {
                    return webhook;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("the webhook becomes so")
    }
}

fn new_id() -> String {
    Clock::system().new_id().to_string()
}

/// A note of a conversation was written or changed, and says the canary.
fn note(kind: Type, note_id: &str, conversation_id: &str) -> pb::WebhookEvent {
    pb::WebhookEvent {
        event_id: new_id(),
        r#type: kind.into(),
        occur_time: Some(proto_time(NEW_YEAR)),
        change: Some(Change::Note(pb::WebhookNoteChange {
            note_id: note_id.to_owned(),
            kind: pb::WebhookNoteKind::Conversation.into(),
            conversation_id: conversation_id.to_owned(),
            contact_id: new_id(),
            revision: 1,
        })),
        private_text: CANARY.to_owned(),
        ..Default::default()
    }
}

fn resolved(conversation_id: &str) -> pb::WebhookEvent {
    let conversation_id = conversation_id.to_owned();
    pb::WebhookEvent {
        event_id: new_id(),
        r#type: Type::ConversationResolved.into(),
        occur_time: Some(proto_time(NEW_YEAR)),
        change: Some(Change::Conversation(pb::WebhookConversationChange {
            conversation_id,
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// What a call says.
fn said(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}

/// Whether one of a call's signatures is of this secret, by the rule of Standard Webhooks.
fn signed(seen: &Seen, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.", seen.header("webhook-id"), seen.header("webhook-timestamp")).as_bytes());
    mac.update(&seen.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    seen.header("webhook-signature").split(' ').any(|one| one == expected)
}
