//! What the other services are told to remove (P12). Each answers what it has removed for an erasure so far, so that a call can be
//! repeated.

use std::time::Duration;

use erasure::{ErasureId, Removed};
use kernel::OrgId;
use proto::common::v1::ErasedCount;
use proto::notes::v1 as notes;
use proto::notes::v1::erasure_service_client::ErasureServiceClient as NotesClient;
use proto::notifications::v1 as notifications;
use proto::notifications::v1::erasure_service_client::ErasureServiceClient as NotificationsClient;
use proto::routing::v1 as routing;
use proto::routing::v1::erasure_service_client::ErasureServiceClient as RoutingClient;
use rpc::Peer;
use tonic::Status;

/// The peer that tells people.
pub(crate) const NOTIFICATIONS: &str = "notifications";

/// How long one call may take: it removes some thousand rows at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Conversations of one call: the most that the contracts take.
const PAGE: i32 = 100;

/// The services which keep something about contacts.
#[derive(Clone)]
pub(crate) struct Erasers {
    pub(crate) routing: Peer,
    pub(crate) notes: Peer,
    pub(crate) notifications: Peer,
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether nothing is left of what was asked about.
    pub(crate) done: bool,
    /// What it removed for this erasure, in all calls together.
    pub(crate) removed: Vec<Removed>,
}

impl Answer {
    fn new(done: bool, removed: Vec<ErasedCount>) -> Self {
        let removed = removed.into_iter().map(|it| Removed { kind: it.kind, count: it.count }).collect();
        Self { done, removed }
    }
}

impl Erasers {
    /// Routing removes conversations of these contacts.
    pub(crate) async fn routing(
        &self,
        org: &OrgId,
        erasure: ErasureId,
        contact_ids: Vec<String>,
    ) -> Result<Answer, Status> {
        let mut client = RoutingClient::new(self.routing.as_service(org, PATIENCE));
        let request = routing::EraseContactRequest { erasure_id: erasure.to_string(), contact_ids };
        let answer = client.erase_contact(request).await?.into_inner();
        Ok(Answer::new(answer.done, answer.removed))
    }

    /// A page of the conversations that routing removed, and the token of the next.
    pub(crate) async fn conversations(
        &self,
        org: &OrgId,
        erasure: ErasureId,
        page_token: String,
    ) -> Result<(Vec<String>, String), Status> {
        let mut client = RoutingClient::new(self.routing.as_service(org, PATIENCE));
        let erasure_id = erasure.to_string();
        let request = routing::ListErasedConversationsRequest { erasure_id, page_size: PAGE, page_token };
        let answer = client.list_erased_conversations(request).await?.into_inner();
        Ok((answer.conversation_ids, answer.next_page_token))
    }

    /// Notes removes what is about these conversations.
    pub(crate) async fn notes_of_conversations(
        &self,
        org: &OrgId,
        erasure: ErasureId,
        conversation_ids: Vec<String>,
    ) -> Result<Answer, Status> {
        let mut client = NotesClient::new(self.notes.as_service(org, PATIENCE));
        let erasure_id = erasure.to_string();
        let request = notes::EraseConversationsRequest { erasure_id, conversation_ids };
        let answer = client.erase_conversations(request).await?.into_inner();
        Ok(Answer::new(answer.done, answer.removed))
    }

    /// Notes removes what is about these contacts.
    pub(crate) async fn notes_of_contacts(
        &self,
        org: &OrgId,
        erasure: ErasureId,
        contact_ids: Vec<String>,
    ) -> Result<Answer, Status> {
        let mut client = NotesClient::new(self.notes.as_service(org, PATIENCE));
        let request = notes::EraseContactRequest { erasure_id: erasure.to_string(), contact_ids };
        let answer = client.erase_contact(request).await?.into_inner();
        Ok(Answer::new(answer.done, answer.removed))
    }

    /// Notifications removes what people were told about these conversations.
    pub(crate) async fn notifications(
        &self,
        org: &OrgId,
        erasure: ErasureId,
        conversation_ids: Vec<String>,
    ) -> Result<Answer, Status> {
        let mut client = NotificationsClient::new(self.notifications.as_service(org, PATIENCE));
        let erasure_id = erasure.to_string();
        let request = notifications::EraseConversationsRequest { erasure_id, conversation_ids };
        let answer = client.erase_conversations(request).await?.into_inner();
        Ok(Answer::new(answer.done, answer.removed))
    }
}
