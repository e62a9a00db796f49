//! What the tests share: the service between stubs of its peers, people who call it, and what was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{Clock, Role, Timestamp};
use proto::common::v1::ErrorReason;
use proto::notifications::v1::NotificationEvent;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::assignment_service_client::AssignmentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::directory_service_client::DirectoryServiceClient;
use proto::routing::v1::event_service_client::EventServiceClient;
use proto::routing::v1::settings_service_client::SettingsServiceClient;
use proto::routing::v1::team_service_client::TeamServiceClient;
use proto::routing::v1::workflow_service_client::WorkflowServiceClient;
use proto::routing::v1::*;
use runtime::Config;
use testkit::{Client, Engine, Suite};
use tonic::Status;
use tonic_types::StatusExt;

use crate::notes_stub::Notes;
use crate::stubs::{Contacts, contacts_stub, notifications_stub};

/// 2026-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

pub(crate) const ORG: &str = "acme";

/// The service, its stubs, and what they were told.
pub(crate) struct World {
    pub(crate) suite: Suite,
    pub(crate) clock: Clock,
    pub(crate) contacts: Contacts,
    pub(crate) notes: Notes,
    told: Arc<Mutex<Vec<NotificationEvent>>>,
}

impl World {
    pub(crate) async fn on(engine: Engine) -> Self {
        Self::start(engine, None, |_| {}).await
    }

    /// With other settings.
    pub(crate) async fn configured(
        engine: Engine,
        change: impl FnOnce(&mut Config) + Send + 'static,
    ) -> Self {
        Self::start(engine, None, change).await
    }

    /// Another process on the same database.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        let (database, data) = (self.suite.database_url().unwrap(), self.suite.data().to_owned());
        Self::configured(Engine::Sqlite, move |config| {
            (config.database, config.data) = (Some(runtime::Secret::new(database)), data);
            change(config);
        })
        .await
    }

    /// With a clock that only the test moves.
    pub(crate) async fn at_new_year(engine: Engine) -> Self {
        Self::start(engine, Some(NEW_YEAR), |_| {}).await
    }

    /// The same, and what waits for its time is looked at all the while.
    pub(crate) async fn attentive(engine: Engine) -> Self {
        Self::start(engine, Some(NEW_YEAR), |config| {
            config.routing = serde_json::from_value(serde_json::json!({ "sweep_ms": 20 })).unwrap();
        })
        .await
    }

    async fn start(
        engine: Engine,
        time: Option<Timestamp>,
        change: impl FnOnce(&mut Config) + Send + 'static,
    ) -> Self {
        let told = Arc::<Mutex<Vec<NotificationEvent>>>::default();
        let (contacts, notes) = (Contacts::default(), Notes::default());
        let units = [
            assignment_routing::unit(),
            contacts_stub(&contacts),
            notifications_stub(Arc::clone(&told)),
            notes.unit(),
        ];
        let builder = Suite::of(units).on(engine).configured(|config| {
            config.limits.calls_per_person = 0;
            config.limits.person_per_second = 0;
            config.limits.org_per_second = 0;
            change(config);
        });
        let builder = match time {
            Some(time) => builder.with_fake_clock(time),
            None => builder,
        };
        Self { suite: builder.start().await, clock: Clock::system(), contacts, notes, told }
    }

    pub(crate) fn client(&self, subject: &str, role: Role) -> Client {
        self.suite.client(ORG, subject, role)
    }

    pub(crate) fn agents(&self, subject: &str, role: Role) -> AgentServiceClient<Client> {
        AgentServiceClient::new(self.client(subject, role))
    }

    pub(crate) fn teams(&self) -> TeamServiceClient<Client> {
        TeamServiceClient::new(self.client("root", Role::Admin))
    }

    pub(crate) fn workflows(&self) -> WorkflowServiceClient<Client> {
        WorkflowServiceClient::new(self.client("root", Role::Admin))
    }

    pub(crate) fn settings(&self) -> SettingsServiceClient<Client> {
        SettingsServiceClient::new(self.client("root", Role::Admin))
    }

    pub(crate) fn directory(&self) -> DirectoryServiceClient<Client> {
        DirectoryServiceClient::new(self.client("ana", Role::Agent))
    }

    pub(crate) fn assignments(&self, subject: &str) -> AssignmentServiceClient<Client> {
        AssignmentServiceClient::new(self.client(subject, Role::Agent))
    }

    pub(crate) fn conversations(&self, subject: &str, role: Role) -> ConversationServiceClient<Client> {
        ConversationServiceClient::new(self.client(subject, role))
    }

    /// The channel adapter's connection.
    pub(crate) fn adapter(&self) -> ConversationServiceClient<Client> {
        self.conversations("chat-adapter", Role::Integration)
    }

    pub(crate) fn events(&self) -> EventServiceClient<Client> {
        EventServiceClient::new(self.client("notes", Role::Service))
    }

    pub(crate) fn request_id(&self) -> String {
        self.clock.new_id().to_string()
    }

    /// An agent, made from their token on first sight.
    pub(crate) async fn agent(&self, subject: &str) -> Agent {
        let answer = self.agents(subject, Role::Agent).get_my_agent(GetMyAgentRequest {}).await;
        answer.unwrap().into_inner().agent.unwrap()
    }

    /// An agent who is there until they say otherwise.
    pub(crate) async fn online(&self, subject: &str) -> Agent {
        let agent = self.agent(subject).await;
        self.pin(subject, &agent, Availability::Online).await
    }

    pub(crate) async fn pin(&self, subject: &str, agent: &Agent, availability: Availability) -> Agent {
        let request = SetAvailabilityRequest {
            agent_id: agent.agent_id.clone(),
            availability: availability.into(),
            pinned: true,
        };
        let answer = self.agents(subject, Role::Agent).set_availability(request).await;
        answer.unwrap().into_inner().agent.unwrap()
    }

    pub(crate) async fn team(&self, handle: &str, members: &[&Agent]) -> Team {
        let request = CreateTeamRequest {
            handle: handle.to_owned(),
            agent_ids: members.iter().map(|agent| agent.agent_id.clone()).collect(),
            ..CreateTeamRequest::default()
        };
        self.teams().create_team(request).await.unwrap().into_inner().team.unwrap()
    }

    /// A workflow that sends what fits the condition to the team.
    pub(crate) async fn route(&self, condition: &str, team: &Team) -> Workflow {
        let spec = spec(condition, vec![assign_team(team)]);
        let request = CreateWorkflowRequest { spec: Some(spec), request_id: String::new() };
        self.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap()
    }

    pub(crate) async fn record(&self, message: RecordMessageRequest) -> RecordMessageResponse {
        self.adapter().record_message(message).await.unwrap().into_inner()
    }

    /// A new conversation by its first message.
    pub(crate) async fn begin(&self, conversation: &str) -> Conversation {
        self.record(inbound(conversation, "1")).await.conversation.unwrap()
    }

    pub(crate) async fn read(&self, id: &str) -> Conversation {
        let request = GetConversationRequest { conversation_id: id.to_owned() };
        let answer = self.conversations("ana", Role::Agent).get_conversation(request).await;
        answer.unwrap().into_inner().conversation.unwrap()
    }

    /// The conversation, once somebody has it.
    pub(crate) async fn assigned(&self, id: &str) -> Conversation {
        for _ in 0..400 {
            let it = self.read(id).await;
            if it.assignee.is_some() {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody got the conversation");
    }

    pub(crate) async fn decisions(&self, id: &str) -> Vec<Decision> {
        let request = ExplainAssignmentRequest { conversation_id: id.to_owned(), ..Default::default() };
        self.assignments("ana").explain_assignment(request).await.unwrap().into_inner().decisions
    }

    /// A conversation's decisions, once there are so many.
    pub(crate) async fn decided(&self, id: &str, count: usize) -> Vec<Decision> {
        for _ in 0..400 {
            let decisions = self.decisions(id).await;
            if decisions.len() >= count {
                return decisions;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are not {count} decisions");
    }

    /// Gives a conversation to an agent.
    pub(crate) async fn assign(
        &self,
        by: &str,
        it: &Conversation,
        agent: &Agent,
    ) -> Result<Conversation, Status> {
        let target = assign_conversation_request::Target::AgentId(agent.agent_id.clone());
        self.order(by, it, target).await
    }

    pub(crate) async fn order(
        &self,
        by: &str,
        it: &Conversation,
        target: assign_conversation_request::Target,
    ) -> Result<Conversation, Status> {
        let request = AssignConversationRequest {
            conversation_id: it.conversation_id.clone(),
            etag: it.etag.clone(),
            target: Some(target),
            ..AssignConversationRequest::default()
        };
        Ok(self.assignments(by).assign_conversation(request).await?.into_inner().conversation.unwrap())
    }

    pub(crate) async fn resolve(&self, id: &str) -> Conversation {
        let request = ResolveConversationRequest { conversation_id: id.to_owned(), etag: String::new() };
        self.adapter().resolve_conversation(request).await.unwrap().into_inner().conversation.unwrap()
    }

    pub(crate) async fn view(&self, subject: &str, view: InboxView) -> Vec<InboxEntry> {
        let request = ListConversationsRequest { view: view.into(), ..Default::default() };
        let answer = self.conversations(subject, Role::Agent).list_conversations(request).await;
        answer.unwrap().into_inner().entries
    }

    /// Moves the suite's time.
    pub(crate) fn pass(&self, seconds: u64) {
        self.suite.hand().advance(Duration::from_secs(seconds));
    }

    /// The conversation, once it is so.
    pub(crate) async fn until(&self, id: &str, so: impl Fn(&Conversation) -> bool) -> Conversation {
        for _ in 0..400 {
            let it = self.read(id).await;
            if so(&it) {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the conversation did not come to be so: {:?}", self.read(id).await);
    }

    /// What notifications was told, once it was told so much.
    pub(crate) async fn told(&self, count: usize) -> Vec<NotificationEvent> {
        for _ in 0..400 {
            let told = self.told.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("notifications was told {} times, not {count}", self.told.lock().unwrap().len());
    }
}

/// A message from a customer. Its external id is made of both.
pub(crate) fn inbound(conversation: &str, message: &str) -> RecordMessageRequest {
    RecordMessageRequest {
        channel: "chat".into(),
        external_id: format!("{conversation}/{message}"),
        direction: Direction::Inbound.into(),
        conversation_external_id: conversation.into(),
        contact_address: format!("customer-{conversation}"),
        source: "airline".into(),
        text: "where is my bag".into(),
        ..Default::default()
    }
}

pub(crate) fn outbound(conversation: &str, message: &str) -> RecordMessageRequest {
    RecordMessageRequest { direction: Direction::Outbound.into(), ..inbound(conversation, message) }
}

pub(crate) fn spec(condition: &str, actions: Vec<action::Action>) -> WorkflowSpec {
    WorkflowSpec {
        name: "route".into(),
        trigger: Trigger::ConversationCreated.into(),
        condition: condition.into(),
        actions: actions.into_iter().map(|action| Action { action: Some(action) }).collect(),
        ..Default::default()
    }
}

pub(crate) fn assign_team(team: &Team) -> action::Action {
    action::Action::AssignTeam(AssignTeam {
        team_id: team.team_id.clone(),
        strategy: Strategy::RoundRobin.into(),
        ..Default::default()
    })
}

/// Code and reason of a refusal.
pub(crate) fn refusal(status: &Status) -> (tonic::Code, Option<ErrorReason>) {
    (status.code(), rpc::reason_of(status))
}

/// A value that came with a refusal, for programs.
pub(crate) fn metadata(status: &Status, key: &str) -> Option<String> {
    status.get_details_error_info().and_then(|info| info.metadata.get(key).cloned())
}
