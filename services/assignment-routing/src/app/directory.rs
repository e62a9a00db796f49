//! What `@` resolves: three statements, however many names.

use std::collections::HashMap;

use kernel::{Subject, TeamId};
use rpc::Caller;

use super::App;
use crate::domain::agent::{Person, Reach};
use crate::error::Error;
use crate::store;
use crate::store::handles::Named;

/// What a handle names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The handle, lowercase.
    pub handle: String,
    /// What it is.
    pub meaning: Meaning,
}

/// What a handle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// There is no such agent or team.
    Nothing,
    /// An agent.
    Agent(Person),
    /// A team, and its members by username.
    Team(TeamId, Vec<Person>),
}

impl App {
    /// Resolves names without the `@`, compared without regard to case: one entry for each distinct one, in the order
    /// asked.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn resolve_handles(
        &self,
        caller: &Caller,
        handles: Vec<String>,
    ) -> Result<Vec<Resolved>, Error> {
        let mut asked: Vec<String> = Vec::with_capacity(handles.len());
        for handle in handles.into_iter().map(|handle| handle.to_lowercase()) {
            if !asked.contains(&handle) {
                asked.push(handle);
            }
        }
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let mut named: HashMap<String, Named> =
                        store::handles::list_handles(tx, &asked).await?.into_iter().collect();
                    let agents: Vec<_> = named.values().filter_map(|it| as_agent(*it)).collect();
                    let teams: Vec<_> = named.values().filter_map(|it| as_team(*it)).collect();
                    let people = store::agents::list_people(tx, &agents).await?;
                    let people: HashMap<_, _> =
                        people.into_iter().map(|person| (person.agent, person)).collect();
                    let mut members: HashMap<TeamId, Vec<Person>> = HashMap::new();
                    for (team, person) in store::teams::list_members(tx, &teams).await? {
                        members.entry(team).or_default().push(person);
                    }
                    let meaning = |handle: String| {
                        let meaning = match named.remove(&handle) {
                            Some(Named::Agent(agent)) => {
                                people.get(&agent).cloned().map_or(Meaning::Nothing, Meaning::Agent)
                            }
                            Some(Named::Team(team)) => {
                                Meaning::Team(team, members.remove(&team).unwrap_or_default())
                            }
                            None => Meaning::Nothing,
                        };
                        Resolved { handle, meaning }
                    };
                    Ok(asked.into_iter().map(meaning).collect())
                })
            })
            .await
    }
}

impl App {
    /// How to reach those of these people who have a profile, by username.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn reach(&self, caller: &Caller, subjects: Vec<Subject>) -> Result<Vec<Reach>, Error> {
        let read = self.db.read(&caller.org, move |tx| {
            Box::pin(async move { store::people::list_reach(tx, &subjects).await.map_err(Error::from) })
        });
        read.await
    }
}

fn as_agent(named: Named) -> Option<kernel::AgentId> {
    match named {
        Named::Agent(agent) => Some(agent),
        Named::Team(_) => None,
    }
}

fn as_team(named: Named) -> Option<TeamId> {
    match named {
        Named::Team(team) => Some(team),
        Named::Agent(_) => None,
    }
}
