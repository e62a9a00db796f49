//! A queue's turn: decides for many waiting conversations at once, purely, so that one lock and one commit serve them
//! all (R11).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use kernel::{AgentId, ContactId, ConversationId, DecisionId, TeamId, Timestamp, WorkflowId};

use super::agent::Skill;
use super::choose::{AgentSnapshot, Choice, Rotation, Terms, Want, choose, ineligible};
use super::decision::{Cause, Decision, Outcome};
use super::history::entry_time;
use super::load::Load;
use super::sharing::{Demand, Sharing, Strategy};
use super::workflow::Trace;

/// A conversation that waits for an agent of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its version when it was read: it must still have it when it is assigned.
    pub version: i64,
    /// When the latest entry of its history was written.
    pub last_entry_time: Timestamp,
    /// Whose it is.
    pub contact: ContactId,
    /// What it costs.
    pub units: i64,
    /// How the team shares it.
    pub sharing: Sharing,
    /// Since when it waits.
    pub queue_time: Timestamp,
    /// The workflow that chose the team; `None`: a person did, or it was opened again.
    pub workflow: Option<WorkflowId>,
    /// The workflows that were looked at.
    pub traces: Vec<Trace>,
    /// Whether it is stored already that nobody could take it.
    pub explained: bool,
}

impl Waiting {
    /// What it asks of whoever takes it now.
    #[must_use]
    pub fn demand(&self, now: Timestamp) -> Demand {
        self.sharing.demand(self.units, now.since(self.queue_time))
    }
}

/// A conversation that got its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The conversation.
    pub conversation: ConversationId,
    /// The version it was read with.
    pub version: i64,
    /// Who gets it.
    pub agent: AgentId,
    /// The decision that says why.
    pub decision: DecisionId,
    /// When its history says that it was.
    pub time: Timestamp,
}

/// What an agent got of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gift {
    /// How much.
    pub load: Load,
    /// Units they may have open with it; 0: no limit.
    pub capacity: i64,
    /// When they got the last of it.
    pub last: Timestamp,
    /// Since when they are there.
    pub came_online: Timestamp,
}

/// What became of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Those that got an agent.
    pub given: Vec<Given>,
    /// Those of which it is to be stored that they wait.
    pub waiting: Vec<ConversationId>,
    /// Why, for both.
    pub decisions: Vec<Decision>,
    /// How much each agent got.
    pub gifts: BTreeMap<AgentId, Gift>,
    /// Whose turn it was last.
    pub rotation: Rotation,
}

/// Candidates stored by one batch, at most: each of its decisions names every member of the team.
const CANDIDATES: usize = 20_000;

/// How many conversations are decided at once for a team of so many members: at least one.
#[must_use]
pub fn fitting(at_most: usize, members: usize) -> usize {
    at_most.min(CANDIDATES / members.max(1)).max(1)
}

/// A team that decides on what waits for it.
#[derive(Debug)]
pub struct Desk {
    team: TeamId,
    agents: Vec<AgentSnapshot>,
    terms: Terms,
    /// Whether it is known what its agents are good at.
    knows_skills: bool,
    last_agents: HashMap<ContactId, AgentId>,
    /// What nobody can take: nobody gets freer in a batch.
    blocked: HashSet<Demand>,
    batch: Batch,
}

impl Desk {
    /// The team with its agents, sorted by id, at a moment.
    #[must_use]
    pub fn new(team: TeamId, agents: Vec<AgentSnapshot>, rotation: Rotation, terms: Terms) -> Self {
        let batch = Batch { rotation, ..Batch::default() };
        let (last_agents, blocked) = (HashMap::new(), HashSet::new());
        Self { team, agents, terms, knows_skills: false, last_agents, blocked, batch }
    }

    /// What its agents are good at: needed before anything is decided that asks for it.
    pub fn know_skills(&mut self, mut skills: HashMap<AgentId, Vec<Skill>>) {
        for agent in &mut self.agents {
            agent.skills = skills.remove(&agent.agent).unwrap_or_default();
        }
        self.knows_skills = true;
    }

    /// Whether it is known what its agents are good at.
    #[must_use]
    pub fn knows_skills(&self) -> bool {
        self.knows_skills
    }

    /// Who last had a conversation of some contacts.
    pub fn know_last_agents(&mut self, last_agents: HashMap<ContactId, AgentId>) {
        self.last_agents.extend(last_agents);
    }

    /// Its agents.
    #[must_use]
    pub fn agents(&self) -> &[AgentSnapshot] {
        &self.agents
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.terms.now
    }

    /// Whether somebody could take what asks for this.
    #[must_use]
    pub fn takes(&self, demand: &Demand) -> bool {
        self.agents.iter().any(|agent| ineligible(agent, demand, self.terms).is_none())
    }

    /// Whether somebody could take anything.
    #[must_use]
    pub fn takes_anything(&self) -> bool {
        self.takes(&Demand { units: 1, skills: Vec::new() })
    }

    /// Gives each waiting conversation, in order, to whom its strategy says, until `most` are decided. One that nobody can
    /// take gets a decision that says so, once, and does not stand in the way of those behind it that ask for something else.
    pub fn decide(&mut self, queue: Vec<Waiting>, most: usize, mut new_id: impl FnMut() -> DecisionId) {
        for it in queue {
            if self.batch.decisions.len() >= most {
                return;
            }
            let demand = it.demand(self.terms.now);
            if it.explained && self.blocked.contains(&demand) {
                continue;
            }
            let sticky = it.sharing.strategy == Strategy::Sticky;
            let last_agent = self.last_agents.get(&it.contact).copied().filter(|_| sticky);
            let want = Want { strategy: it.sharing.strategy, demand: &demand, last_agent };
            let choice = choose(&self.agents, want, self.batch.rotation, self.terms);
            match choice.chosen {
                Some(agent) => {
                    let id = new_id();
                    self.give(&it, agent, choice.by_turn, id);
                    self.explain(id, it, last_agent, choice);
                }
                None => {
                    self.blocked.insert(demand);
                    if !it.explained {
                        self.batch.waiting.push(it.conversation);
                        self.explain(new_id(), it, last_agent, choice);
                    }
                }
            }
        }
    }

    /// Whether anything was given to anybody.
    #[must_use]
    pub fn gave(&self) -> bool {
        !self.batch.given.is_empty()
    }

    /// Whether anything was decided.
    #[must_use]
    pub fn decided(&self) -> bool {
        !self.batch.decisions.is_empty()
    }

    /// What was decided, and by whose agents.
    #[must_use]
    pub fn done(self) -> (Batch, Vec<AgentSnapshot>) {
        (self.batch, self.agents)
    }

    fn give(&mut self, it: &Waiting, agent: AgentId, by_turn: bool, decision: DecisionId) {
        // Each a little later than the one before: who got something first in a batch was idle for longer.
        let place = u64::try_from(self.batch.given.len()).unwrap_or_default();
        let last = self.terms.now.plus(Duration::from_micros(place));
        let time = entry_time(it.last_entry_time, self.terms.now);
        if by_turn {
            self.batch.rotation.last = Some(agent);
        }
        self.last_agents.insert(it.contact, agent);
        self.batch.given.push(Given {
            conversation: it.conversation,
            version: it.version,
            agent,
            decision,
            time,
        });
        for snapshot in self.agents.iter_mut().filter(|snapshot| snapshot.agent == agent) {
            snapshot.open += 1;
            snapshot.room.units += it.units;
            snapshot.given += 1;
            snapshot.last_assign_time = Some(last);
            let gift = self.batch.gifts.entry(agent).or_insert(Gift {
                load: Load::default(),
                capacity: snapshot.room.capacity,
                last,
                came_online: snapshot.came_online,
            });
            gift.load += Load::one(it.units);
            gift.last = last;
        }
    }

    fn explain(&mut self, id: DecisionId, it: Waiting, last_agent: Option<AgentId>, choice: Choice) {
        let straight = it.workflow.is_some() && !it.explained;
        let relaxation = it.sharing.relaxation(self.terms.now.since(it.queue_time));
        self.batch.decisions.push(Decision {
            id,
            conversation: it.conversation,
            decide_time: self.terms.now,
            cause: if straight { Cause::Workflow } else { Cause::Queue },
            outcome: if choice.chosen.is_some() { Outcome::Assigned } else { Outcome::Queued },
            chosen: choice.chosen,
            team: Some(self.team),
            strategy: Some(it.sharing.strategy),
            workflow: it.workflow,
            workflows: it.traces,
            candidates: choice.candidates,
            decided_by: None,
            units: it.units,
            required_skills: it.sharing.required_skills,
            relaxation,
            last_agent,
            over_capacity: false,
            escalated: false,
            requeued: None,
        });
    }
}

#[cfg(test)]
mod tests;
