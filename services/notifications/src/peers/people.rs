//! Routing, which knows the people inside and their conversations.

use std::time::Duration;

use kernel::{ConversationId, OrgId, Subject};
use proto::routing::v1 as pb;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::directory_service_client::DirectoryServiceClient;
use rpc::{Call, Fault, Peer};
use zones::Zone;

use crate::app::people::Person;
use crate::error::Error;

/// The most people of one question.
pub const ASKED: usize = 200;

/// How long a question to routing may take that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Routing.
#[derive(Clone)]
pub struct Directory(Peer);

impl Directory {
    /// Questions go there.
    pub fn new(routing: Peer) -> Self {
        Self(routing)
    }

    /// Those of these people who have a profile; at most [`ASKED`] may be asked for.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing does not answer (in time).
    pub async fn profiles(&self, org: &OrgId, subjects: &[Subject]) -> Result<Vec<Person>, Error> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let mut routing = DirectoryServiceClient::new(self.0.as_service(org, PATIENCE));
        let subjects = subjects.iter().map(ToString::to_string).collect();
        let answer = routing.batch_get_profiles(pb::BatchGetProfilesRequest { subjects }).await;
        let answer = answer.map_err(|status| Error::Routing(Fault::from_peer(status)))?;
        Ok(answer.into_inner().profiles.into_iter().filter_map(person).collect())
    }

    /// Makes sure that there is this conversation and that the caller may see it.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is none, or that routing does not answer (in time).
    pub async fn require_conversation(&self, call: &Call, id: ConversationId) -> Result<(), Error> {
        let mut routing = ConversationServiceClient::new(self.0.on_behalf(call));
        let request = pb::GetConversationRequest { conversation_id: id.to_string() };
        let answer = routing.get_conversation(request).await;
        answer.map(drop).map_err(|status| Error::Routing(Fault::from_peer(status)))
    }
}

fn person(profile: pb::PersonProfile) -> Option<Person> {
    let pb::PersonProfile { person, email, languages, time_zone } = profile;
    let person = person?;
    let name = if person.display_name.is_empty() { person.username } else { person.display_name };
    Some(Person {
        subject: Subject::parse(&person.subject).ok()?,
        name,
        email: Some(email).filter(|email| !email.is_empty()),
        languages,
        zone: Zone::stored(&time_zone),
    })
}
