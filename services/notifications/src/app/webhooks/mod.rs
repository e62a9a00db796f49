//! Webhooks: an organization's URLs are told what happens (D8).
//!
//! | file | use case |
//! |---|---|
//! | [`manage`] | an admin makes, reads, changes and deletes them |
//! | [`rotate`] | another secret |
//! | [`take`](mod@take) | what happened is kept, and becomes a delivery to each webhook that wants it |
//! | [`call`] | one signed call |
//! | [`carry`] | a delivery is carried: call, and what the answer means for the webhook |
//! | [`ping`] | a call on trial |
//! | [`replay`] | what happened is sent again |
//! | [`notice`] | admins learn that a webhook was disabled |
//! | [`forget`] | what happened is kept no longer |

pub mod call;
pub mod carry;
pub mod forget;
pub mod manage;
pub mod notice;
pub mod ping;
pub mod replay;
pub mod rotate;
pub mod take;

use db::Tx;
use serde::{Deserialize, Serialize};

use crate::domain::webhook::{Webhook, WebhookId};
use crate::error::Error;
use crate::store::webhooks;

pub use manage::Change;
pub use take::take;

/// What a delivery to a webhook carries: which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The event.
    pub event_id: kernel::EventId,
}

/// The webhook as the caller has seen it; nobody else changes it before the transaction ends.
async fn lock(tx: &mut Tx, id: WebhookId, expected: Option<i64>) -> Result<Webhook, Error> {
    let webhook = webhooks::lock(tx, id).await?.ok_or(Error::NoSuchWebhook)?;
    match expected {
        Some(expected) if expected != webhook.version => {
            Err(Error::StaleVersion { current: webhook.version })
        }
        _ => Ok(webhook),
    }
}
