//! D6: who hears of what, how and when, and why.

mod choices;
mod mutes;
mod planned;
mod storms;
mod upgraded;

use std::time::Duration;

use kernel::Role;
use proto::common::v1::Role as ProtoRole;
use proto::notifications::v1 as pb;
use proto::notifications::v1::delivery_service_client::DeliveryServiceClient;
use proto::notifications::v1::preference_service_client::PreferenceServiceClient;
use proto::notifications::v1::{ChannelExplanation, DeliveryCause};
use testkit::{Client, Engine, Suite};
use tokio::time::Instant;

use crate::support::routing::Routing;
use crate::support::{Ingest, NEW_YEAR, PATIENCE, builder_beside, ingest, list, notify, person};

type Preferences = PreferenceServiceClient<Client>;

/// The service at new year, with email that nobody takes: nothing is due before a test moves the clock. Ana and ben have profiles.
struct World {
    suite: Suite,
    routing: Routing,
    ingest: Ingest,
}

impl World {
    async fn on(engine: Engine) -> Self {
        let routing = Routing::default();
        for name in ["ana", "ben"] {
            routing.person("acme", name, ProtoRole::Agent);
        }
        let started = builder_beside(engine, &routing).with_fake_clock(NEW_YEAR);
        let started = started.configured(|config| {
            config.notifications = serde_json::from_value(section(15_000)).unwrap();
        });
        let suite = started.start().await;
        let ingest = ingest(&suite, "acme");
        Self { suite, routing, ingest }
    }

    fn preferences(&self, subject: &str) -> Preferences {
        PreferenceServiceClient::new(self.suite.client("acme", subject, Role::Agent))
    }

    fn admin(&self) -> Preferences {
        PreferenceServiceClient::new(self.suite.client("acme", "root", Role::Admin))
    }

    /// Tells people about an event, and gives ana's newest entry.
    async fn tell(&mut self, event: pb::NotificationEvent) -> pb::Notification {
        notify(&mut self.ingest, vec![event]).await;
        list(&mut person(&self.suite, "acme", "ana")).await.remove(0)
    }

    /// Every delivery for somebody, newest first.
    async fn deliveries(&self, subject: &str) -> Vec<pb::Delivery> {
        let mut admin = DeliveryServiceClient::new(self.suite.client("acme", "root", Role::Admin));
        let request =
            pb::ListDeliveriesRequest { subject: subject.to_owned(), page_size: 200, ..Default::default() };
        admin.list_deliveries(request).await.unwrap().into_inner().deliveries
    }

    /// What happened to an entry in the app, by email and by push, once it is planned.
    async fn explained(&self, asks: &mut Preferences, entry: &pb::Notification) -> [ChannelExplanation; 3] {
        let patience = Instant::now() + PATIENCE;
        loop {
            let request = pb::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
            let answer = asks.explain_delivery(request).await.unwrap().into_inner();
            assert_eq!(answer.notification_id, entry.notification_id);
            let channels: [ChannelExplanation; 3] = answer.channels.try_into().unwrap();
            if !causes(&channels[1]).contains(&DeliveryCause::NotPlannedYet) {
                return channels;
            }
            assert!(Instant::now() < patience, "never planned: {channels:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Email is set up, but nobody listens there; what is told waits so long.
fn section(delay: u64) -> serde_json::Value {
    let email =
        serde_json::json!({ "host": "localhost", "port": 1, "tls": "none", "from": "a@backchannel.example" });
    let plan = serde_json::json!({ "email_delay_ms": delay });
    serde_json::json!({ "poll_ms": 50, "plan": plan, "email": email })
}

fn causes(channel: &ChannelExplanation) -> Vec<DeliveryCause> {
    channel.reasons.iter().map(pb::DeliveryReason::cause).collect()
}

fn seconds(time: Option<prost_types::Timestamp>) -> i64 {
    time.unwrap().seconds - NEW_YEAR.as_micros() / 1_000_000
}

async fn update(asks: &mut Preferences, request: pb::UpdatePreferencesRequest) -> pb::Preferences {
    asks.update_preferences(request).await.unwrap().into_inner().preferences.unwrap()
}

async fn update_organization(
    asks: &mut Preferences,
    request: pb::UpdateOrganizationPreferencesRequest,
) -> pb::OrganizationPreferences {
    asks.update_organization_preferences(request).await.unwrap().into_inner().preferences.unwrap()
}

fn by_email(kind: pb::NotificationType, email: pb::Switch) -> pb::TypePreference {
    pb::TypePreference { r#type: kind.into(), email: email.into(), push: 0 }
}
