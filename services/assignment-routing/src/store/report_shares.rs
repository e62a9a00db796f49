//! Whom the conversations of teams were given to, for reports: by day in UTC, and within each by quarters of an hour.

use db::{DbError, Tx};
use kernel::{AgentId, TeamId};

use super::unreadable;
use crate::domain::report::Slot;
use crate::domain::report_tally::ShareKey;
use crate::domain::report_times::{read, written};

/// Adds whom conversations of teams were given to, and when; each day of each pair once.
pub async fn add_shares(tx: &mut Tx, all: &[(ShareKey, Vec<Slot>)]) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO report_shares (org_id, team_id, day, agent_id, assigned, quarters) VALUES {}
         ON CONFLICT (org_id, team_id, day, agent_id) DO UPDATE SET
             assigned = report_shares.assigned + excluded.assigned,
             quarters = report_shares.quarters || excluded.quarters",
        db::org_rows(all.len(), 5)
    );
    let mut query = tx.query_dynamic(sql);
    for ((team, day, agent), slots) in all {
        let quarters: Vec<u64> = slots.iter().map(|slot| slot.of_day().1.unsigned_abs()).collect();
        let assigned = i64::try_from(slots.len()).unwrap_or(i64::MAX);
        query = query.bind(*team).bind(*day).bind(*agent).bind(assigned).bind(written(&quarters));
    }
    query.execute(tx).await.map(drop)
}

/// To whom how many of a team's conversations were given on the days between these two, without them.
pub async fn sum_shares_between(
    tx: &mut Tx,
    team: TeamId,
    first: i64,
    last: i64,
) -> Result<Vec<(AgentId, i64)>, DbError> {
    tx.query(
        "SELECT agent_id, CAST(SUM(assigned) AS BIGINT) FROM report_shares
         WHERE org_id = $1 AND team_id = $2 AND day > $3 AND day < $4 GROUP BY agent_id",
    )
    .bind(team)
    .bind(first)
    .bind(last)
    .fetch_all(tx)
    .await
}

/// To whom conversations of a team were given on these two days, and when.
pub async fn list_shares_on(
    tx: &mut Tx,
    team: TeamId,
    first: i64,
    last: i64,
) -> Result<Vec<(AgentId, Vec<Slot>)>, DbError> {
    let rows: Vec<(AgentId, i64, String)> = tx
        .query(
            "SELECT agent_id, day, quarters FROM report_shares
             WHERE org_id = $1 AND team_id = $2 AND day IN ($3, $4)",
        )
        .bind(team)
        .bind(first)
        .bind(last)
        .fetch_all(tx)
        .await?;
    rows.into_iter()
        .map(|(agent, day, quarters)| {
            let quarters = read(&quarters).ok_or_else(|| unreadable("report_shares.quarters"))?;
            let slot = |quarter| Slot::on_day(day, i64::try_from(quarter).unwrap_or_default());
            Ok((agent, quarters.into_iter().map(slot).collect()))
        })
        .collect()
}
