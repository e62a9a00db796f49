//! A stand-in for routing, behind the same layers as the real one: who there is, and how to reach them.

mod conversations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::common::v1::Role;
use proto::routing::v1::agent_service_server::{AgentService, AgentServiceServer};
use proto::routing::v1::conversation_service_server::ConversationServiceServer;
use proto::routing::v1::directory_service_server::{DirectoryService, DirectoryServiceServer};
use proto::routing::v1::*;
use runtime::{Service, Unit};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// The people of each organization, by their subjects, and whether routing answers.
#[derive(Default)]
struct State {
    people: BTreeMap<(String, String), Agent>,
    conversations: BTreeSet<(String, String)>,
    down: bool,
    asked: usize,
    /// How long it takes to tell of people; how often that is under way, and was at most.
    slow: Duration,
    at_once: usize,
    most_at_once: usize,
}

/// Routing as a test wants it. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Routing(Arc<Mutex<State>>);

impl Routing {
    pub(crate) fn unit(&self) -> Unit {
        let routing = self.clone();
        Unit::new("routing", move |_, _| {
            let routes = Routes::new(AgentServiceServer::new(routing.clone()))
                .add_service(ConversationServiceServer::new(routing.clone()))
                .add_service(DirectoryServiceServer::new(routing.clone()));
            async move { Ok(Service { routes, workers: vec![], health: vec![] }) }
        })
    }

    /// Somebody is there, or is there as somebody else.
    pub(crate) fn put(&self, org: &str, agent: Agent) {
        self.0.lock().unwrap().people.insert((org.to_owned(), agent.subject.clone()), agent);
    }

    /// Somebody with this role is there, whose email is of the subject.
    pub(crate) fn person(&self, org: &str, subject: &str, role: Role) -> Agent {
        let agent = Agent {
            agent_id: kernel::Clock::system().new_id().to_string(),
            subject: subject.to_owned(),
            username: subject.to_owned(),
            display_name: subject.to_owned(),
            email: format!("{subject}@{org}.example"),
            role: role.into(),
            ..Agent::default()
        };
        self.put(org, agent.clone());
        agent
    }

    /// From now on routing answers, or does not.
    pub(crate) fn is_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// From now on it takes so long to tell of people.
    pub(crate) fn is_slow(&self, slow: Duration) {
        self.0.lock().unwrap().slow = slow;
    }

    /// How many questions about people it had to answer at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.0.lock().unwrap().most_at_once
    }

    async fn takes_its_time(&self) {
        let slow = {
            let mut state = self.0.lock().unwrap();
            state.at_once += 1;
            state.most_at_once = state.most_at_once.max(state.at_once);
            state.slow
        };
        tokio::time::sleep(slow).await;
        self.0.lock().unwrap().at_once -= 1;
    }

    /// How many questions there were.
    pub(crate) fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    fn of<T>(&self, request: &Request<T>) -> Result<Vec<Agent>, Status> {
        let org = rpc::call(request)?.caller.org.to_string();
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        if state.down {
            return Err(Status::unavailable("down for a test"));
        }
        Ok(state.people.iter().filter(|((of, _), _)| *of == org).map(|(_, agent)| agent.clone()).collect())
    }
}

fn not_played<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not played by this stand-in"))
}

#[tonic::async_trait]
impl AgentService for Routing {
    async fn list_agents(
        &self,
        request: Request<ListAgentsRequest>,
    ) -> Result<Response<ListAgentsResponse>, Status> {
        let agents = self.of(&request)?;
        Ok(Response::new(ListAgentsResponse { agents, next_page_token: String::new() }))
    }

    async fn create_agent(
        &self,
        _: Request<CreateAgentRequest>,
    ) -> Result<Response<CreateAgentResponse>, Status> {
        not_played()
    }

    async fn get_agent(&self, _: Request<GetAgentRequest>) -> Result<Response<GetAgentResponse>, Status> {
        not_played()
    }

    async fn get_my_agent(
        &self,
        _: Request<GetMyAgentRequest>,
    ) -> Result<Response<GetMyAgentResponse>, Status> {
        not_played()
    }

    async fn update_agent(
        &self,
        _: Request<UpdateAgentRequest>,
    ) -> Result<Response<UpdateAgentResponse>, Status> {
        not_played()
    }

    async fn set_availability(
        &self,
        _: Request<SetAvailabilityRequest>,
    ) -> Result<Response<SetAvailabilityResponse>, Status> {
        not_played()
    }

    async fn send_heartbeat(
        &self,
        _: Request<SendHeartbeatRequest>,
    ) -> Result<Response<SendHeartbeatResponse>, Status> {
        not_played()
    }
}

#[tonic::async_trait]
impl DirectoryService for Routing {
    async fn batch_get_profiles(
        &self,
        request: Request<BatchGetProfilesRequest>,
    ) -> Result<Response<BatchGetProfilesResponse>, Status> {
        self.takes_its_time().await;
        let people = self.of(&request)?;
        let asked = request.into_inner().subjects;
        let profile = |agent: Agent| PersonProfile {
            person: Some(Person {
                agent_id: agent.agent_id,
                subject: agent.subject,
                username: agent.username,
                display_name: agent.display_name,
            }),
            email: agent.email,
            languages: agent.languages,
            time_zone: agent.time_zone,
        };
        let profiles =
            people.into_iter().filter(|agent| asked.contains(&agent.subject)).map(profile).collect();
        Ok(Response::new(BatchGetProfilesResponse { profiles }))
    }

    async fn resolve_handles(
        &self,
        _: Request<ResolveHandlesRequest>,
    ) -> Result<Response<ResolveHandlesResponse>, Status> {
        not_played()
    }

    async fn search_people(
        &self,
        _: Request<SearchPeopleRequest>,
    ) -> Result<Response<SearchPeopleResponse>, Status> {
        not_played()
    }
}
