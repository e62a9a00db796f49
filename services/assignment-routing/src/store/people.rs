//! People inside, as a search reads them.

use db::{DbError, Json, Tx};
use kernel::{AgentId, Role, Subject, Timestamp};

use super::{presence, unreadable};
use crate::domain::agent::{Found, Person, Reach};
use crate::domain::presence::Presence;

macro_rules! select_people {
    ($which:literal) => {
        concat!(
            "SELECT a.agent_id, a.subject, a.username, a.display_name, a.role, p.availability, p.pinned,
                 p.lease_expire_time
             FROM agents a JOIN presence p ON p.org_id = a.org_id AND p.agent_id = a.agent_id
             WHERE a.org_id = $1 AND a.username > $2",
            $which,
            " ORDER BY a.username LIMIT $3"
        )
    };
}

#[derive(db::FromRow)]
struct Row {
    agent_id: AgentId,
    subject: Subject,
    username: String,
    display_name: String,
    role: String,
    availability: String,
    pinned: bool,
    lease_expire_time: Option<Timestamp>,
}

impl TryFrom<Row> for Found {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            person: Person {
                agent: row.agent_id,
                subject: row.subject,
                username: row.username,
                display_name: row.display_name,
            },
            role: Role::parse(&row.role).map_err(|_| unreadable("agents.role"))?,
            presence: Presence {
                availability: presence::read(&row.availability)?,
                pinned: row.pinned,
                lease_expire_time: row.lease_expire_time,
            },
        })
    }
}

/// People behind a username, by username: everybody, or supervisors and admins.
pub async fn list_people_behind(
    tx: &mut Tx,
    supervisors_only: bool,
    after: &str,
    limit: i64,
) -> Result<Vec<Found>, DbError> {
    let sql = match supervisors_only {
        true => select_people!(" AND a.role IN ('supervisor', 'admin')"),
        false => select_people!(""),
    };
    let rows: Vec<Row> = tx.query(sql).bind(after).bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(Found::try_from).collect()
}

#[derive(db::FromRow)]
struct ReachRow {
    agent_id: AgentId,
    subject: Subject,
    username: String,
    display_name: String,
    email: String,
    languages: Json<Vec<String>>,
    time_zone: String,
}

/// How to reach those of these people who have a profile, by username. At least one is asked for.
pub async fn list_reach(tx: &mut Tx, subjects: &[Subject]) -> Result<Vec<Reach>, DbError> {
    let sql = format!(
        "SELECT agent_id, subject, username, display_name, email, languages, time_zone FROM agents
         WHERE org_id = $1 AND subject IN {} ORDER BY username",
        db::rows(2, 1, subjects.len())
    );
    let rows: Vec<ReachRow> = tx.query_dynamic(sql).bind_all(subjects).fetch_all(tx).await?;
    let reach = |row: ReachRow| Reach {
        person: Person {
            agent: row.agent_id,
            subject: row.subject,
            username: row.username,
            display_name: row.display_name,
        },
        email: row.email,
        languages: row.languages.0,
        time_zone: row.time_zone,
    };
    Ok(rows.into_iter().map(reach).collect())
}
