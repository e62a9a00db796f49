//! A team at its desk: it decides on what waits for it, one after the other, each with what those before it made of everybody's load.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kernel::{AgentId, ContactId, DecisionId, TeamId, Timestamp};
use uuid::Uuid;

use super::{Batch, Gift, Given, Waiting};
use crate::domain::agent::Skill;
use crate::domain::choose::{
    AgentSnapshot, Candidate, Choice, Exclusion, Rotation, Terms, Want, choose, ineligible,
};
use crate::domain::decision::{Cause, Decision, Outcome};
use crate::domain::history::entry_time;
use crate::domain::load::Load;
use crate::domain::offer::{Offer, OfferId};
use crate::domain::sharing::{Demand, Strategy};

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
    pub fn decide(&mut self, queue: Vec<Waiting>, most: usize, mut new_id: impl FnMut() -> Uuid) {
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
            let want =
                Want { strategy: it.sharing.strategy, demand: &demand, last_agent, refusals: &it.refusals };
            let choice = choose(&self.agents, want, self.batch.rotation, self.terms);
            match choice.chosen {
                Some(agent) => {
                    let id = new_id().into();
                    if choice.by_turn {
                        self.batch.rotation.last = Some(agent);
                    }
                    if choice.anew {
                        self.batch.anew.push(it.conversation);
                    }
                    let offer = self.terms.offering.asks().then(|| self.offer(&it, agent, new_id().into()));
                    if offer.is_none() {
                        self.give(&it, agent, id);
                    }
                    self.explain(id, it, last_agent, choice, offer);
                }
                None => {
                    // Somebody who refused this one may take the next that asks for the same.
                    let refused = |it: &Candidate| it.exclusion == Some(Exclusion::Refused);
                    if !choice.candidates.iter().any(refused) {
                        self.blocked.insert(demand);
                    }
                    if !it.explained {
                        self.batch.waiting.push(it.conversation);
                        self.explain(new_id().into(), it, last_agent, choice, None);
                    }
                }
            }
        }
    }

    /// Whether anything was given to anybody, or offered.
    #[must_use]
    pub fn gave(&self) -> bool {
        !self.batch.gifts.is_empty()
    }

    /// Whether its agents are asked first.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.terms.offering.asks()
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

    fn give(&mut self, it: &Waiting, agent: AgentId, decision: DecisionId) {
        let time = entry_time(it.last_entry_time, self.terms.now);
        self.load(agent, Load::one(it.units));
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
        }
    }

    /// Asks whoever's turn it is: they have the units reserved from now on, and the next turn is another's, whatever they answer.
    fn offer(&mut self, it: &Waiting, agent: AgentId, id: OfferId) -> OfferId {
        let (now, timeout) = (self.terms.now, self.terms.offering.timeout);
        let offer = Offer::of(it, id, agent, self.team, now, timeout);
        for snapshot in self.agents.iter_mut().filter(|snapshot| snapshot.agent == agent) {
            snapshot.offers += 1;
        }
        self.load(agent, offer.reserves());
        self.batch.offered.push(offer);
        id
    }

    /// Each a little later than the one before: who got something first in a batch was idle for longer.
    fn load(&mut self, agent: AgentId, load: Load) {
        let place = u64::try_from(self.batch.given.len() + self.batch.offered.len()).unwrap_or_default();
        let last = self.terms.now.plus(Duration::from_micros(place));
        for snapshot in self.agents.iter_mut().filter(|snapshot| snapshot.agent == agent) {
            snapshot.room.units += load.taken();
            snapshot.given += load.conversations;
            snapshot.last_assign_time = Some(last);
            let gift = self.batch.gifts.entry(agent).or_insert(Gift {
                load: Load::default(),
                capacity: snapshot.room.capacity,
                last,
                came_online: snapshot.came_online,
            });
            gift.load += load;
            gift.last = last;
        }
    }

    fn explain(
        &mut self,
        id: DecisionId,
        it: Waiting,
        last_agent: Option<AgentId>,
        choice: Choice,
        offer: Option<OfferId>,
    ) {
        let straight = it.workflow.is_some() && !it.explained;
        let relaxation = it.sharing.relaxation(self.terms.now.since(it.queue_time));
        self.batch.decisions.push(Decision {
            id,
            conversation: it.conversation,
            decide_time: self.terms.now,
            cause: if straight { Cause::Workflow } else { Cause::Queue },
            outcome: match (choice.chosen, offer) {
                (Some(_), Some(_)) => Outcome::Offered,
                (Some(_), None) => Outcome::Assigned,
                (None, _) => Outcome::Queued,
            },
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
            offer,
            left: None,
        });
    }
}
