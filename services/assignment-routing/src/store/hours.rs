//! When teams work.

use db::{DbError, Json, Tx};
use kernel::{TeamId, Timestamp};

use crate::domain::hours::{BusinessWeek, TeamHours};
use zones::Zone;

#[derive(db::FromRow)]
struct HoursRow {
    version: i64,
    update_time: Timestamp,
    body: Json<BusinessWeek>,
}

/// When a team works; around the clock, in its first version, if nobody said it.
pub async fn find_hours(tx: &mut Tx, team: TeamId) -> Result<TeamHours, DbError> {
    let row: Option<HoursRow> = tx
        .query("SELECT version, update_time, body FROM team_hours WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .fetch_optional(tx)
        .await?;
    Ok(match row {
        Some(row) => {
            TeamHours { team, version: row.version, week: row.body.0, update_time: Some(row.update_time) }
        }
        None => TeamHours { team, version: 1, week: BusinessWeek::default(), update_time: None },
    })
}

#[derive(db::FromRow)]
struct TeamRow {
    team_id: TeamId,
    handle: String,
    body: Json<BusinessWeek>,
}

/// The teams of which somebody said when they work, with their handles.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<(TeamId, String, BusinessWeek)>, DbError> {
    let rows: Vec<TeamRow> = tx
        .query(
            "SELECT h.team_id, t.handle, h.body FROM team_hours h
             JOIN teams t ON t.org_id = h.org_id AND t.team_id = h.team_id WHERE h.org_id = $1",
        )
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.team_id, row.handle, row.body.0)).collect())
}

/// Whose clocks and calendars the conditions of workflows read.
pub async fn find_time_zone(tx: &mut Tx) -> Result<Zone, DbError> {
    let name: Option<String> =
        tx.query("SELECT time_zone FROM settings WHERE org_id = $1").fetch_optional_value(tx).await?;
    Ok(name.map(|name| Zone::stored(&name)).unwrap_or_default())
}

/// Writes when a team works, if what is stored still has the version before; says whether it had.
pub async fn save_hours(
    tx: &mut Tx,
    team: TeamId,
    week: &BusinessWeek,
    before: i64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO team_hours (org_id, team_id, version, update_time, body) VALUES ($1, $2, $3 + 1, $4, $5)
             ON CONFLICT (org_id, team_id) DO UPDATE SET version = excluded.version,
                 update_time = excluded.update_time, body = excluded.body
             WHERE team_hours.version = $3",
        )
        .bind(team)
        .bind(before)
        .bind(now)
        .bind(Json(week))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// Forgets when a team works, with the team.
pub async fn delete_hours(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    tx.query("DELETE FROM team_hours WHERE org_id = $1 AND team_id = $2")
        .bind(team)
        .execute(tx)
        .await
        .map(drop)
}
