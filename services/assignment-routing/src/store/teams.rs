//! Teams and their members.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{DbError, Tx};
use kernel::{AgentId, Subject, TeamId, Timestamp};

use super::{list, unreadable};
use crate::domain::agent::Person;
use crate::domain::handle::Handle;
use crate::domain::offer::{Mode, Offering};
use crate::domain::reply_limit::{LimitAction, ReplyLimit};
use crate::domain::team::{RampUp, Team};

const TEAM: &str = "SELECT t.team_id, t.version, t.handle, t.display_name, t.create_time, t.update_time,
         t.ramp_up_limit, t.ramp_up_seconds, t.reply_limit_seconds, t.reply_limit_then,
         t.assignment_mode, t.offer_timeout_ms,
         (SELECT COUNT(*) FROM team_members m WHERE m.org_id = t.org_id AND m.team_id = t.team_id) AS members,
         (SELECT COUNT(*) FROM queue q WHERE q.org_id = t.org_id AND q.team_id = t.team_id) AS queued
     FROM teams t WHERE t.org_id = $1";

#[derive(db::FromRow)]
struct TeamRow {
    team_id: TeamId,
    version: i64,
    handle: String,
    display_name: String,
    create_time: Timestamp,
    update_time: Timestamp,
    ramp_up_limit: i64,
    ramp_up_seconds: i64,
    reply_limit_seconds: i64,
    reply_limit_then: String,
    assignment_mode: String,
    offer_timeout_ms: i64,
    members: i64,
    queued: i64,
}

impl TeamRow {
    fn team(self) -> Result<Team, DbError> {
        Ok(Team {
            id: self.team_id,
            version: self.version,
            handle: Handle::parse(&self.handle).map_err(|_| unreadable("teams.handle"))?,
            display_name: self.display_name,
            members: self.members,
            queued: self.queued,
            ramp_up: ramp_up(self.ramp_up_limit, self.ramp_up_seconds),
            reply_limit: reply_limit(self.reply_limit_seconds, &self.reply_limit_then)?,
            offering: offering(&self.assignment_mode, self.offer_timeout_ms)?,
            create_time: self.create_time,
            update_time: self.update_time,
        })
    }
}

fn ramp_up(limit: i64, seconds: i64) -> RampUp {
    let narrow = |number| i32::try_from(number).unwrap_or(i32::MAX);
    RampUp { limit: narrow(limit), seconds: narrow(seconds) }
}

fn offering(mode: &str, timeout_ms: i64) -> Result<Offering, DbError> {
    let mode = Mode::read(mode).ok_or_else(|| unreadable("teams.assignment_mode"))?;
    Ok(Offering { mode, timeout: Duration::from_millis(u64::try_from(timeout_ms).unwrap_or_default()) })
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The limit of a team; 0 seconds: there is none.
fn reply_limit(seconds: i64, then: &str) -> Result<Option<ReplyLimit>, DbError> {
    let limit = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    if limit.is_zero() {
        return Ok(None);
    }
    let then = LimitAction::read(then).ok_or_else(|| unreadable("teams.reply_limit_then"))?;
    Ok(Some(ReplyLimit { limit, then }))
}

/// A limit as the database has it: 0 seconds where there is none.
fn limit_row(limit: Option<ReplyLimit>) -> (i64, &'static str) {
    let then = limit.map(|limit| limit.then).unwrap_or_default().as_str();
    let seconds = limit.map_or(0, |limit| i64::try_from(limit.limit.as_secs()).unwrap_or(i64::MAX));
    (seconds, then)
}

/// The limits of all teams that have one.
pub async fn list_reply_limits(tx: &mut Tx) -> Result<BTreeMap<TeamId, ReplyLimit>, DbError> {
    let rows: Vec<(TeamId, i64, String)> = tx
        .query(
            "SELECT team_id, reply_limit_seconds, reply_limit_then FROM teams
             WHERE org_id = $1 AND reply_limit_seconds > 0",
        )
        .fetch_all(tx)
        .await?;
    let limit = |(team, seconds, then): (TeamId, i64, String)| {
        Ok(reply_limit(seconds, &then)?.map(|limit| (team, limit)))
    };
    rows.into_iter().filter_map(|row| limit(row).transpose()).collect()
}

/// Reads one team.
pub async fn find_team(tx: &mut Tx, team: TeamId) -> Result<Option<Team>, DbError> {
    let row: Option<TeamRow> =
        tx.query_dynamic(format!("{TEAM} AND t.team_id = $2")).bind(team).fetch_optional(tx).await?;
    row.map(TeamRow::team).transpose()
}

/// A team's handle: what people know it by.
pub async fn find_team_handle(tx: &mut Tx, team: TeamId) -> Result<Option<String>, DbError> {
    tx.query("SELECT handle FROM teams WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .fetch_optional_value(tx)
        .await
}

/// A team as far as its queue asks.
#[derive(Debug, Clone, Default)]
pub struct QueueTerms {
    /// What people know it by.
    pub handle: String,
    /// What its members are given at first.
    pub ramp_up: RampUp,
    /// Whether they are asked first.
    pub offering: Offering,
    /// How long they may leave a waiting customer without a reply.
    pub reply_limit: Option<ReplyLimit>,
}

/// By which terms a team's queue gives.
pub async fn find_queue_terms(tx: &mut Tx, team: TeamId) -> Result<Option<QueueTerms>, DbError> {
    let found: Option<(String, i64, i64, String, i64, i64, String)> = tx
        .query(
            "SELECT handle, ramp_up_limit, ramp_up_seconds, assignment_mode, offer_timeout_ms, reply_limit_seconds,
                 reply_limit_then
             FROM teams WHERE org_id = $1 AND team_id = $2",
        )
        .bind(team)
        .fetch_optional(tx)
        .await?;
    let Some((handle, limit, seconds, mode, timeout_ms, reply_seconds, then)) = found else {
        return Ok(None);
    };
    Ok(Some(QueueTerms {
        handle,
        ramp_up: ramp_up(limit, seconds),
        offering: offering(&mode, timeout_ms)?,
        reply_limit: reply_limit(reply_seconds, &then)?,
    }))
}

/// Which of these teams there are.
pub async fn list_existing(tx: &mut Tx, teams: &[TeamId]) -> Result<Vec<TeamId>, DbError> {
    if teams.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT team_id FROM teams WHERE org_id = $1 AND team_id IN {}", list(2, teams.len()));
    tx.query_dynamic(sql).bind_all(teams.iter().copied()).fetch_values(tx).await
}

/// Lists teams by handle.
pub async fn list_teams(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Team>, DbError> {
    let sql = format!("{TEAM} AND t.handle > $2 ORDER BY t.handle LIMIT $3");
    let rows: Vec<TeamRow> = tx.query_dynamic(sql).bind(after).bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(TeamRow::team).collect()
}

/// Makes a team.
pub async fn insert_team(tx: &mut Tx, team: &Team) -> Result<(), DbError> {
    let (limit_seconds, limit_then) = limit_row(team.reply_limit);
    tx.query(
        "INSERT INTO teams (org_id, team_id, version, handle, display_name, create_time, update_time,
             ramp_up_limit, ramp_up_seconds, assignment_mode, offer_timeout_ms, reply_limit_seconds, reply_limit_then)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(team.id)
    .bind(team.version)
    .bind(team.handle.as_str())
    .bind(team.display_name.as_str())
    .bind(team.create_time)
    .bind(team.update_time)
    .bind(i64::from(team.ramp_up.limit))
    .bind(i64::from(team.ramp_up.seconds))
    .bind(team.offering.mode.as_str())
    .bind(millis(team.offering.timeout))
    .bind(limit_seconds)
    .bind(limit_then)
    .execute(tx)
    .await
    .map(drop)
}

/// Writes a changed team if the row still has the version before; says whether it had.
pub async fn save_team(tx: &mut Tx, team: &Team) -> Result<bool, DbError> {
    let (limit_seconds, limit_then) = limit_row(team.reply_limit);
    let saved = tx
        .query(
            "UPDATE teams SET version = version + 1, handle = $4, display_name = $5, update_time = $6,
                 ramp_up_limit = $7, ramp_up_seconds = $8, assignment_mode = $9, offer_timeout_ms = $10,
                 reply_limit_seconds = $11, reply_limit_then = $12
             WHERE org_id = $1 AND team_id = $2 AND version = $3",
        )
        .bind(team.id)
        .bind(team.version - 1)
        .bind(team.handle.as_str())
        .bind(team.display_name.as_str())
        .bind(team.update_time)
        .bind(i64::from(team.ramp_up.limit))
        .bind(i64::from(team.ramp_up.seconds))
        .bind(team.offering.mode.as_str())
        .bind(millis(team.offering.timeout))
        .bind(limit_seconds)
        .bind(limit_then)
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// Notes that a team's members changed.
pub async fn touch_team(tx: &mut Tx, team: TeamId, now: Timestamp) -> Result<(), DbError> {
    tx.query("UPDATE teams SET version = version + 1, update_time = $3 WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .bind(now)
        .execute(tx)
        .await
        .map(drop)
}

/// Removes a team. Its members and its turn are removed before.
pub async fn delete_team(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    tx.query("DELETE FROM teams WHERE org_id = $1 AND team_id = $2").bind(team).execute(tx).await.map(drop)
}

/// Adds members; who is there already stays. Says how many were added.
pub async fn insert_members(tx: &mut Tx, team: TeamId, agents: &[AgentId]) -> Result<u64, DbError> {
    if agents.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "INSERT INTO team_members (org_id, team_id, agent_id) VALUES {} ON CONFLICT DO NOTHING",
        db::org_rows(agents.len(), 2)
    );
    let mut query = tx.query_dynamic(sql);
    for agent in agents {
        query = query.bind(team).bind(*agent);
    }
    query.execute(tx).await
}

/// Removes members; says how many went.
pub async fn delete_members(tx: &mut Tx, team: TeamId, agents: &[AgentId]) -> Result<u64, DbError> {
    let sql = format!(
        "DELETE FROM team_members WHERE org_id = $1 AND team_id = $2 AND agent_id IN {}",
        list(3, agents.len())
    );
    tx.query_dynamic(sql).bind(team).bind_all(agents.iter().copied()).execute(tx).await
}

/// Removes every member.
pub async fn delete_all_members(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    tx.query("DELETE FROM team_members WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .execute(tx)
        .await
        .map(drop)
}

/// The teams of each of these agents.
pub async fn list_teams_of(tx: &mut Tx, agents: &[AgentId]) -> Result<Vec<(AgentId, TeamId)>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT agent_id, team_id FROM team_members WHERE org_id = $1 AND agent_id IN {} ORDER BY agent_id, team_id",
        list(2, agents.len())
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).fetch_all(tx).await
}

/// The supervisors and admins of a team, by the `sub` of their tokens.
pub async fn list_supervisors(tx: &mut Tx, team: TeamId) -> Result<Vec<Subject>, DbError> {
    tx.query(
        "SELECT a.subject FROM team_members m
         JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
         WHERE m.org_id = $1 AND m.team_id = $2 AND a.role IN ('supervisor', 'admin') ORDER BY a.agent_id",
    )
    .bind(team)
    .fetch_values(tx)
    .await
}

/// The supervisors and admins of each of these teams, by the `sub` of their tokens.
pub async fn list_supervisors_of(tx: &mut Tx, teams: &[TeamId]) -> Result<Vec<(TeamId, Subject)>, DbError> {
    if teams.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT m.team_id, a.subject FROM team_members m
         JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
         WHERE m.org_id = $1 AND m.team_id IN {} AND a.role IN ('supervisor', 'admin')",
        list(2, teams.len())
    );
    tx.query_dynamic(sql).bind_all(teams.iter().copied()).fetch_all(tx).await
}

#[derive(db::FromRow)]
struct MemberRow {
    team_id: TeamId,
    agent_id: AgentId,
    subject: kernel::Subject,
    username: String,
    display_name: String,
}

/// The members of each of these teams, by username.
pub async fn list_members(tx: &mut Tx, teams: &[TeamId]) -> Result<Vec<(TeamId, Person)>, DbError> {
    if teams.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT m.team_id, a.agent_id, a.subject, a.username, a.display_name
         FROM team_members m JOIN agents a ON a.org_id = m.org_id AND a.agent_id = m.agent_id
         WHERE m.org_id = $1 AND m.team_id IN {} ORDER BY a.username",
        list(2, teams.len())
    );
    let rows: Vec<MemberRow> = tx.query_dynamic(sql).bind_all(teams.iter().copied()).fetch_all(tx).await?;
    let person = |row: MemberRow| {
        let MemberRow { team_id, agent_id, subject, username, display_name } = row;
        (team_id, Person { agent: agent_id, subject, username, display_name })
    };
    Ok(rows.into_iter().map(person).collect())
}
