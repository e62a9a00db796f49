//! Who belongs to a team. A new member who is there drains its queue.

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, TeamId};
use rpc::Caller;

use super::App;
use crate::domain::team::{MOST_MEMBERS, Team};
use crate::error::Error;
use crate::store;

impl App {
    /// Adds members; who is one already stays.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::NoSuchAgent`], [`Error::Invalid`] for more than a team can have, [`Error::Db`].
    pub async fn add_members(
        &self,
        caller: &Caller,
        origin: Origin,
        team: TeamId,
        agents: Vec<AgentId>,
    ) -> Result<Team, Error> {
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    // Members are counted below: nobody else may add some meanwhile.
                    store::locks::lock_team(tx, team).await?;
                    store::teams::find_team(tx, team).await?.ok_or(Error::NoSuchTeam)?;
                    let agents = check_agents(tx, agents).await?;
                    let added = store::teams::insert_members(tx, team, &agents).await?;
                    let team = app.changed(tx, team, added, "team.add_members", &origin).await?;
                    if added > 0 {
                        check_size(team.members)?;
                    }
                    Ok(team)
                })
            })
            .await
    }

    /// Removes members. Their open conversations stay with them; what the team asks them is taken back.
    ///
    /// # Errors
    /// [`Error::NoSuchTeam`], [`Error::Db`].
    pub async fn remove_members(
        &self,
        caller: &Caller,
        origin: Origin,
        team: TeamId,
        agents: Vec<AgentId>,
    ) -> Result<Team, Error> {
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    // Nobody is asked by a team that they leave at that moment.
                    store::locks::lock_teams(tx, &[team]).await?;
                    store::teams::find_team(tx, team).await?.ok_or(Error::NoSuchTeam)?;
                    let removed = store::teams::delete_members(tx, team, &agents).await?;
                    app.take_back_from(tx, &agents, Some(team)).await?;
                    app.changed(tx, team, removed, "team.remove_members", &origin).await
                })
            })
            .await
    }

    async fn changed(
        &self,
        tx: &mut Tx,
        team: TeamId,
        members: u64,
        action: &'static str,
        origin: &Origin,
    ) -> Result<Team, Error> {
        if members > 0 {
            audit::record(tx, origin, &[Event::new(action, team)]).await?;
            store::teams::touch_team(tx, team, self.clock.now()).await?;
            self.ring_inboxes(tx);
            self.ring(tx, team);
        }
        store::teams::find_team(tx, team).await?.ok_or(Error::NoSuchTeam)
    }
}

/// These agents, sorted and each once, if all of them are there.
pub(super) async fn check_agents(tx: &mut Tx, mut agents: Vec<AgentId>) -> Result<Vec<AgentId>, Error> {
    agents.sort_unstable();
    agents.dedup();
    let known = store::agents::list_people(tx, &agents).await?;
    if known.len() == agents.len() { Ok(agents) } else { Err(Error::NoSuchAgent) }
}

/// Refuses more members than a team can have.
pub(super) fn check_size(members: i64) -> Result<(), Error> {
    if members <= MOST_MEMBERS {
        return Ok(());
    }
    let reason = format!("would make {members} members: a team has at most {MOST_MEMBERS}");
    Err(Error::Invalid { field: "agent_ids", reason })
}
