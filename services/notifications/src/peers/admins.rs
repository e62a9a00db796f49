//! Who the admins of an organization are.

use std::time::Duration;

use kernel::{OrgId, Subject};
use proto::common::v1::Role;
use proto::routing::v1::ListAgentsRequest;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use rpc::Peer;
use tonic::Status;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Agents of one page, and pages at most: who has more admins than that has some who are not told.
const PAGE: i32 = 200;
const PAGES: usize = 50;

/// Asks routing who the admins are.
#[derive(Clone)]
pub struct Admins {
    routing: Peer,
}

impl std::fmt::Debug for Admins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admins(..)")
    }
}

impl Admins {
    /// Of this routing.
    pub fn new(routing: Peer) -> Self {
        Self { routing }
    }

    /// The admins of an organization that have an agent's profile.
    ///
    /// # Errors
    /// Routing's [`Status`], or that it does not answer in time.
    pub async fn of(&self, org: &OrgId) -> Result<Vec<Subject>, Status> {
        let mut admins = Vec::new();
        let mut page_token = String::new();
        for _ in 0..PAGES {
            let mut routing = AgentServiceClient::new(self.routing.as_service(org, PATIENCE));
            let request = ListAgentsRequest { page_size: PAGE, page_token, ..Default::default() };
            let page = routing.list_agents(request).await?.into_inner();
            let agents = page.agents.iter().filter(|agent| agent.role() == Role::Admin);
            admins.extend(agents.filter_map(|agent| Subject::parse(&agent.subject).ok()));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(admins)
    }
}
