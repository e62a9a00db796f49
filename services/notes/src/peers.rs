//! What this service asks others, as the person for whom it works.

use kernel::{ConversationId, Subject};
use proto::routing::v1 as pb;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::directory_service_client::DirectoryServiceClient;
use rpc::{Call, Fault, Peer};
use tonic::Status;

use crate::domain::{Directory, Handle, Kind, Resolved};
use crate::error::Error;

/// The services that are asked.
#[derive(Clone)]
pub struct Peers {
    routing: Peer,
}

impl Peers {
    /// Questions go to this assignment-routing service.
    pub fn new(routing: Peer) -> Self {
        Self { routing }
    }

    /// Makes sure that there is this conversation and that the caller may see it.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is none, or that routing does not answer (in time).
    pub async fn require_conversation(&self, call: &Call, id: ConversationId) -> Result<(), Error> {
        let mut routing = ConversationServiceClient::new(self.routing.on_behalf(call));
        let request = pb::GetConversationRequest { conversation_id: id.to_string() };
        routing.get_conversation(request).await.map_err(refused)?;
        Ok(())
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
