//! Agents made from a verified token on first sight (R1).

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{Role, Timestamp};
use rpc::Caller;

use super::App;
use crate::domain::agent::{Agent, Profile};
use crate::domain::handle::Handle;
use crate::domain::presence::Presence;
use crate::error::Error;
use crate::store;
use crate::store::handles::Named;

/// Tries to find a free username before giving up; each loses only to somebody else who takes a name at that moment.
const TRIES: usize = 5;

/// Numbers tried behind a username that is taken.
const NUMBERS: std::ops::RangeInclusive<u32> = 2..=50;

impl App {
    /// The caller's agent, with teams; made from their token if they have none.
    ///
    /// # Errors
    /// [`Error::Db`], or [`Error::Raced`] if others took every name at that moment.
    pub async fn agent_of(&self, caller: &Caller) -> Result<Agent, Error> {
        for _ in 0..TRIES {
            if let Some(agent) = self.find_agent_of(caller).await? {
                return Ok(agent);
            }
            match self.make_from_token(caller).await {
                Err(Error::HandleTaken | Error::SubjectTaken) => {}
                made => return made,
            }
        }
        Err(Error::Raced)
    }

    async fn find_agent_of(&self, caller: &Caller) -> Result<Option<Agent>, Error> {
        let subject = caller.subject.clone();
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let Some(mut agent) = store::agents::find_agent_of(tx, &subject).await? else {
                        return Ok(None);
                    };
                    agent.teams = teams_of(tx, &agent).await?;
                    Ok(Some(agent))
                })
            })
            .await
    }

    async fn make_from_token(&self, caller: &Caller) -> Result<Agent, Error> {
        let now = self.clock.now();
        let claim = caller.username.clone().unwrap_or_else(|| caller.subject.to_string());
        let mut agent = Agent {
            id: self.clock.new_id().into(),
            version: 1,
            subject: caller.subject.clone(),
            profile: profile(caller, Handle::cleaned(&claim)),
            presence: Presence::ABSENT,
            open: 0,
            open_units: 0,
            teams: Vec::new(),
            create_time: now,
            update_time: now,
        };
        // Whichever call it was that came first: it did not ask for it.
        let origin = Origin::new(&caller.subject, caller.role, "first sight");
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    agent.profile.username = free(tx, agent.profile.username).await?;
                    insert(tx, &agent, now, &origin).await?;
                    Ok(agent)
                })
            })
            .await
    }
}

fn profile(caller: &Caller, username: Handle) -> Profile {
    Profile {
        username,
        display_name: caller.name.clone().unwrap_or_default(),
        email: String::new(),
        role: match caller.role {
            role @ (Role::Supervisor | Role::Admin) => role,
            _ => Role::Agent,
        },
        languages: Vec::new(),
        skills: Vec::new(),
        time_zone: String::new(),
        working_hours: Vec::new(),
        capacity_units: 0,
    }
}

/// The handle, or the first numbered one that nobody has.
async fn free(tx: &mut Tx, wanted: Handle) -> Result<Handle, Error> {
    let wishes: Vec<Handle> =
        std::iter::once(wanted.clone()).chain(NUMBERS.map(|n| wanted.numbered(n))).collect();
    let asked: Vec<String> = wishes.iter().map(Handle::to_string).collect();
    let taken = store::handles::list_handles(tx, &asked).await?;
    let is_free = |wish: &Handle| taken.iter().all(|(handle, _)| handle != wish.as_str());
    wishes.into_iter().find(is_free).ok_or(Error::HandleTaken)
}

/// Makes all rows of a new agent.
pub(super) async fn insert(tx: &mut Tx, agent: &Agent, now: Timestamp, origin: &Origin) -> Result<(), Error> {
    store::handles::insert_handle(tx, &agent.profile.username, Named::Agent(agent.id))
        .await
        .map_err(taken)?;
    store::agents::insert_agent(tx, agent).await.map_err(taken)?;
    store::presence::insert_presence(tx, agent.id, agent.presence, now).await?;
    store::agents::insert_load(tx, agent.id).await?;
    Ok(audit::record(tx, origin, &[Event::new("agent.create", agent.id)]).await?)
}

/// Which name a violated key says is taken.
pub(super) fn taken(error: DbError) -> Error {
    if error.violates_unique("handles") || error.violates_unique_on("agents", "username") {
        Error::HandleTaken
    } else if error.violates_unique_on("agents", "subject") {
        Error::SubjectTaken
    } else {
        error.into()
    }
}

/// The teams of one agent.
pub(super) async fn teams_of(tx: &mut Tx, agent: &Agent) -> Result<Vec<kernel::TeamId>, Error> {
    let teams = store::teams::list_teams_of(tx, &[agent.id]).await?;
    Ok(teams.into_iter().map(|(_, team)| team).collect())
}
