//! Web Push (RFC 8030): one request to the push service of one browser, which hands on what only the browser can read.

use bytes::Bytes;
use egress::Egress;
use http::{Request, StatusCode, header};
use kernel::{Clock, Malformed};

use super::vapid::Vapid;
use super::{answered, unanswered};
use crate::domain::delivery::{Outcome, Why};
use crate::domain::device::BrowserKeys;
use crate::domain::push::Push;
use crate::domain::push::encryption::{Fresh, seal};

/// What browsers are sent with.
#[derive(Debug)]
pub struct WebPush {
    egress: Egress,
    vapid: Vapid,
    clock: Clock,
}

impl WebPush {
    /// In the name of this key.
    pub fn new(egress: Egress, vapid: Vapid, clock: Clock) -> Self {
        Self { egress, vapid, clock }
    }

    /// What browsers subscribe with.
    pub fn public_key(&self) -> &str {
        self.vapid.public_key()
    }

    /// Makes sure that an endpoint is one that may be called.
    ///
    /// # Errors
    /// [`Malformed`], at `web_push.endpoint`.
    pub fn admit(&self, endpoint: &str) -> Result<(), Malformed> {
        self.egress.admit(endpoint).map(drop).map_err(|malformed| malformed.at("web_push.endpoint"))
    }

    /// Sends a push to a browser.
    pub async fn send(&self, endpoint: &str, keys: &BrowserKeys, push: &Push) -> Outcome {
        let request = match self.request(endpoint, keys, push) {
            Ok(request) => request,
            Err(why) => return Outcome::Refused(why),
        };
        let answer = match self.egress.send(request).await {
            Ok(answer) => answer,
            Err(failure) => return unanswered(failure),
        };
        match answer.status {
            // Not found, and gone: the person unsubscribed, or the browser is no more (RFC 8030, section 7.3).
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => {
                Outcome::Gone(Why::new("the subscription has ended").with_code(i64::from(status.as_u16())))
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Outcome::Refused(
                Why::new("the push service does not take our key: the browser subscribed with another one")
                    .with_code(i64::from(status.as_u16())),
            ),
            _ => answered(&answer, self.clock.now()),
        }
    }

    fn request(&self, endpoint: &str, keys: &BrowserKeys, push: &Push) -> Result<Request<Bytes>, Why> {
        let url = self.egress.admit(endpoint).map_err(|malformed| Why::new(malformed.reason().to_owned()))?;
        let authorization = self.vapid.authorization(&url.uri(), self.clock.now());
        let authorization = authorization.map_err(|_| Why::from("the key does not sign"))?;
        let fresh = Fresh::random().map_err(|unsealed| Why::new(unsealed.to_string()))?;
        let body = seal(&push.payload(), keys, fresh).map_err(|unsealed| Why::new(unsealed.to_string()))?;
        Request::post(url.uri())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header("ttl", push.ttl.as_secs())
            .header("urgency", push.urgency.as_str())
            .header("topic", &push.tag)
            .body(Bytes::from(body))
            .map_err(|_| Why::from("the endpoint is no URL"))
    }
}
