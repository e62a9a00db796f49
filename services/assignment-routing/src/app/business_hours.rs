//! When teams work (R9).

use audit::{Event, Origin};
use db::Tx;
use kernel::{TeamId, Timestamp};
use rpc::Caller;

use super::{App, check_version};
use crate::domain::hours::{BusinessWeek, Hours, TeamHours};
use crate::error::Error;
use crate::store;

/// When a team works, and whether it does now.
#[derive(Debug, Clone)]
pub struct Working {
    /// As it was said.
    pub hours: TeamHours,
    /// Whether they work now.
    pub open: bool,
}

impl App {
    /// Reads when a team works.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::Db`].
    pub async fn get_business_hours(&self, caller: &Caller, team: TeamId) -> Result<Working, Error> {
        let hours = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    store::teams::find_team_handle(tx, team).await?.ok_or(Error::NoSuchTeam)?;
                    Ok::<_, Error>(store::hours::find_hours(tx, team).await?)
                })
            })
            .await?;
        Ok(self.working(hours))
    }

    /// Says when a team works. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::Stale`], [`Error::Raced`], [`Error::Db`].
    pub async fn set_business_hours(
        &self,
        caller: &Caller,
        origin: Origin,
        team: TeamId,
        week: BusinessWeek,
        expected: Option<i64>,
    ) -> Result<Working, Error> {
        let now = self.clock.now();
        let hours = self
            .db
            .write(&caller.org, move |tx| Box::pin(set(tx, team, week, expected, now, origin)))
            .await?;
        Ok(self.working(hours))
    }

    fn working(&self, hours: TeamHours) -> Working {
        let open = Hours::of(hours.week.clone()).open_at(self.clock.now());
        Working { hours, open }
    }
}

async fn set(
    tx: &mut Tx,
    team: TeamId,
    week: BusinessWeek,
    expected: Option<i64>,
    now: Timestamp,
    origin: Origin,
) -> Result<TeamHours, Error> {
    // First of all: from here on the team is not deleted. Compiled workflows hold the hours, and are read anew.
    store::workflows::bump_revision(tx).await?;
    store::teams::find_team_handle(tx, team).await?.ok_or(Error::NoSuchTeam)?;
    let before = store::hours::find_hours(tx, team).await?;
    check_version(expected, before.version)?;
    if week == before.week {
        return Ok(before);
    }
    if !store::hours::save_hours(tx, team, &week, before.version, now).await? {
        return Err(Error::Raced);
    }
    audit::record(tx, &origin, &[Event::new("team.set_business_hours", team)]).await?;
    Ok(TeamHours { team, version: before.version + 1, week, update_time: Some(now) })
}
