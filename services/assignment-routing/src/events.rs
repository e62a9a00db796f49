//! What routing tells notifications: recorded with the effect, delivered by the relay.

use std::time::Duration;

use futures::future::BoxFuture;
use kernel::{ConversationId, EventId, OrgId, Timestamp};
use outbox::{Deliver, Event, Outcome, Outgoing, Undelivered};
use prost::Message;
use proto::common::v1::Actor;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::{NotificationEvent, NotificationType, NotifyRequest};
use rpc::Peer;

/// The name of the peer in the outbox.
pub const NOTIFICATIONS: &str = "notifications";

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// That a person is to be told about a conversation.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event.
    pub event: EventId,
    /// What it is about.
    pub about: NotificationType,
    /// The `sub` of who is told.
    pub recipient: String,
    /// Why, in a sentence; never content.
    pub reason: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who did it, where a person did.
    pub actor: Option<Actor>,
    /// When it happened.
    pub occur_time: Timestamp,
}

impl Told {
    /// The outbox event. Unordered: feeds take events in any order, and together they arrive sooner.
    #[must_use]
    pub fn event(self) -> Event {
        let kind = match self.about {
            NotificationType::Assigned => "assigned",
            NotificationType::Reopened => "reopened",
            _ => "told",
        };
        let message = NotificationEvent {
            event_id: self.event.to_string(),
            r#type: self.about.into(),
            recipient_subjects: vec![self.recipient],
            reason: self.reason,
            conversation_id: self.conversation.to_string(),
            note_id: String::new(),
            actor: self.actor,
            occur_time: Some(rpc::convert::proto_time(self.occur_time)),
        };
        Event {
            event_id: self.event,
            target: NOTIFICATIONS,
            kind,
            payload: message.encode_to_vec(),
            key: None,
        }
    }
}

/// Delivers to the notifications service: one call a batch, one outcome an event.
pub struct ToNotifications(Peer);

impl ToNotifications {
    /// A deliverer to this peer.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self(peer)
    }
}

impl Deliver for ToNotifications {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = IngestServiceClient::new(self.0.as_service(org, PATIENCE));
            let answer = client.notify(NotifyRequest { events: runtime::recorded(&batch)? }).await;
            runtime::delivered(batch.len(), answer, |answer| answer.outcomes)
        })
    }
}
