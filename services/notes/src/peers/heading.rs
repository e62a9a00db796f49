//! What is said of a conversation itself, and what its customer is called.

use kernel::ConversationId;
use proto::contacts::v1::GetContactRequest;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::routing::v1 as pb;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use rpc::{Call, Fault};
use tonic::Code;

use super::{Peers, refused};
use crate::error::Error;

impl Peers {
    /// The conversation, as routing says it.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is none, or that routing does not answer (in time).
    pub async fn conversation(&self, call: &Call, id: ConversationId) -> Result<pb::Conversation, Error> {
        let mut routing = ConversationServiceClient::new(self.routing.on_behalf(call));
        let request = pb::GetConversationRequest { conversation_id: id.to_string() };
        let answer = routing.get_conversation(request).await.map_err(refused)?.into_inner();
        let absent = || Error::Routing(Fault::internal("routing answers without a conversation"));
        answer.conversation.ok_or_else(absent)
    }

    /// What a contact is called; nothing if they are gone, as conversations outlive them.
    ///
    /// # Errors
    /// [`Error::Contacts`] if contacts does not answer (in time).
    pub async fn find_contact_name(&self, call: &Call, contact_id: &str) -> Result<Option<String>, Error> {
        let mut contacts = ContactServiceClient::new(self.contacts.on_behalf(call));
        let request = GetContactRequest { contact_id: contact_id.to_owned() };
        match contacts.get_contact(request).await {
            Ok(answer) => Ok(answer.into_inner().contact.map(|contact| contact.display_name)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(Error::Contacts(Fault::from_peer(status))),
        }
    }
}
