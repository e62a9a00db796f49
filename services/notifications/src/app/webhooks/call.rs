//! One signed call of a webhook.

use bytes::Bytes;
use egress::Failure;
use http::{Request, header};
use kernel::Timestamp;
use rpc::convert::proto_time;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::webhook::Webhook;
use crate::domain::webhook_call::Answered;

/// The field in which a webhook that asked for it finds what a note says.
const PRIVATE_TEXT: &str = "private_text";

/// What is sent.
#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Map<String, Value>,
}

/// The body of a call: the same bytes at each attempt. None if what is kept is no JSON object.
pub(super) fn body(
    kind: &str,
    occur_time: Timestamp,
    data: &str,
    private_text: Option<&str>,
) -> Option<Vec<u8>> {
    let mut data: Map<String, Value> = serde_json::from_str(data).ok()?;
    if let Some(text) = private_text {
        data.insert(PRIVATE_TEXT.to_owned(), Value::from(text));
    }
    let timestamp = proto_time(occur_time).to_string();
    serde_json::to_vec(&Payload { r#type: kind, timestamp, data }).ok()
}

impl App {
    /// Calls a webhook with a message: its id, the same at each attempt, and its body. No transaction is open meanwhile.
    pub(super) async fn call_webhook(&self, webhook: &Webhook, id: &str, body: Vec<u8>) -> Answered {
        let now = self.clock.now();
        let Ok(url) = self.egress.admit(&webhook.terms.url) else {
            return Answered::Nothing("the URL may not be called");
        };
        let request = Request::post(url.uri())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_micros().div_euclid(1_000_000))
            .header("webhook-signature", webhook.secrets.sign(id, now, &body))
            .body(Bytes::from(body));
        let Ok(request) = request else { return Answered::Nothing("the URL may not be called") };
        match self.egress.send(request).await {
            Ok(answer) => Answered::Status(answer.status.as_u16(), answer.retry_after(self.clock.now())),
            Err(failure) => Answered::Nothing(words(failure)),
        }
    }
}

/// In words for an admin; nothing of the address.
fn words(failure: Failure) -> &'static str {
    match failure {
        Failure::BadUrl => "the URL may not be called",
        Failure::SpecialAddress => "the host has no address on the public internet",
        Failure::Unresolved => "the host name does not resolve",
        Failure::Unconnected => "no connection",
        Failure::Tls => "the certificate or TLS is not acceptable",
        Failure::Timeout => "no answer in time",
        Failure::Broken => "the connection broke before an answer came",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D8
    #[test]
    fn a_body_says_what_happened_when_and_to_what_and_private_text_only_if_there_is_some() {
        let time = Timestamp::from_micros(1_735_689_600_000_000);
        let public = body("note.created", time, r#"{"note_id":"1","revision":1}"#, None).unwrap();
        assert_eq!(
            String::from_utf8(public).unwrap(),
            r#"{"type":"note.created","timestamp":"2025-01-01T00:00:00Z","data":{"note_id":"1","revision":1}}"#
        );
        let private = body("note.created", time, r#"{"note_id":"1"}"#, Some("call \"Eve\"")).unwrap();
        let private: Value = serde_json::from_slice(&private).unwrap();
        assert_eq!(private["data"][PRIVATE_TEXT], "call \"Eve\"");
        assert_eq!(body("note.created", time, "[]", None), None);
    }
}
