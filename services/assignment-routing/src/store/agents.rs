//! Agents with their presence and load.

use std::collections::HashMap;

use db::{DbError, Json, Tx};
use kernel::{AgentId, Role, Subject, TeamId, Timestamp};

use super::loads::{CAPACITY, TAKEN};
use super::{list, locks, presence, unreadable};
use crate::domain::agent::{Agent, Person, Profile, Skill, WorkingHours};
use crate::domain::choose::{AgentSnapshot, Availability};
use crate::domain::handle::Handle;
use crate::domain::load::Room;
use crate::domain::presence::Presence;

const AGENT: &str =
    "SELECT a.agent_id, a.version, a.subject, a.username, a.display_name, a.email, a.role, a.languages,
         a.skills, a.time_zone, a.working_hours, a.capacity_units, a.create_time, a.update_time,
         p.availability, p.pinned, p.lease_expire_time, l.open_count, l.open_count + l.extra_units AS open_units
     FROM agents a
     JOIN presence p ON p.org_id = a.org_id AND p.agent_id = a.agent_id
     JOIN loads l ON l.org_id = a.org_id AND l.agent_id = a.agent_id
     WHERE a.org_id = $1";

#[derive(db::FromRow)]
struct AgentRow {
    agent_id: AgentId,
    version: i64,
    subject: Subject,
    username: String,
    display_name: String,
    email: String,
    role: String,
    languages: Json<Vec<String>>,
    skills: Json<Vec<Skill>>,
    time_zone: String,
    working_hours: Json<Vec<WorkingHours>>,
    capacity_units: i64,
    create_time: Timestamp,
    update_time: Timestamp,
    availability: String,
    pinned: bool,
    lease_expire_time: Option<Timestamp>,
    open_count: i64,
    open_units: i64,
}

impl AgentRow {
    fn agent(self) -> Result<Agent, DbError> {
        Ok(Agent {
            id: self.agent_id,
            version: self.version,
            subject: self.subject,
            profile: Profile {
                username: Handle::parse(&self.username).map_err(|_| unreadable("agents.username"))?,
                display_name: self.display_name,
                email: self.email,
                role: Role::parse(&self.role).map_err(|_| unreadable("agents.role"))?,
                languages: self.languages.0,
                skills: self.skills.0,
                time_zone: self.time_zone,
                working_hours: self.working_hours.0,
                capacity_units: i32::try_from(self.capacity_units).unwrap_or(i32::MAX),
            },
            presence: Presence {
                availability: presence::read(&self.availability)?,
                pinned: self.pinned,
                lease_expire_time: self.lease_expire_time,
            },
            open: self.open_count,
            open_units: self.open_units,
            teams: Vec::new(),
            create_time: self.create_time,
            update_time: self.update_time,
        })
    }
}

/// Which agents are listed.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Only members of this team.
    pub team: Option<TeamId>,
    /// Only those in this state at a moment.
    pub availability: Option<(Availability, Timestamp)>,
    /// Only those behind this username.
    pub after: Option<String>,
}

/// Reads one agent, without teams.
pub async fn find_agent(tx: &mut Tx, agent: AgentId) -> Result<Option<Agent>, DbError> {
    let row: Option<AgentRow> =
        tx.query_dynamic(format!("{AGENT} AND a.agent_id = $2")).bind(agent).fetch_optional(tx).await?;
    row.map(AgentRow::agent).transpose()
}

/// Reads the agent of a person, without teams.
pub async fn find_agent_of(tx: &mut Tx, subject: &Subject) -> Result<Option<Agent>, DbError> {
    let row: Option<AgentRow> = tx
        .query_dynamic(format!("{AGENT} AND a.subject = $2"))
        .bind(subject.as_str())
        .fetch_optional(tx)
        .await?;
    row.map(AgentRow::agent).transpose()
}

/// Lists agents by username, without teams.
pub async fn list_agents(tx: &mut Tx, listed: &Listed, limit: i64) -> Result<Vec<Agent>, DbError> {
    let mut sql = format!("{AGENT} AND a.username > $2");
    if listed.team.is_some() {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM team_members m
                 WHERE m.org_id = a.org_id AND m.agent_id = a.agent_id AND m.team_id = $4)",
        );
    }
    let at = if listed.team.is_some() { 5 } else { 4 };
    if let Some((availability, _)) = listed.availability {
        let holds = format!("(p.pinned OR COALESCE(p.lease_expire_time, 0) > ${at})");
        sql.push_str(&match availability {
            Availability::Offline => format!(" AND (p.availability = 'OFFLINE' OR NOT {holds})"),
            there => format!(" AND p.availability = '{}' AND {holds}", presence::spelled(there)),
        });
    }
    sql.push_str(" ORDER BY a.username LIMIT $3");
    let mut query = tx.query_dynamic(sql).bind(listed.after.as_deref().unwrap_or_default()).bind(limit);
    if let Some(team) = listed.team {
        query = query.bind(team);
    }
    if let Some((_, now)) = listed.availability {
        query = query.bind(now);
    }
    let rows: Vec<AgentRow> = query.fetch_all(tx).await?;
    rows.into_iter().map(AgentRow::agent).collect()
}

/// Makes an agent's profile row; a unique violation of `agents` says that the subject has one.
pub async fn insert_agent(tx: &mut Tx, agent: &Agent) -> Result<(), DbError> {
    let profile = &agent.profile;
    tx.query(
        "INSERT INTO agents (org_id, agent_id, version, subject, username, display_name, email, role, languages,
             skills, time_zone, working_hours, create_time, update_time, capacity_units)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(agent.id)
    .bind(agent.version)
    .bind(agent.subject.as_str())
    .bind(profile.username.as_str())
    .bind(profile.display_name.as_str())
    .bind(profile.email.as_str())
    .bind(profile.role.as_str())
    .bind(Json(&profile.languages))
    .bind(Json(&profile.skills))
    .bind(profile.time_zone.as_str())
    .bind(Json(&profile.working_hours))
    .bind(agent.create_time)
    .bind(agent.update_time)
    .bind(i64::from(profile.capacity_units))
    .execute(tx)
    .await
    .map(drop)
}

/// Begins with no open conversation.
pub async fn insert_load(tx: &mut Tx, agent: AgentId) -> Result<(), DbError> {
    tx.query("INSERT INTO loads (org_id, agent_id, open_count) VALUES ($1, $2, 0)")
        .bind(agent)
        .execute(tx)
        .await
        .map(drop)
}

/// Writes a changed profile if the row still has the version before; says whether it had.
pub async fn save_agent(tx: &mut Tx, agent: &Agent) -> Result<bool, DbError> {
    let profile = &agent.profile;
    let saved = tx
        .query(
            "UPDATE agents SET version = version + 1, username = $4, display_name = $5, email = $6, role = $7,
                 languages = $8, skills = $9, time_zone = $10, working_hours = $11, update_time = $12,
                 capacity_units = $13
             WHERE org_id = $1 AND agent_id = $2 AND version = $3",
        )
        .bind(agent.id)
        .bind(agent.version - 1)
        .bind(profile.username.as_str())
        .bind(profile.display_name.as_str())
        .bind(profile.email.as_str())
        .bind(profile.role.as_str())
        .bind(Json(&profile.languages))
        .bind(Json(&profile.skills))
        .bind(profile.time_zone.as_str())
        .bind(Json(&profile.working_hours))
        .bind(agent.update_time)
        .bind(i64::from(profile.capacity_units))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

#[derive(db::FromRow)]
struct PersonRow {
    agent_id: AgentId,
    subject: Subject,
    username: String,
    display_name: String,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Self {
        Self {
            agent: row.agent_id,
            subject: row.subject,
            username: row.username,
            display_name: row.display_name,
        }
    }
}

/// The people behind these ids.
pub async fn list_people(tx: &mut Tx, agents: &[AgentId]) -> Result<Vec<Person>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT agent_id, subject, username, display_name FROM agents WHERE org_id = $1 AND agent_id IN {}",
        list(2, agents.len())
    );
    let rows: Vec<PersonRow> = tx.query_dynamic(sql).bind_all(agents.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().map(Person::from).collect())
}

#[derive(db::FromRow)]
struct SnapshotRow {
    agent_id: AgentId,
    subject: String,
    username: String,
    display_name: String,
    availability: String,
    pinned: bool,
    lease_expire_time: Option<Timestamp>,
    change_time: Timestamp,
    open_count: i64,
    open_units: i64,
    last_assign_time: Option<Timestamp>,
    given: i64,
    offered_count: i64,
    capacity: i64,
}

/// A team's agents in the order of their turns, without what they are good at. Their loads are locked.
pub async fn snapshot(tx: &mut Tx, team: TeamId) -> Result<Vec<AgentSnapshot>, DbError> {
    let sql = format!(
        "SELECT a.agent_id, a.subject, a.username, a.display_name, p.availability, p.pinned, p.lease_expire_time,
             p.change_time, l.open_count, {TAKEN} AS open_units, l.last_assign_time, l.offered_count,
             CASE WHEN l.given_since = p.change_time THEN l.given_count ELSE 0 END AS given, {CAPACITY} AS capacity
         FROM team_members m
         JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
         JOIN presence p ON p.org_id = m.org_id AND p.agent_id = m.agent_id
         JOIN loads l ON l.org_id = m.org_id AND l.agent_id = m.agent_id
         LEFT JOIN settings s ON s.org_id = m.org_id
         WHERE m.org_id = $1 AND m.team_id = $2 ORDER BY l.agent_id{}",
        locks::loads_for_update(tx)
    );
    let rows: Vec<SnapshotRow> = tx.query_dynamic(sql).bind(team).fetch_all(tx).await?;
    rows.into_iter()
        .map(|row| {
            Ok(AgentSnapshot {
                agent: row.agent_id,
                subject: row.subject,
                username: row.username,
                display_name: row.display_name,
                availability: presence::read(&row.availability)?,
                pinned: row.pinned,
                lease_expires: row.lease_expire_time,
                open: i32::try_from(row.open_count).unwrap_or(i32::MAX),
                room: Room { units: row.open_units, capacity: row.capacity },
                skills: Vec::new(),
                last_assign_time: row.last_assign_time,
                came_online: row.change_time,
                given: row.given,
                offers: row.offered_count,
            })
        })
        .collect()
}

/// What a team's agents are good at.
pub async fn list_skills(tx: &mut Tx, team: TeamId) -> Result<HashMap<AgentId, Vec<Skill>>, DbError> {
    let rows: Vec<(AgentId, Json<Vec<Skill>>)> = tx
        .query(
            "SELECT a.agent_id, a.skills FROM team_members m
             JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
             WHERE m.org_id = $1 AND m.team_id = $2",
        )
        .bind(team)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|(agent, skills)| (agent, skills.0)).collect())
}
