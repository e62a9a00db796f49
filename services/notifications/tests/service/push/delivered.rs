//! From an event to the device: over the wire, through the planner and the queue.

use std::path::PathBuf;
use std::time::Duration;

use super::browser::Browser;
use super::google::Google;
use super::outside::{Outside, status};
use crate::support::routing::Routing;
use crate::support::*;
use kernel::Role;
use proto::notifications::v1 as pb;
use proto::notifications::v1::device_service_client::DeviceServiceClient;
use proto::notifications::v1::register_device_request::Address;
use serde_json::{Value, json};
use testkit::{Engine, Suite};

/// A suite that reaches servers on this machine, with five people.
async fn reaching(engine: Engine, push: Value, delay_ms: u64) -> Suite {
    let routing = Routing::default();
    for subject in ["ana", "ben", "cem", "dan", "eve"] {
        routing.person("acme", subject, proto::common::v1::Role::Agent);
    }
    let section = json!({
        "egress": {"allow_private_addresses": true, "allow_http": true},
        "push": push,
        "plan": {"push_delay_ms": delay_ms},
    });
    let change = move |config: &mut runtime::Config| {
        config.notifications = serde_json::from_value(section).unwrap();
    };
    builder_beside(engine, &routing).configured(change).start().await
}

async fn register(suite: &Suite, subject: &str, address: Address) -> pb::Device {
    let mut devices = DeviceServiceClient::new(suite.client("acme", subject, Role::Agent));
    let request = pb::RegisterDeviceRequest { address: Some(address), display_name: String::new() };
    devices.register_device(request).await.unwrap().into_inner().device.unwrap()
}

async fn devices_of(suite: &Suite, subject: &str) -> usize {
    let mut devices = DeviceServiceClient::new(suite.client("acme", subject, Role::Agent));
    devices.list_devices(pb::ListDevicesRequest::default()).await.unwrap().into_inner().devices.len()
}

testkit::on_both_databases! {
    // D5
    async fn a_mention_reaches_the_browsers_and_apps_of_the_mentioned_and_nobody_elses(engine) {
        let (google, service) = (Google::open().await, Outside::open().await);
        let folder = tempfile::tempdir().unwrap();
        let account: PathBuf = folder.path().join("account.json");
        google.account(&account);
        let push = json!({"fcm_service_account": account, "fcm_address": google.server.url});
        let suite = reaching(engine, push, 1).await;
        let [laptop, desk, bens] = [Browser::new(), Browser::new(), Browser::new()];
        let subscribed = |browser: &Browser, name: &str| {
            Address::WebPush(browser.subscription(&format!("{}/{name}", service.url)))
        };
        register(&suite, "ana", subscribed(&laptop, "laptop")).await;
        register(&suite, "ana", subscribed(&desk, "desk")).await;
        register(&suite, "ana", Address::Fcm(pb::FcmRegistration { registration_token: "phone".into() })).await;
        register(&suite, "ben", subscribed(&bens, "bens")).await;

        let mention = mention(&["ana"]);
        notify(&mut ingest(&suite, "acme"), vec![mention.clone()]).await;
        let entry = list(&mut person(&suite, "acme", "ana")).await.remove(0);
        let expected = [("notification_id", &entry.notification_id), ("conversation_id", &mention.conversation_id)];
        let seen = service.sees(2).await;
        for (browser, path) in [(&laptop, "/laptop"), (&desk, "/desk")] {
            let push = browser.read(seen.iter().find(|seen| seen.path == path).unwrap());
            assert_eq!((&push["title"], &push["type"]), (&"Eve mentioned you".into(), &"mentioned".into()));
            for (name, value) in expected {
                assert_eq!(push[name], **value, "{name}");
            }
        }
        // A token, and the message.
        google.server.sees(2).await;
        let (_, message) = google.messages().remove(0);
        assert_eq!((&message["token"], &message["notification"]["title"]), (&"phone".into(), &"Eve mentioned you".into()));
        assert_eq!(message["data"]["notification_id"], entry.notification_id);
        assert_eq!(service.seen().len(), 2, "ben is told nothing");
        suite.stop().await;
    }

    // D5
    async fn a_dead_subscription_is_removed_with_the_first_push(engine) {
        let service = Outside::open().await;
        let suite = reaching(engine, json!({}), 1).await;
        let [old, new] = [Browser::new(), Browser::new()];
        for (browser, name) in [(&old, "old"), (&new, "new")] {
            let subscription = browser.subscription(&format!("{}/{name}", service.url));
            register(&suite, "ana", Address::WebPush(subscription)).await;
        }
        service.answers(|seen| status(if seen.path == "/old" { 410 } else { 201 }));
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let pruned = async {
            while devices_of(&suite, "ana").await > 1 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, pruned).await.expect("it is removed");
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let seen = service.sees(3).await;
        assert_eq!(seen.iter().filter(|seen| seen.path == "/old").count(), 1);
        suite.stop().await;
    }

    // D5
    async fn what_was_read_within_seconds_and_what_a_device_waited_for_that_is_gone_or_anothers_is_not_pushed(engine) {
        let service = Outside::open().await;
        let suite = reaching(engine, json!({}), 2_000).await;
        let [anas, bens, cems, shared] = [(); 4].map(|()| Browser::new());
        let mut ids = Vec::new();
        for (browser, name) in [(&anas, "ana"), (&bens, "ben"), (&cems, "cem"), (&shared, "dan")] {
            let subscription = browser.subscription(&format!("{}/{name}", service.url));
            ids.push(register(&suite, name, Address::WebPush(subscription)).await.device_id);
        }
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana", "ben", "cem", "dan"])]).await;
        let mut ana = person(&suite, "acme", "ana");
        read_all(&mut ana, 0).await;
        let mut ben = DeviceServiceClient::new(suite.client("acme", "ben", Role::Agent));
        ben.remove_device(pb::RemoveDeviceRequest { device_id: ids[1].clone() }).await.unwrap();
        // Somebody else signs in where dan did.
        let subscription = shared.subscription(&format!("{}/dan", service.url));
        register(&suite, "eve", Address::WebPush(subscription)).await;
        let seen = service.sees(1).await;
        assert_eq!(seen[0].path, "/cem");
        // What comes later comes after whatever was still on its way.
        notify(&mut ingest(&suite, "acme"), vec![mention(&["cem"])]).await;
        let paths: Vec<String> = service.sees(2).await.into_iter().map(|seen| seen.path).collect();
        assert_eq!(paths, ["/cem", "/cem"]);
        suite.stop().await;
    }
}
