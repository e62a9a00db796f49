//! Firebase Cloud Messaging, HTTP v1: one message for one token, in the name of a service account.

use bytes::Bytes;
use egress::{Answer, Egress};
use http::{Request, StatusCode, header};
use kernel::Clock;
use serde::Deserialize;
use serde_json::json;

use super::account::{Account, NoToken};
use super::{answered, unanswered};
use crate::domain::delivery::{Outcome, Why};
use crate::domain::push::{Push, Urgency};

/// What an app's token of FCM is sent with.
#[derive(Debug)]
pub struct Fcm {
    egress: Egress,
    account: Account,
    /// Where messages are sent.
    address: String,
    clock: Clock,
}

/// Why FCM did not take a message, as far as we read it.
#[derive(Deserialize)]
struct Refusal {
    error: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default, rename = "errorCode")]
    code: String,
}

impl Fcm {
    /// With this account, at this address.
    pub fn new(egress: Egress, account: Account, address: &str, clock: Clock) -> Self {
        let address =
            format!("{}/v1/projects/{}/messages:send", address.trim_end_matches('/'), account.project());
        Self { egress, account, address, clock }
    }

    /// Sends a push to the app with this token.
    pub async fn send(&self, token: &str, push: &Push) -> Outcome {
        let access = match self.account.token(&self.egress, self.clock.now()).await {
            Ok(access) => access,
            Err(NoToken::NoAnswer(failure)) => return unanswered(failure),
            Err(NoToken::Answered(answer)) => return self.without_token(&answer),
            Err(NoToken::Unreadable) => {
                return Outcome::Unreachable { why: "no access token".into(), not_before: None };
            }
        };
        let request = Request::post(&self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {access}"))
            .body(Bytes::from(self.message(token, push)));
        let Ok(request) = request else { return Outcome::Refused("the address of FCM is no URL".into()) };
        match self.egress.send(request).await {
            Ok(answer) => self.outcome(&answer).await,
            Err(failure) => unanswered(failure),
        }
    }

    /// What FCM reads: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>.
    fn message(&self, token: &str, push: &Push) -> String {
        let urgent = push.urgency == Urgency::High;
        let expires = self.clock.now().plus(push.ttl).as_micros().div_euclid(1_000_000);
        let mut android = json!({
            "priority": if urgent { "HIGH" } else { "NORMAL" },
            "ttl": format!("{}s", push.ttl.as_secs()),
            "notification": {"tag": push.tag},
        });
        if push.replaces {
            // A device keeps four of these at most: only what does replace something has one.
            android["collapse_key"] = json!(push.tag);
        }
        let message = json!({"message": {
            "token": token,
            "notification": {"title": push.title, "body": push.body},
            "data": push.data,
            "android": android,
            "apns": {
                "headers": {
                    "apns-priority": if urgent { "10" } else { "5" },
                    "apns-expiration": expires.to_string(),
                    "apns-collapse-id": push.tag,
                },
                "payload": {"aps": {"sound": "default"}},
            },
        }});
        message.to_string()
    }

    async fn outcome(&self, answer: &Answer) -> Outcome {
        match (answer.status, code(answer).as_str()) {
            (StatusCode::NOT_FOUND, "UNREGISTERED") => {
                Outcome::Gone(Why::new("UNREGISTERED").with_code(i64::from(answer.status.as_u16())))
            }
            (StatusCode::NOT_FOUND, _) => Outcome::Refused(
                Why::new("FCM knows no such project").with_code(i64::from(answer.status.as_u16())),
            ),
            // A token that was taken back before its time: the next attempt has a new one.
            (StatusCode::UNAUTHORIZED, _) => {
                self.account.forget().await;
                Outcome::Again { why: Why::new("UNAUTHENTICATED").with_code(401), not_before: None }
            }
            (_, "SENDER_ID_MISMATCH") => {
                Outcome::Refused(Why::new("SENDER_ID_MISMATCH").with_code(i64::from(answer.status.as_u16())))
            }
            _ => answered(answer, self.clock.now()),
        }
    }

    /// The token endpoint said no: the account is disabled, or it has too much to do. All devices wait for it.
    fn without_token(&self, answer: &Answer) -> Outcome {
        let not_before = answer.retry_after(self.clock.now()).map(|wait| self.clock.now().plus(wait));
        let why =
            Why::new("the service account gets no access token").with_code(i64::from(answer.status.as_u16()));
        Outcome::Unreachable { why, not_before }
    }
}

/// FCM's own code of a refusal; empty if there is none.
fn code(answer: &Answer) -> String {
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let details = refusal.map(|refusal| refusal.error.details).unwrap_or_default();
    details.into_iter().map(|detail| detail.code).find(|code| !code.is_empty()).unwrap_or_default()
}
