//! A queue's turn: decides for many waiting conversations at once, purely, so that one lock and one commit serve them
//! all (R11).

use std::collections::BTreeMap;

use kernel::{AgentId, ConversationId, DecisionId, TeamId, Timestamp, WorkflowId};

use super::choose::{AgentSnapshot, Rotation, choose, ineligible};
use super::decision::{Cause, Decision, Outcome};
use super::history::entry_time;
use super::workflow::{Strategy, Trace};

/// A conversation that waits for an agent of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its version when it was read: it must still have it when it is assigned.
    pub version: i64,
    /// When the latest entry of its history was written.
    pub last_entry_time: Timestamp,
    /// How the team shares it.
    pub strategy: Strategy,
    /// The workflow that chose the team; `None`: a person did, or it was opened again.
    pub workflow: Option<WorkflowId>,
    /// The workflows that were looked at.
    pub traces: Vec<Trace>,
    /// Whether it is stored already that nobody could take it.
    pub explained: bool,
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

/// What became of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Those that got an agent.
    pub given: Vec<Given>,
    /// Those of which it is to be stored that they wait.
    pub waiting: Vec<ConversationId>,
    /// Why, for both.
    pub decisions: Vec<Decision>,
    /// How many each agent got.
    pub loads: BTreeMap<AgentId, i64>,
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

/// Whether anybody could take work.
#[must_use]
pub fn anybody(agents: &[AgentSnapshot], now: Timestamp) -> bool {
    agents.iter().any(|agent| ineligible(agent, now).is_none())
}

/// Gives each waiting conversation, in order, to whose turn it is; `agents` are sorted by id. A conversation that nobody
/// can take gets a decision that says so, once.
#[must_use]
pub fn decide(
    team: TeamId,
    queue: Vec<Waiting>,
    mut agents: Vec<AgentSnapshot>,
    rotation: Rotation,
    now: Timestamp,
    mut new_id: impl FnMut() -> DecisionId,
) -> Batch {
    let mut batch = Batch { rotation, ..Batch::default() };
    for it in queue {
        let choice = choose(&agents, &batch.rotation, now);
        if choice.chosen.is_none() && it.explained {
            continue;
        }
        let id = new_id();
        if let Some(agent) = choice.chosen {
            batch.rotation.last = Some(agent);
            *batch.loads.entry(agent).or_default() += 1;
            batch.given.push(Given {
                conversation: it.conversation,
                version: it.version,
                agent,
                decision: id,
                time: entry_time(it.last_entry_time, now),
            });
            for snapshot in agents.iter_mut().filter(|snapshot| snapshot.agent == agent) {
                snapshot.open += 1;
            }
        } else {
            batch.waiting.push(it.conversation);
        }
        let straight = it.workflow.is_some() && !it.explained;
        batch.decisions.push(Decision {
            id,
            conversation: it.conversation,
            decide_time: now,
            cause: if straight { Cause::Workflow } else { Cause::Queue },
            outcome: if choice.chosen.is_some() { Outcome::Assigned } else { Outcome::Queued },
            chosen: choice.chosen,
            team: Some(team),
            strategy: Some(it.strategy),
            workflow: it.workflow,
            workflows: it.traces,
            candidates: choice.candidates,
            decided_by: None,
        });
    }
    batch
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::super::choose::Availability;
    use super::*;

    // R11
    #[test]
    fn a_batch_is_smaller_the_more_members_each_of_its_decisions_names() {
        assert_eq!([0, 1, 100].map(|members| fitting(200, members)), [200; 3]);
        assert_eq!([101, 500, 20_001].map(|members| fitting(200, members)), [198, 40, 1]);
        assert_eq!(fitting(0, 5), 1);
    }

    fn agents(clock: &Clock, availability: Availability) -> Vec<AgentSnapshot> {
        let agent = |name: &str| AgentSnapshot {
            agent: clock.new_id().into(),
            subject: name.into(),
            username: name.into(),
            display_name: name.into(),
            availability,
            pinned: true,
            lease_expires: None,
            open: 0,
        };
        vec![agent("ana"), agent("ben"), agent("cem")]
    }

    fn queue(clock: &Clock, length: usize, explained: bool) -> Vec<Waiting> {
        let waiting = || Waiting {
            conversation: clock.new_id().into(),
            version: 1,
            last_entry_time: Timestamp::from_micros(0),
            strategy: Strategy::RoundRobin,
            workflow: Some(clock.new_id().into()),
            traces: Vec::new(),
            explained,
        };
        std::iter::repeat_with(waiting).take(length).collect()
    }

    fn decided(queue: Vec<Waiting>, agents: Vec<AgentSnapshot>) -> Batch {
        let clock = Clock::system();
        decide(clock.new_id().into(), queue, agents, Rotation::default(), clock.now(), || {
            clock.new_id().into()
        })
    }

    // R10
    #[test]
    fn a_batch_takes_turns_as_single_choices_would() {
        let clock = Clock::system();
        let batch = decided(queue(&clock, 7, false), agents(&clock, Availability::Online));
        assert_eq!(batch.loads.values().copied().collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!(batch.rotation.last, batch.given.last().map(|given| given.agent));
        let opens: Vec<i32> = batch.decisions.iter().map(|decision| decision.candidates[0].open).collect();
        assert_eq!(opens, [0, 0, 0, 1, 1, 1, 2], "each decision saw the load that those before it made");
    }

    // R11, R15
    #[test]
    fn that_nobody_can_take_it_is_said_once_and_the_cause_then_is_the_queue() {
        let clock = Clock::system();
        let away = decided(queue(&clock, 2, false), agents(&clock, Availability::Away));
        assert_eq!((away.given.len(), away.waiting.len(), away.decisions.len()), (0, 2, 2));
        let again = decided(queue(&clock, 2, true), agents(&clock, Availability::Away));
        assert_eq!(again, Batch::default());
        let back = decided(queue(&clock, 1, true), agents(&clock, Availability::Online));
        assert_eq!(back.decisions[0].cause, Cause::Queue);
    }
}
