//! To apps, through Firebase.

use std::time::Duration;

use notifications::domain::delivery::Outcome;
use notifications::domain::device::Address;
use notifications::domain::push::{Push, Urgency};
use serde_json::{Value, json};

use super::google::Google;
use super::outside::{self, status};
use super::{CANARY, Sender, push};
use crate::support::NEW_YEAR;

fn sender(google: &Google) -> Sender {
    let url = google.server.url.clone();
    Sender::with(|config, folder| {
        google.account(&folder.join("account.json"));
        config.fcm_service_account = Some(folder.join("account.json"));
        config.fcm_address = format!("{url}/");
    })
}

fn app() -> Address {
    Address::Fcm { token: "app:token_1-2".to_owned() }
}

// D5
#[test]
fn an_app_gets_a_message_in_the_name_of_the_service_account() {
    testkit::run(async {
        let google = Google::open().await;
        let sender = sender(&google);
        let urgent = Push {
            urgency: Urgency::High,
            ttl: Duration::from_secs(300),
            body: "sentence".to_owned(),
            ..push()
        };
        assert_eq!(sender.services.send(&app(), &urgent).await, Outcome::Sent);
        let (access, message) = google.messages().remove(0);
        assert_eq!(access, "token-1");
        let expires = (NEW_YEAR.as_micros() / 1_000_000 + 300).to_string();
        let expected = json!({
            "token": "app:token_1-2",
            "notification": {"title": urgent.title, "body": "sentence"},
            "data": {"kind": "single", "note_id": "n-1"},
            "android": {"priority": "HIGH", "ttl": "300s", "notification": {"tag": urgent.tag}},
            "apns": {
                "headers": {"apns-priority": "10", "apns-expiration": expires, "apns-collapse-id": urgent.tag},
                "payload": {"aps": {"sound": "default"}},
            },
        });
        assert_eq!(message, expected);

        let gathered = Push { tag: "gathered".to_owned(), replaces: true, ..push() };
        assert_eq!(sender.services.send(&app(), &gathered).await, Outcome::Sent);
        let (_, message) = google.messages().remove(1);
        assert_eq!(message["android"]["collapse_key"], "gathered");
        assert_eq!(message["android"]["priority"], "NORMAL");
    });
}

// D5
#[test]
fn an_access_token_serves_many_messages_and_is_replaced_before_it_ends() {
    testkit::run(async {
        let google = Google::open().await;
        let sender = sender(&google);
        let sent = futures_of(&sender, 8).await;
        assert!(sent.iter().all(|outcome| *outcome == Outcome::Sent), "{sent:?}");
        assert_eq!(google.tokens(), 1, "asked for once, however many wait for it");
        sender.hand.advance(Duration::from_secs(54 * 60));
        assert_eq!(sender.services.send(&app(), &push()).await, Outcome::Sent);
        assert_eq!(google.tokens(), 1);
        sender.hand.advance(Duration::from_secs(2 * 60));
        assert_eq!(sender.services.send(&app(), &push()).await, Outcome::Sent);
        assert_eq!(google.tokens(), 2);
        assert_eq!(google.messages().last().unwrap().0, "token-2");
    });
}

/// As many pushes at once.
async fn futures_of(sender: &Sender, count: usize) -> Vec<Outcome> {
    let (address, push) = (app(), push());
    let all = (0..count).map(|_| sender.services.send(&address, &push));
    futures::future::join_all(all).await
}

// D5
#[test]
fn what_fcm_answers_decides_what_becomes_of_the_push_and_of_the_device() {
    testkit::run(async {
        let google = Google::open().await;
        let sender = sender(&google);
        for (code, reason, expected) in [
            (404, "UNREGISTERED", "gone"),
            (404, "", "refused"),
            (403, "SENDER_ID_MISMATCH", "refused"),
            (400, "INVALID_ARGUMENT", "refused"),
            (429, "QUOTA_EXCEEDED", "unreachable"),
            (500, "INTERNAL", "unreachable"),
            (503, "UNAVAILABLE", "unreachable"),
        ] {
            google.refuses(code, reason);
            let outcome = sender.services.send(&app(), &push()).await;
            let (became, why) = match &outcome {
                Outcome::Gone(why) => ("gone", why),
                Outcome::Unreachable { why, .. } => ("unreachable", why),
                Outcome::Refused(why) => ("refused", why),
                other => panic!("{code} {reason}: {other:?}"),
            };
            assert_eq!((became, why.code()), (expected, Some(i64::from(code))), "{reason}");
            assert!(!why.text().contains(CANARY) && !why.text().contains("canary"), "{why:?}");
        }
        google.answers(|_| http::Response::builder().status(404).body("<html>".to_owned()).unwrap());
        assert!(
            matches!(sender.services.send(&app(), &push()).await, Outcome::Refused(_)),
            "no JSON is no UNREGISTERED"
        );
    });
}

// D5
#[test]
fn a_token_that_was_taken_back_is_asked_for_anew() {
    testkit::run(async {
        let google = Google::open().await;
        let sender = sender(&google);
        google.refuses(401, "UNAUTHENTICATED");
        let outcome = sender.services.send(&app(), &push()).await;
        assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
        google.answers(|_| outside::json(200, &json!({})));
        assert_eq!(sender.services.send(&app(), &push()).await, Outcome::Sent);
        assert_eq!(google.messages().last().unwrap().0, "token-2");
    });
}

// D5
#[test]
fn without_an_access_token_every_message_waits() {
    testkit::run(async {
        let google = Google::open().await;
        let sender = sender(&google);
        let refused = json!({"error": "invalid_grant", "error_description": "canary"});
        let strange: [(u16, Value); 4] = [
            (400, refused),
            (503, Value::Null),
            (200, json!({"access_token": ""})),
            (200, json!({"access_token": "a\r\nb"})),
        ];
        for (code, body) in strange {
            let answer = body.clone();
            google.server.answers(move |_| outside::json(code, &answer));
            let outcome = sender.services.send(&app(), &push()).await;
            assert!(matches!(outcome, Outcome::Unreachable { .. }), "{code} {body}: {outcome:?}");
            assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
        }
        google.server.answers(|_| {
            let mut answer = status(503);
            answer.headers_mut().insert("retry-after", "60".parse().unwrap());
            answer
        });
        let outcome = sender.services.send(&app(), &push()).await;
        let Outcome::Unreachable { not_before, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(not_before, Some(NEW_YEAR.plus(Duration::from_secs(60))));
        assert_eq!(google.messages(), []);
    });
}
