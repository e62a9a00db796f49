//! The device registry, over the wire.

use std::time::Duration;

use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1 as pb;
use proto::notifications::v1::admin_service_client::AdminServiceClient;
use proto::notifications::v1::device_service_client::DeviceServiceClient;
use proto::notifications::v1::register_device_request::Address;
use rpc::convert::time_of;
use rpc::reason_of;
use testkit::{Client, Suite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

type Devices = DeviceServiceClient<Client>;

// Of the example of RFC 8291.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn devices(suite: &Suite, org: &str, subject: &str) -> Devices {
    DeviceServiceClient::new(suite.client(org, subject, Role::Agent))
}

fn browser(endpoint: &str) -> pb::RegisterDeviceRequest {
    let (endpoint, p256dh, auth) = (endpoint.to_owned(), P256DH.to_owned(), AUTH.to_owned());
    let address = Some(Address::WebPush(pb::WebPushSubscription { endpoint, p256dh, auth }));
    pb::RegisterDeviceRequest { address, display_name: "Firefox".to_owned() }
}

fn app(token: &str) -> pb::RegisterDeviceRequest {
    let address = Some(Address::Fcm(pb::FcmRegistration { registration_token: token.to_owned() }));
    pb::RegisterDeviceRequest { address, display_name: String::new() }
}

async fn register(devices: &mut Devices, request: pb::RegisterDeviceRequest) -> pb::Device {
    devices.register_device(request).await.unwrap().into_inner().device.unwrap()
}

async fn refused(devices: &mut Devices, request: pb::RegisterDeviceRequest) -> Status {
    devices.register_device(request).await.unwrap_err()
}

async fn list_devices(devices: &mut Devices) -> Vec<pb::Device> {
    devices.list_devices(pb::ListDevicesRequest::default()).await.unwrap().into_inner().devices
}

async fn remove(devices: &mut Devices, id: &str) -> Result<(), Code> {
    let request = pb::RemoveDeviceRequest { device_id: id.to_owned() };
    devices.remove_device(request).await.map(drop).map_err(|status| status.code())
}

/// What was done with devices, oldest first: the action, by whom, on which.
async fn deeds(suite: &Suite) -> Vec<(String, String, String)> {
    let mut admin = AdminServiceClient::new(suite.client("acme", "root", Role::Admin));
    let events =
        admin.list_audit_events(pb::ListAuditEventsRequest::default()).await.unwrap().into_inner().events;
    let of_devices = events.into_iter().filter(|it| it.action.starts_with("device."));
    let mut deeds: Vec<_> = of_devices.map(|it| (it.action, it.actor_subject, it.object_id)).collect();
    deeds.reverse();
    deeds
}

testkit::on_both_databases! {
    // D5
    async fn a_device_is_registered_listed_and_removed(engine) {
        let suite = suite(engine).await;
        let mut ana = devices(&suite, "acme", "ana");
        let device = register(&mut ana, browser("https://Push.Example:8443/to/1")).await;
        assert_eq!((device.kind(), device.display_name.as_str()), (pb::DeviceKind::WebPush, "Firefox"));
        assert_eq!(device.push_service, "push.example");
        assert_eq!(device.create_time, device.register_time);
        assert_eq!(list_devices(&mut ana).await, std::slice::from_ref(&device));
        assert_eq!(remove(&mut ana, &device.device_id).await, Ok(()));
        assert_eq!(list_devices(&mut ana).await, []);
        assert_eq!(remove(&mut ana, &device.device_id).await, Err(Code::NotFound));
        let deed = |action: &str| (action.to_owned(), "ana".to_owned(), device.device_id.clone());
        assert_eq!(deeds(&suite).await, [deed("device.register"), deed("device.remove")]);
        suite.stop().await;
    }

    // D5
    async fn registered_again_it_is_the_same_device(engine) {
        let suite = suite_at_new_year(engine).await;
        let mut ana = devices(&suite, "acme", "ana");
        let first = register(&mut ana, browser("https://push.example/to/1")).await;
        let other = register(&mut ana, browser("https://push.example/to/2")).await;
        suite.hand().advance(Duration::from_secs(60));
        let again = pb::RegisterDeviceRequest { display_name: String::new(), ..browser("https://push.example/to/1") };
        let again = register(&mut ana, again).await;
        let time = |time: Option<prost_types::Timestamp>| time_of("time", &time.unwrap()).unwrap();
        assert_eq!((&again.device_id, again.create_time), (&first.device_id, first.create_time));
        assert_eq!(time(again.register_time), time(first.register_time).plus(Duration::from_secs(60)));
        assert_eq!(again.display_name, "");
        assert_eq!(list_devices(&mut ana).await, [again, other], "the one that was registered last is first");
        assert_eq!(deeds(&suite).await.len(), 2, "it is nothing new");
        suite.stop().await;
    }

    // D5 P1
    async fn a_device_on_which_somebody_else_signs_in_is_theirs_and_a_new_one(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ben) = (devices(&suite, "acme", "ana"), devices(&suite, "acme", "ben"));
        let shared = browser("https://push.example/to/shared");
        let anas = register(&mut ana, shared.clone()).await;
        let bens = register(&mut ben, shared.clone()).await;
        assert_ne!(anas.device_id, bens.device_id, "what waits for the one must not reach the other");
        assert_eq!(list_devices(&mut ana).await, []);
        assert_eq!(list_devices(&mut ben).await, [bens]);
        // The same browser in another organization is that one's matter.
        let mut eve = devices(&suite, "umbrella", "eve");
        let eves = register(&mut eve, shared).await;
        assert_eq!(list_devices(&mut eve).await, [eves]);
        assert_eq!(list_devices(&mut ben).await.len(), 1);
        suite.stop().await;
    }

    // D5 P7
    async fn devices_are_listed_page_by_page(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ben) = (devices(&suite, "acme", "ana"), devices(&suite, "acme", "ben"));
        for number in 0..5 {
            register(&mut ana, browser(&format!("https://push.example/to/{number}"))).await;
        }
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        for expected in [2, 2, 1] {
            let request = pb::ListDevicesRequest { page_size: 2, page_token };
            let foreign = ben.list_devices(request.clone()).await;
            assert_eq!(foreign.is_err(), !request.page_token.is_empty(), "a token is good for its owner only");
            let page = ana.list_devices(request).await.unwrap().into_inner();
            assert_eq!(page.devices.len(), expected);
            listed.extend(page.devices);
            page_token = page.next_page_token;
        }
        assert_eq!((page_token.as_str(), listed), ("", list_devices(&mut ana).await));
        suite.stop().await;
    }

    // D5 P1
    async fn another_persons_device_is_as_one_that_never_was(engine) {
        let suite = suite(engine).await;
        let device = register(&mut devices(&suite, "acme", "ana"), browser("https://push.example/to/1")).await;
        for (org, subject) in [("acme", "ben"), ("umbrella", "ana")] {
            let mut other = devices(&suite, org, subject);
            assert_eq!(list_devices(&mut other).await, []);
            assert_eq!(remove(&mut other, &device.device_id).await, Err(Code::NotFound));
        }
        assert_eq!(list_devices(&mut devices(&suite, "acme", "ana")).await, [device]);
        suite.stop().await;
    }

    // D5
    async fn of_more_than_twenty_devices_the_one_registered_longest_ago_goes(engine) {
        let suite = suite_at_new_year(engine).await;
        let (mut ana, mut ben) = (devices(&suite, "acme", "ana"), devices(&suite, "acme", "ben"));
        let bens = register(&mut ben, browser("https://push.example/ben")).await;
        let mut registered = Vec::new();
        for number in 0..23 {
            suite.hand().advance(Duration::from_secs(1));
            registered.push(register(&mut ana, browser(&format!("https://push.example/to/{number}"))).await.device_id);
        }
        let left: Vec<String> = list_devices(&mut ana).await.into_iter().rev().map(|it| it.device_id).collect();
        assert_eq!(left, registered[3..]);
        assert_eq!(list_devices(&mut ben).await, [bens]);
        let removed: Vec<String> =
            deeds(&suite).await.into_iter().filter(|it| it.0 == "device.remove").map(|it| it.2).collect();
        assert_eq!(removed, registered[..3]);
        suite.stop().await;
    }

    // D5 D9
    async fn a_device_that_is_not_registered_again_for_270_days_goes(engine) {
        let mut suite = suite_at_new_year(engine).await;
        let day = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        register(&mut devices(&suite, "acme", "ana"), browser("https://push.example/to/1")).await;
        register(&mut devices(&suite, "umbrella", "eve"), browser("https://push.example/to/1")).await;
        suite.hand().advance(day(200));
        let kept = register(&mut devices(&suite, "acme", "ana"), browser("https://push.example/to/2")).await;
        suite.hand().advance(day(70));
        // Looked for at the start.
        suite.restart().await;
        let mut ana = devices(&suite, "acme", "ana");
        assert_eq!(list_devices(&mut ana).await.len(), 2, "270 days are not over");
        suite.hand().advance(Duration::from_secs(60 * 60));
        suite.restart().await;
        let (mut ana, mut eve) = (devices(&suite, "acme", "ana"), devices(&suite, "umbrella", "eve"));
        let gone = async {
            while list_devices(&mut ana).await.len() > 1 || !list_devices(&mut eve).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("they go");
        assert_eq!(list_devices(&mut ana).await, [kept]);
        assert_eq!(deeds(&suite).await.last().unwrap().1, "notifications");
        suite.stop().await;
    }

    // D5 P8
    async fn what_is_no_address_is_refused_with_its_field(engine) {
        let suite = suite(engine).await;
        let mut ana = devices(&suite, "acme", "ana");
        let with = |change: fn(&mut pb::WebPushSubscription)| {
            let mut request = browser("https://push.example/to/1");
            let Some(Address::WebPush(subscription)) = &mut request.address else { unreachable!() };
            change(subscription);
            request
        };
        let cases = [
            ("address", pb::RegisterDeviceRequest::default()),
            ("web_push.endpoint", with(|it| it.endpoint.clear())),
            ("web_push.endpoint", with(|it| it.endpoint = "http://push.example/to/1".into())),
            ("web_push.endpoint", with(|it| it.endpoint = "ftp://push.example/to/1".into())),
            ("web_push.endpoint", with(|it| it.endpoint = "https://ana:secret@push.example/to/1".into())),
            ("web_push.endpoint", with(|it| it.endpoint = "https://127.0.0.1/to/1".into())),
            ("web_push.endpoint", with(|it| it.endpoint = "https://[::1]:8443/to/1".into())),
            ("web_push.endpoint", with(|it| it.endpoint = format!("https://push.example/{}", "a".repeat(2048)))),
            ("web_push.p256dh", with(|it| it.p256dh.clear())),
            ("web_push.p256dh", with(|it| it.p256dh = it.p256dh.replace("BCVx", "BCVy"))),
            ("web_push.auth", with(|it| it.auth.clear())),
            ("web_push.auth", with(|it| it.auth.push('A'))),
            ("fcm.registration_token", app("")),
            ("fcm.registration_token", app("a b")),
            ("display_name", pb::RegisterDeviceRequest { display_name: "x".repeat(101), ..browser("https://push.example/1") }),
        ];
        for (field, request) in cases {
            let status = refused(&mut ana, request.clone()).await;
            assert_eq!(status.code(), Code::InvalidArgument, "{request:?}: {status:?}");
            let broken = status.get_details_bad_request().unwrap().field_violations;
            assert!(broken.iter().any(|it| it.field == field), "{field}: {broken:?}");
            assert!(!status.message().contains("secret"), "{status:?}");
        }
        assert_eq!(list_devices(&mut ana).await, []);
        suite.stop().await;
    }

    // D5 P8
    async fn a_kind_of_push_that_is_not_set_up_is_refused_by_name(engine) {
        let suite = suite(engine).await;
        let status = refused(&mut devices(&suite, "acme", "ana"), app("token")).await;
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason_of(&status), Some(ErrorReason::ChannelNotConfigured));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["channel"], "FCM");
        assert!(status.message().contains("notifications.push.fcm_service_account"), "{status:?}");
        suite.stop().await;
    }

    // D5
    async fn browsers_subscribe_with_one_key_that_outlives_a_restart(engine) {
        let mut suite = suite(engine).await;
        let key = async |suite: &Suite| {
            let mut ana = devices(suite, "acme", "ana");
            ana.get_web_push_key(pb::GetWebPushKeyRequest {}).await.unwrap().into_inner().public_key
        };
        let before = key(&suite).await;
        let bytes = URL_SAFE_NO_PAD.decode(&before).unwrap();
        assert_eq!((bytes.len(), bytes[0]), (65, 4));
        suite.restart().await;
        assert_eq!(key(&suite).await, before);
        suite.stop().await;
    }
}
