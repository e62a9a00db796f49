//! All services in this process, a team of ten, and a connection to the database beside them.

use std::time::Duration;

use kernel::Role;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::routing::v1 as pb;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::team_service_client::TeamServiceClient;
use proto::routing::v1::workflow_service_client::WorkflowServiceClient;
use sqlx::{Connection, PgConnection, raw_sql};
use testkit::{Client, Engine, Suite};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const ORG: &str = "bench";
/// The source whose conversations go to the team.
pub(crate) const ARRIVALS: &str = "arrivals";
const AGENTS: usize = 10;
/// Rows of a statement that fills: each of a new conversation takes a lock, and a server has so many.
const AT_ONCE: usize = 2_000;

pub(crate) struct Office {
    suite: Suite,
    pub(crate) tables: PgConnection,
    pub(crate) team_id: String,
    /// A team with nobody in it, whose queue the reference serves.
    pub(crate) reference_id: String,
    pub(crate) agent_ids: Vec<String>,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let units = [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()];
        let unlimited = |config: &mut runtime::Config| {
            config.limits.calls_per_person = 0;
            config.limits.person_per_second = 0;
            config.limits.org_per_second = 0;
            config.database_connections = Some(20);
        };
        let suite = Suite::of(units).on(Engine::Postgres).configured(unlimited).start().await;
        let mut agent_ids = Vec::new();
        for number in 0..AGENTS {
            let mut agents = AgentServiceClient::new(suite.client(ORG, &subject(number), Role::Agent));
            let me = agents.get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner();
            agent_ids.push(me.agent.unwrap().agent_id);
        }
        let team_id = team(&suite, "desk", agent_ids.clone()).await;
        let reference_id = team(&suite, "reference", vec![]).await;
        route(&suite, &team_id).await;
        let mut tables = PgConnection::connect(&suite.database_url().unwrap()).await.unwrap();
        // Where triggers look for what they need.
        raw_sql("SET search_path = routing; SET app.org = 'bench'").execute(&mut tables).await.unwrap();
        Self { suite, tables, team_id, reference_id, agent_ids }
    }

    /// Everybody comes or goes.
    pub(crate) async fn are(&self, availability: pb::Availability) {
        let mut agents = AgentServiceClient::new(self.suite.client(ORG, "root", Role::Admin));
        for agent_id in &self.agent_ids {
            let request = pb::SetAvailabilityRequest {
                agent_id: agent_id.clone(),
                availability: availability.into(),
                pinned: true,
            };
            agents.set_availability(request).await.unwrap();
        }
    }

    /// So many conversations wait in the queue of a team, and decisions say so.
    pub(crate) async fn wait_for(&mut self, team_id: &str, count: usize) {
        let conversations = "INSERT INTO conversations (org_id, conversation_id, version, source, channel, external_id,
                 contact_id, subject, tags, priority, status, team_id, waiting_since, last_activity_time, create_time,
                 message_count, last_inbound_position, last_entry_time)
             SELECT 'bench', (id || '7' || substr(chance, 1, 3) || '8' || substr(chance, 4, 15))::uuid, 1, 'backlog',
                 'chat', 'w-' || chance, gen_random_uuid(), '', '[]', 2, 'OPEN', $1::uuid, at, at, at, 1, 1, at
             FROM (SELECT now + n AS at, lpad(to_hex(now / 1000 + n), 12, '0') AS id, md5(random()::text) AS chance
                 FROM generate_series(1, $2::bigint) n,
                     (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint AS now) clock) numbered";
        let queue = "INSERT INTO queue (org_id, conversation_id, team_id, strategy, traces, priority, queue_time, explained)
             SELECT org_id, conversation_id, team_id, 'ROUND_ROBIN', '[]', priority, create_time, TRUE
             FROM conversations c WHERE org_id = 'bench' AND team_id = $1::uuid AND assignee_id IS NULL
                 AND NOT EXISTS (SELECT 1 FROM queue q
                     WHERE q.org_id = c.org_id AND q.conversation_id = c.conversation_id)";
        for begin in (0..count).step_by(AT_ONCE) {
            let rows = i64::try_from(AT_ONCE.min(count - begin)).unwrap();
            sqlx::query(conversations).bind(team_id).bind(rows).execute(&mut self.tables).await.unwrap();
        }
        sqlx::query(queue).bind(team_id).execute(&mut self.tables).await.unwrap();
        self.vacuum().await;
    }

    /// What the server does by itself within a minute or so. Until then it takes indexes that begin alike for alike, and reads past
    /// all rows that are gone.
    pub(crate) async fn vacuum(&mut self) {
        raw_sql("VACUUM ANALYZE").execute(&mut self.tables).await.unwrap();
    }

    /// How many this process has given to agents.
    pub(crate) async fn given(&self) -> usize {
        let address = self.suite.metrics();
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        connection.read_to_string(&mut page).await.unwrap();
        let given = page.lines().find_map(|line| line.strip_prefix("routing_assigned_total "));
        given.map_or(0, |given| given.parse().unwrap())
    }

    /// Waits until everybody was told what there is to tell: who is told takes as much as who decides.
    pub(crate) async fn settle(&mut self) {
        // What the reference wrote is for nobody.
        let left = "SELECT COUNT(*) FROM outbox WHERE target <> 'bench' AND state <> 'dead'";
        while sqlx::query_scalar::<_, i64>(left).fetch_one(&mut self.tables).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) fn channel(&self) -> ConversationServiceClient<Client> {
        ConversationServiceClient::new(self.suite.client(ORG, "adapter", Role::Integration))
    }

    /// The feed of each agent.
    pub(crate) fn feeds(&self) -> Vec<NotificationServiceClient<Client>> {
        let client = |number| self.suite.client(ORG, &subject(number), Role::Agent);
        (0..AGENTS).map(|number| NotificationServiceClient::new(client(number))).collect()
    }

    /// The address of the database.
    pub(crate) fn database(&self) -> String {
        self.suite.database_url().unwrap()
    }

    pub(crate) async fn close(self) {
        self.tables.close().await.unwrap();
        self.suite.stop().await;
    }
}

fn subject(number: usize) -> String {
    format!("agent-{number}")
}

async fn team(suite: &Suite, handle: &str, agent_ids: Vec<String>) -> String {
    let mut teams = TeamServiceClient::new(suite.client(ORG, "root", Role::Admin));
    let request = pb::CreateTeamRequest { handle: handle.to_owned(), agent_ids, ..Default::default() };
    teams.create_team(request).await.unwrap().into_inner().team.unwrap().team_id
}

async fn route(suite: &Suite, team_id: &str) {
    let assign = pb::AssignTeam { team_id: team_id.to_owned(), ..Default::default() };
    let spec = pb::WorkflowSpec {
        name: ARRIVALS.to_owned(),
        trigger: pb::Trigger::ConversationCreated.into(),
        condition: format!("conversation.source == '{ARRIVALS}'"),
        actions: vec![pb::Action { action: Some(pb::action::Action::AssignTeam(assign)) }],
        ..Default::default()
    };
    let mut workflows = WorkflowServiceClient::new(suite.client(ORG, "root", Role::Admin));
    let request = pb::CreateWorkflowRequest { spec: Some(spec), ..Default::default() };
    workflows.create_workflow(request).await.unwrap();
}
