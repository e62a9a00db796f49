//! To browsers.

use std::time::Duration;

use notifications::domain::delivery::Outcome;
use notifications::domain::device::{Address, BrowserKeys};
use notifications::domain::push::{Push, Urgency};
use serde_json::json;

use super::browser::{Browser, vapid};
use super::outside::{Outside, status};
use super::{CANARY, Sender, push};
use crate::support::NEW_YEAR;

fn address(browser: &Browser, endpoint: &str) -> Address {
    let subscription = browser.subscription(endpoint);
    let keys = BrowserKeys::parse(&subscription.p256dh, &subscription.auth).unwrap();
    Address::WebPush { endpoint: subscription.endpoint, keys }
}

// D5
#[test]
fn the_browser_reads_what_its_push_service_cannot() {
    testkit::run(async {
        let (sender, service, browser) = (Sender::with(|_, _| {}), Outside::open().await, Browser::new());
        let address = address(&browser, &format!("{}/to/device-1", service.url));
        let push = Push { urgency: Urgency::High, ttl: Duration::from_secs(300), ..push() };
        assert_eq!(sender.services.send(&address, &push).await, Outcome::Sent);

        let seen = &service.seen()[0];
        assert_eq!(seen.path, "/to/device-1");
        assert_eq!(
            (seen.header("ttl"), seen.header("urgency"), seen.header("topic")),
            ("300", "high", push.tag.as_str())
        );
        assert_eq!(seen.header("content-type"), "application/octet-stream");
        assert!(!seen.body.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
        assert!(!format!("{:?}", seen.headers).contains(CANARY));
        let expected = json!({
            "title": push.title, "body": "", "tag": push.tag, "kind": "single", "note_id": "n-1",
        });
        assert_eq!(browser.read(seen), expected);
    });
}

// D5
#[test]
fn the_push_service_learns_who_sends_and_the_token_is_good_there_only() {
    testkit::run(async {
        let (sender, browser) = (Sender::with(|_, _| {}), Browser::new());
        let services = [Outside::open().await, Outside::open().await];
        for service in &services {
            let address = address(&browser, &format!("{}/to/device-1", service.url));
            assert_eq!(sender.services.send(&address, &push()).await, Outcome::Sent);
        }
        for service in &services {
            let (claims, key) = vapid(&service.seen()[0]);
            assert_eq!(claims["aud"], service.url);
            assert!(claims["sub"].as_str().unwrap().starts_with("mailto:"));
            let left = claims["exp"].as_i64().unwrap() - NEW_YEAR.as_micros() / 1_000_000;
            assert!((3_600..=86_400).contains(&left), "{left} s");
            assert_eq!(key, sender.services.web_push.as_ref().unwrap().public_key());
        }
    });
}

// D5
#[test]
fn a_token_serves_many_pushes_and_is_made_anew_long_before_it_ends() {
    testkit::run(async {
        let (sender, service, browser) = (Sender::with(|_, _| {}), Outside::open().await, Browser::new());
        let address = address(&browser, &format!("{}/to/device-1", service.url));
        for hours in [0, 1, 8, 16] {
            sender.hand.set(NEW_YEAR.plus(Duration::from_secs(hours * 3_600)));
            assert_eq!(sender.services.send(&address, &push()).await, Outcome::Sent);
        }
        let seen = service.seen();
        let tokens: Vec<&str> = seen.iter().map(|seen| seen.header("authorization")).collect();
        assert_eq!(tokens[0], tokens[1]);
        assert!(tokens[1] != tokens[2] && tokens[2] != tokens[3]);
        for (seen, hours) in seen.iter().zip([0, 1, 8, 16]) {
            let now = NEW_YEAR.as_micros() / 1_000_000 + hours * 3_600;
            assert!(vapid(seen).0["exp"].as_i64().unwrap() > now + 3_600, "after {hours} h");
        }
    });
}

// D5
#[test]
fn what_a_push_service_answers_decides_what_becomes_of_the_push_and_of_the_device() {
    testkit::run(async {
        let (sender, service, browser) = (Sender::with(|_, _| {}), Outside::open().await, Browser::new());
        let elsewhere = Outside::open().await;
        let address = address(&browser, &format!("{}/to/device-1", service.url));
        for (code, expected) in [
            (200, "sent"),
            (201, "sent"),
            (202, "sent"),
            (204, "sent"),
            (404, "gone"),
            (410, "gone"),
            (408, "unreachable"),
            (429, "unreachable"),
            (500, "unreachable"),
            (502, "unreachable"),
            (503, "unreachable"),
            (400, "refused"),
            (401, "refused"),
            (403, "refused"),
            (413, "refused"),
            (301, "refused"),
            (302, "refused"),
            (307, "refused"),
            (308, "refused"),
        ] {
            let to = elsewhere.url.clone();
            service.answers(move |_| {
                let mut answer = status(code);
                answer.headers_mut().insert("location", to.parse().unwrap());
                answer
            });
            let outcome = sender.services.send(&address, &push()).await;
            let (became, why) = match &outcome {
                Outcome::Sent => ("sent", None),
                Outcome::Gone(why) => ("gone", Some(why)),
                Outcome::Unreachable { why, .. } => ("unreachable", Some(why)),
                Outcome::Refused(why) => ("refused", Some(why)),
                other => panic!("{code}: {other:?}"),
            };
            assert_eq!(became, expected, "{code}");
            assert!(why.is_none_or(|why| why.code() == Some(i64::from(code))), "{code}: {why:?}");
        }
        assert!(elsewhere.seen().is_empty(), "no redirect is followed");
    });
}

// D5 D7
#[test]
fn a_push_service_that_wants_to_be_left_alone_is_left_alone_for_so_long() {
    testkit::run(async {
        let (sender, service, browser) = (Sender::with(|_, _| {}), Outside::open().await, Browser::new());
        let address = address(&browser, &format!("{}/to/device-1", service.url));
        for code in [429, 503] {
            service.answers(move |_| {
                let mut answer = status(code);
                answer.headers_mut().insert("retry-after", "120".parse().unwrap());
                answer
            });
            let outcome = sender.services.send(&address, &push()).await;
            let Outcome::Unreachable { not_before, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(not_before, Some(NEW_YEAR.plus(Duration::from_secs(120))), "{code}");
        }
    });
}

// D5
#[test]
fn nobody_at_the_endpoint_means_later_and_a_private_address_never() {
    testkit::run(async {
        let (sender, browser) = (Sender::with(|_, _| {}), Browser::new());
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let outcome =
            sender.services.send(&address(&browser, &format!("http://{closed}/to/1")), &push()).await;
        assert!(matches!(outcome, Outcome::Unreachable { not_before: None, .. }), "{outcome:?}");

        let strict = egress::Egress::new(&egress::EgressSettings::default()).unwrap();
        let config = notifications::config::PushConfig::default();
        let clock = kernel::Clock::system();
        let services = notifications::peers::push::PushServices::open(
            &config,
            Some(sender.folder.path()),
            &strict,
            &clock,
        )
        .unwrap();
        let service = Outside::open().await;
        for endpoint in
            [service.url.clone(), service.url.replace("http:", "https:"), "https://10.0.0.1/to/1".to_owned()]
        {
            let outcome = services.send(&address(&browser, &endpoint), &push()).await;
            assert!(matches!(outcome, Outcome::Refused(_)), "{endpoint}: {outcome:?}");
        }
        assert!(service.seen().is_empty());
    });
}

// D5
#[test]
fn a_push_that_does_not_fit_is_refused_and_not_sent() {
    testkit::run(async {
        let (sender, service, browser) = (Sender::with(|_, _| {}), Outside::open().await, Browser::new());
        let address = address(&browser, &service.url);
        let outcome = sender.services.send(&address, &Push { body: "x".repeat(4_000), ..push() }).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        assert!(service.seen().is_empty());
    });
}
