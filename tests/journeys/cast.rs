//! The people of the journeys, and what they say.

use std::future::Future;
use std::time::{Duration, Instant};

use kernel::Role;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use suite::client::Session;
use tonic::Streaming;

use crate::world::World;

/// A team whose agents are all online.
pub(crate) struct Team {
    pub(crate) team_id: String,
    pub(crate) handle: String,
    pub(crate) agents: Vec<Agent>,
}

/// An agent at work.
pub(crate) struct Agent {
    pub(crate) agent_id: String,
    pub(crate) subject: String,
    pub(crate) api: Session,
}

impl Team {
    /// The agent of a subject.
    pub(crate) fn agent(&self, subject: &str) -> &Agent {
        self.agents
            .iter()
            .find(|agent| agent.subject == subject)
            .unwrap_or_else(|| panic!("{subject} is not in the team"))
    }

    /// Somebody else than this agent.
    pub(crate) fn other_than(&self, subject: &str) -> &Agent {
        self.agents.iter().find(|agent| agent.subject != subject).expect("a team of two or more")
    }
}

/// Makes agents, online and pinned, and their team.
pub(crate) async fn team(world: &World, handle: &str, subjects: &[&str]) -> Team {
    let mut agents = Vec::new();
    for subject in subjects {
        let api = world.as_one(subject, Role::Agent);
        let me =
            api.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();
        set_availability(&api, &me.agent_id, pb::Availability::Online).await;
        agents.push(Agent { agent_id: me.agent_id, subject: (*subject).to_owned(), api });
    }
    let admin = world.as_one("admin", Role::Admin);
    let made = admin
        .teams()
        .create_team(pb::CreateTeamRequest {
            handle: handle.to_owned(),
            display_name: handle.to_owned(),
            agent_ids: agents.iter().map(|agent| agent.agent_id.clone()).collect(),
            ..Default::default()
        })
        .await
        .unwrap();
    Team { team_id: made.into_inner().team.unwrap().team_id, handle: handle.to_owned(), agents }
}

/// Pins an availability.
pub(crate) async fn set_availability(api: &Session, agent_id: &str, availability: pb::Availability) {
    let request = pb::SetAvailabilityRequest {
        agent_id: agent_id.to_owned(),
        availability: availability.into(),
        pinned: true,
    };
    api.agents().set_availability(request).await.unwrap();
}

/// Sends a source to a team, with further actions.
pub(crate) async fn route(world: &World, source: &str, team_id: &str, further: Vec<pb::action::Action>) {
    let assign = pb::action::Action::AssignTeam(pb::AssignTeam {
        team_id: team_id.to_owned(),
        strategy: pb::Strategy::RoundRobin.into(),
        ..Default::default()
    });
    let actions =
        std::iter::once(assign).chain(further).map(|action| pb::Action { action: Some(action) }).collect();
    let spec = pb::WorkflowSpec {
        name: format!("to {source}"),
        position: 10,
        trigger: pb::Trigger::ConversationCreated.into(),
        condition: format!("conversation.source == '{source}'"),
        actions,
        ..Default::default()
    };
    let admin = world.as_one("admin", Role::Admin);
    let request = pb::CreateWorkflowRequest { spec: Some(spec), ..Default::default() };
    admin.workflows().create_workflow(request).await.unwrap();
}

/// What a customer writes on the channel `chat`.
pub(crate) fn message(source: &str, conversation: &str, turn: u32, text: &str) -> pb::RecordMessageRequest {
    pb::RecordMessageRequest {
        channel: "chat".into(),
        external_id: format!("{conversation}/{turn}"),
        direction: pb::Direction::Inbound.into(),
        conversation_external_id: conversation.into(),
        contact_address: format!("customer-of-{conversation}"),
        contact_display_name: "Customer".into(),
        source: source.into(),
        text: text.into(),
        ..Default::default()
    }
}

/// A customer writes; the channel adapter pushes it in.
pub(crate) async fn customer_writes(
    world: &World,
    request: pb::RecordMessageRequest,
) -> pb::RecordMessageResponse {
    let channel = world.as_one("chat-adapter", Role::Integration);
    channel.conversations().record_message(request).await.unwrap().into_inner()
}

/// The conversation once somebody has it.
pub(crate) async fn assigned(world: &World, conversation_id: &str) -> pb::Conversation {
    let supervisor = world.as_one("supervisor", Role::Supervisor);
    eventually("the conversation is assigned", || async {
        let request = pb::GetConversationRequest { conversation_id: conversation_id.to_owned() };
        let found = supervisor.conversations().get_conversation(request).await.unwrap().into_inner();
        found.conversation.filter(|conversation| conversation.assignee.is_some())
    })
    .await
}

/// A notification stream that is open.
pub(crate) struct Ear(Streaming<feed::SubscribeResponse>);

impl Ear {
    /// Opens the stream and takes its first frame.
    pub(crate) async fn open(api: &Session) -> Self {
        let mut stream =
            api.notifications().subscribe(feed::SubscribeRequest::default()).await.unwrap().into_inner();
        let first = stream.message().await.unwrap().unwrap();
        assert!(matches!(first.frame, Some(feed::subscribe_response::Frame::Opened(_))), "{first:?}");
        assert!(!first.resume_token.is_empty());
        Self(stream)
    }

    /// The next notification of a type; what comes before it is passed over.
    pub(crate) async fn hears_of(&mut self, wanted: feed::NotificationType) -> feed::Notification {
        loop {
            let notification = self.hears().await;
            if notification.r#type() == wanted {
                return notification;
            }
        }
    }

    /// The next notification.
    pub(crate) async fn hears(&mut self) -> feed::Notification {
        loop {
            let frame =
                tokio::time::timeout(PATIENCE, self.0.message()).await.expect("a notification in time");
            match frame.unwrap().expect("the stream goes on").frame {
                Some(feed::subscribe_response::Frame::Notification(notification)) => return notification,
                Some(
                    feed::subscribe_response::Frame::Heartbeat(_)
                    | feed::subscribe_response::Frame::ReadState(_),
                ) => {}
                other => panic!("instead of a notification: {other:?}"),
            }
        }
    }
}

/// Debug builds on a busy machine are slow; nothing here waits this long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came about that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
