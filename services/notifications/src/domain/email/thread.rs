//! Ids of emails, by which mail programs know a repeat and put what belongs together into one thread.

use kernel::ConversationId;

use crate::domain::delivery::DeliveryId;

/// The `Message-ID` of a delivery: the same at each attempt, so that an email that was sent twice is shown once. `domain` is that of the
/// sender.
pub fn message_id(delivery: DeliveryId, domain: &str) -> String {
    format!("<{delivery}@{domain}>")
}

/// The email that all emails about a conversation answer. It was never sent: mail programs need no more than the same id in each.
pub fn root_id(conversation: ConversationId, domain: &str) -> String {
    format!("<conversation.{conversation}@{domain}>")
}
