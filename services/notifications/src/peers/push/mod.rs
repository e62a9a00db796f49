//! Push services: what is sent to devices, in whose name, and what their answers mean.
//!
//! | module | story |
//! |---|---|
//! | [`web_push`] | one request to the push service of one browser |
//! | [`vapid`] | in whose name: the suite's own key |
//! | [`fcm`] | one message to one app through Firebase |
//! | [`account`] | in whose name: a service account of Google |

pub mod account;
pub mod fcm;
pub mod vapid;
pub mod web_push;

use std::path::Path;

use egress::{Answer, Egress, Failure};
use http::StatusCode;
use kernel::{Clock, Timestamp};

use self::account::{Account, BadAccount};
use self::fcm::Fcm;
use self::vapid::{BadKey, Vapid};
use self::web_push::WebPush;
use crate::config::PushConfig;
use crate::domain::delivery::{Channel, Outcome, Why};
use crate::domain::device::Address;
use crate::domain::push::Push;

/// The push services that this process can send to.
#[derive(Debug, Default)]
pub struct PushServices {
    /// Browsers'; none without a key.
    pub web_push: Option<WebPush>,
    /// Firebase; none without an account.
    pub fcm: Option<Fcm>,
}

/// A setting cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("push.{key}: {reason}")]
pub struct Unusable {
    key: &'static str,
    reason: String,
}

fn unusable(key: &'static str, reason: impl std::fmt::Display) -> Unusable {
    Unusable { key, reason: reason.to_string() }
}

impl PushServices {
    /// Reads the keys that the configuration names. `development` is the folder of the development key, where people's tokens are of
    /// one as well.
    ///
    /// # Errors
    /// [`Unusable`], naming the setting.
    pub fn open(
        config: &PushConfig,
        development: Option<&Path>,
        egress: &Egress,
        clock: &Clock,
    ) -> Result<Self, Unusable> {
        let vapid = match (&config.vapid_key, development) {
            (Some(file), _) => Some(configured(file, config.vapid_contact.as_deref())?),
            (None, Some(folder)) => {
                Some(Vapid::load_or_make(folder).map_err(|error| unusable("vapid_key", error))?)
            }
            (None, None) => None,
        };
        let account = config.fcm_service_account.as_deref().map(|file| {
            let named =
                |error: BadAccount| unusable("fcm_service_account", format!("{} {error}", file.display()));
            Account::load(file).map_err(named)
        });
        egress.admit(&config.fcm_address).map_err(|malformed| unusable("fcm_address", malformed.reason()))?;
        let fcm =
            account.transpose()?.map(|it| Fcm::new(egress.clone(), it, &config.fcm_address, clock.clone()));
        let web_push = vapid.map(|vapid| WebPush::new(egress.clone(), vapid, clock.clone()));
        Ok(Self { web_push, fcm })
    }

    /// The channels that it can send by.
    pub fn channels(&self) -> impl Iterator<Item = Channel> {
        let web_push = self.web_push.as_ref().map(|_| Channel::WebPush);
        web_push.into_iter().chain(self.fcm.as_ref().map(|_| Channel::Fcm))
    }

    /// Sends a push to a device.
    pub async fn send(&self, address: &Address, push: &Push) -> Outcome {
        let unable = || Outcome::Refused("this kind of push is not set up (any more)".into());
        match address {
            Address::WebPush { endpoint, keys } => match &self.web_push {
                Some(web_push) => web_push.send(endpoint, keys, push).await,
                None => unable(),
            },
            Address::Fcm { token } => match &self.fcm {
                Some(fcm) => fcm.send(token, push).await,
                None => unable(),
            },
        }
    }
}

/// The key that the operator named.
fn configured(file: &Path, contact: Option<&str>) -> Result<Vapid, Unusable> {
    Vapid::load(file, contact.unwrap_or_default()).map_err(|error| match error {
        BadKey::NoContact => unusable("vapid_contact", error),
        error => unusable("vapid_key", format!("{} {error}", file.display())),
    })
}

/// What an answer means that says nothing of the device itself.
fn answered(answer: &Answer, now: Timestamp) -> Outcome {
    let status = answer.status;
    let why = |text: &'static str| Why::new(text).with_code(i64::from(status.as_u16()));
    match status {
        status if status.is_success() => Outcome::Sent,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            unreachable(why("the push service asks to wait"), answer, now)
        }
        status if status.is_server_error() => unreachable(why("the push service fails"), answer, now),
        _ => Outcome::Refused(why("the push service refuses")),
    }
}

fn unreachable(why: Why, answer: &Answer, now: Timestamp) -> Outcome {
    Outcome::Unreachable { why, not_before: answer.retry_after(now).map(|wait| now.plus(wait)) }
}

/// What it means that no answer came.
fn unanswered(failure: Failure) -> Outcome {
    let why = Why::new(failure.as_str());
    match failure.is_refusal() {
        true => Outcome::Refused(why),
        false => Outcome::Unreachable { why, not_before: None },
    }
}
