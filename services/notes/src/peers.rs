//! What this service asks others, as the person for whom it works.

pub mod heading;
pub mod history;

use kernel::{AgentId, ContactId, ConversationId, Subject};
use proto::contacts::v1::GetContactRequest;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::routing::v1 as pb;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::directory_service_client::DirectoryServiceClient;
use rpc::{Call, Fault, Peer};
use tonic::Status;

use crate::domain::internal_address::Recipient;
use crate::domain::internal_message::Person;
use crate::domain::{Directory, Handle, Kind, Resolved};
use crate::error::Error;

/// The peer that keeps contacts.
pub const CONTACTS: &str = "contacts";

/// The services that are asked.
#[derive(Clone)]
pub struct Peers {
    routing: Peer,
    contacts: Peer,
}

impl Peers {
    /// Questions go to these services.
    pub fn new(routing: Peer, contacts: Peer) -> Self {
        Self { routing, contacts }
    }

    /// Whose conversation this is: makes sure that there is one and that the caller may see it. Of a conversation that followed a merge
    /// of contacts: whose it was, so that what is written about it returns with it.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is none, or that routing does not answer (in time).
    pub async fn contact_of(&self, call: &Call, id: ConversationId) -> Result<ContactId, Error> {
        let mut routing = ConversationServiceClient::new(self.routing.on_behalf(call));
        let request = pb::GetConversationRequest { conversation_id: id.to_string() };
        let answer = routing.get_conversation(request).await.map_err(refused)?.into_inner();
        let conversation = answer.conversation.unwrap_or_default();
        let contact_id = match conversation.first_contact_id.as_str() {
            "" => conversation.contact_id,
            first => first.to_owned(),
        };
        ContactId::parse(&contact_id).map_err(|_| {
            Error::Routing(Fault::internal("routing answers without the conversation's contact"))
        })
    }

    /// Makes sure that there is this contact and that the caller may see it.
    ///
    /// # Errors
    /// [`Error::Contacts`]: NOT_FOUND if there is none, or that contacts does not answer (in time).
    pub async fn require_contact(&self, call: &Call, id: ContactId) -> Result<(), Error> {
        let mut contacts = ContactServiceClient::new(self.contacts.on_behalf(call));
        let request = GetContactRequest { contact_id: id.to_string() };
        let answer = contacts.get_contact(request).await;
        answer.map(drop).map_err(|status| Error::Contacts(Fault::from_peer(status)))
    }

    /// Who has this conversation, if somebody has.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is no such conversation, or that routing does not answer (in time).
    pub async fn find_assignee(&self, call: &Call, id: ConversationId) -> Result<Option<Person>, Error> {
        let mut routing = ConversationServiceClient::new(self.routing.on_behalf(call));
        let request = pb::GetConversationRequest { conversation_id: id.to_string() };
        let answer = routing.get_conversation(request).await.map_err(refused)?.into_inner();
        let assignee = answer.conversation.and_then(|conversation| conversation.assignee);
        assignee.map(|it| person(&it.subject, it.display_name, it.username)).transpose()
    }

    /// The person with this id, and their role. Without an id nobody is asked.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is nobody with it, or that routing does not answer (in time).
    pub async fn find_recipient(&self, call: &Call, id: Option<AgentId>) -> Result<Option<Recipient>, Error> {
        let Some(id) = id else { return Ok(None) };
        let mut routing = AgentServiceClient::new(self.routing.on_behalf(call));
        let request = pb::GetAgentRequest { agent_id: id.to_string() };
        let answer = routing.get_agent(request).await.map_err(refused)?.into_inner();
        let absent = || Error::Routing(Fault::internal("routing answers without an agent"));
        let it = answer.agent.ok_or_else(absent)?;
        let role = rpc::convert::role_of("role", it.role).map_err(Error::Routing)?;
        Ok(Some(Recipient { person: person(&it.subject, it.display_name, it.username)?, role }))
    }

    /// The agent with this username; none if nobody or a team has the name.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing does not answer (in time).
    pub async fn find_agent(&self, call: &Call, username: &Handle) -> Result<Option<Person>, Error> {
        let mut routing = DirectoryServiceClient::new(self.routing.on_behalf(call));
        let request = pb::ResolveHandlesRequest { handles: vec![username.as_str().to_owned()] };
        let answer = routing.resolve_handles(request).await.map_err(refused)?.into_inner();
        let named = answer.handles.into_iter().find(|named| named.kind() == pb::HandleKind::Agent);
        let agent = named.and_then(|named| named.people.into_iter().next());
        agent.map(|it| person(&it.subject, it.display_name, it.username)).transpose()
    }

    /// What these handles name. Without handles nobody is asked.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing does not answer (in time).
    pub async fn resolve(&self, call: &Call, handles: &[Handle]) -> Result<Directory, Error> {
        if handles.is_empty() {
            return Ok(Directory::new());
        }
        let mut routing = DirectoryServiceClient::new(self.routing.on_behalf(call));
        let asked = handles.iter().map(|handle| handle.as_str().to_owned()).collect();
        let answer = routing.resolve_handles(pb::ResolveHandlesRequest { handles: asked }).await;
        let answer = answer.map_err(refused)?.into_inner().handles;
        let mut directory = Directory::with_capacity(handles.len());
        for named in answer {
            let Some(handle) = handles.iter().find(|handle| handle.as_str() == named.handle) else {
                continue;
            };
            if let Some(resolved) = resolved(&named)? {
                directory.insert(handle.clone(), resolved);
            }
        }
        Ok(directory)
    }
}

fn person(subject: &str, display_name: String, username: String) -> Result<Person, Error> {
    let subject = Subject::parse(subject);
    let subject =
        subject.map_err(|_| Error::Routing(Fault::internal("routing names a person without a subject")))?;
    let display_name = if display_name.is_empty() { username } else { display_name };
    Ok(Person { subject, display_name })
}

fn refused(status: Status) -> Error {
    Error::Routing(Fault::from_peer(status))
}

fn resolved(named: &pb::ResolvedHandle) -> Result<Option<Resolved>, Error> {
    let kind = match named.kind() {
        pb::HandleKind::Unspecified => return Ok(None),
        pb::HandleKind::Agent => Kind::Agent,
        pb::HandleKind::Team => Kind::Team,
    };
    let people = named.people.iter().map(|person| Subject::parse(&person.subject)).collect::<Result<_, _>>();
    let people =
        people.map_err(|_| Error::Routing(Fault::internal("routing names a person without a subject")))?;
    Ok(Some(Resolved { kind, people }))
}
