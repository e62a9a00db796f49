//! D4: emails through a real SMTP server, `tests/smtp/sink`, which keeps what it gets as files.

mod delivered;
mod excerpts;
mod gathered;
mod mailbox;
mod trouble;
mod unsubscribe;

use kernel::Role;
use proto::common::v1::Role as ProtoRole;
use proto::notifications::v1 as pb;
use proto::notifications::v1::admin_service_client::AdminServiceClient;
use proto::notifications::v1::delivery_service_client::DeliveryServiceClient;
use proto::notifications::v1::{DeliveryAttempt, DeliveryState};
use testkit::{Client, Engine, Suite};

use crate::support::routing::Routing;
use crate::support::{PATIENCE, builder_beside};
use mailbox::{Mailbox, sink};

/// How long entries wait before an email tells them, in most tests.
const SOON: u64 = 50;

/// The service with email, and ana, who has a mailbox.
struct World {
    suite: Suite,
    routing: Routing,
    ana: Mailbox,
}

impl World {
    /// Over the port of this name of the server.
    async fn over(engine: Engine, port: &str) -> Self {
        Self::with(engine, section(port, SOON), "ana").await
    }

    /// With emails after so many milliseconds.
    async fn after(engine: Engine, delay: u64) -> Self {
        Self::with(engine, section("clear", delay), "ana").await
    }

    /// With this section of the configuration; `mood` is what the server makes of ana's address.
    async fn with(engine: Engine, section: serde_json::Value, mood: &str) -> Self {
        let routing = Routing::default();
        let ana = Mailbox::new(mood);
        let profile = routing.person("acme", "ana", ProtoRole::Agent);
        let profile = proto::routing::v1::Agent {
            display_name: "Ana Lima".to_owned(),
            email: ana.address().to_owned(),
            ..profile
        };
        routing.put("acme", profile);
        let started = builder_beside(engine, &routing).configured(move |config| {
            config.notifications = serde_json::from_value(section.clone()).unwrap();
        });
        Self { suite: started.start().await, routing, ana }
    }

    fn deliveries(&self) -> DeliveryServiceClient<Client> {
        DeliveryServiceClient::new(self.suite.client("acme", "root", Role::Admin))
    }

    fn admin(&self) -> AdminServiceClient<Client> {
        AdminServiceClient::new(self.suite.client("acme", "root", Role::Admin))
    }

    /// Waits until an email to ana is planned.
    async fn planned(&self) {
        let patience = tokio::time::Instant::now() + PATIENCE;
        let request = pb::ListDeliveriesRequest { subject: "ana".to_owned(), ..Default::default() };
        let mut deliveries = self.deliveries();
        while deliveries.list_deliveries(request.clone()).await.unwrap().into_inner().deliveries.is_empty() {
            assert!(tokio::time::Instant::now() < patience, "no email is planned");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Ana's first email, once it is tried, and its attempts.
    async fn tried(&self, state: DeliveryState) -> (pb::Delivery, Vec<DeliveryAttempt>) {
        let patience = tokio::time::Instant::now() + PATIENCE;
        let mut deliveries = self.deliveries();
        loop {
            let request = pb::ListDeliveriesRequest { subject: "ana".to_owned(), ..Default::default() };
            let listed = deliveries.list_deliveries(request).await.unwrap().into_inner().deliveries;
            // One that waits after an attempt, not during it.
            let ended = |it: &&pb::Delivery| state != DeliveryState::Waiting || !it.last_error.is_empty();
            if let Some(found) = listed.iter().filter(|it| it.state() == state).find(ended) {
                let request = pb::GetDeliveryRequest { delivery_id: found.delivery_id.clone() };
                let got = deliveries.get_delivery(request).await.unwrap().into_inner();
                return (got.delivery.unwrap(), got.attempts);
            }
            assert!(tokio::time::Instant::now() < patience, "no delivery that is {state:?}: {listed:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// The section of the configuration with email over a port of the server.
fn section(port: &str, delay: u64) -> serde_json::Value {
    let sink = sink();
    let mut email = serde_json::json!({
        "host": "localhost",
        "port": sink.ports[port],
        "tls": if port == "clear" { "none" } else { port },
        "from": "Backchannel <alerts@backchannel.example>",
        "conversation_url": "https://console.example/c/{conversation_id}",
        "settings_url": "https://console.example/settings",
        "unsubscribe_url": "https://edge.example/v1/email:unsubscribe",
    });
    if port != "clear" {
        email["user"] = sink.user.clone().into();
        email["password"] = sink.password.clone().into();
        email["ca_file"] = sink.folder.join("ca.pem").to_str().unwrap().into();
    }
    serde_json::json!({ "poll_ms": 50, "plan": { "email_delay_ms": delay }, "email": email })
}
