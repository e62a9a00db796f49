//! Workflows, and what they make of a conversation: a pure function from facts to a [`Plan`].

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{TeamId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use super::condition::{Condition, Facts};
use super::priority::Priority;

/// How a team shares work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// Strict turns.
    #[default]
    RoundRobin,
}

/// When a workflow is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// A conversation began.
    ConversationCreated,
}

/// One thing a workflow does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Gives the conversation to a team.
    AssignTeam {
        /// The team.
        team: TeamId,
        /// How it shares work.
        strategy: Strategy,
    },
    /// Adds tags.
    AddTags(BTreeSet<String>),
    /// Sets the priority.
    SetPriority(Priority),
    /// Ends the run: no further workflow is looked at.
    Stop,
}

/// When something happens, and a condition holds: do this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The workflow.
    pub id: WorkflowId,
    /// Grows by one with every change.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// Workflows run by ascending position, then by age.
    pub position: i32,
    /// Whether it is skipped.
    pub disabled: bool,
    /// When it is looked at.
    pub trigger: Trigger,
    /// CEL; empty: always.
    pub condition: String,
    /// What it does, in order.
    pub actions: Vec<Action>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// What became of a workflow when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Its condition held; its actions ran.
    Matched,
    /// Its condition did not hold.
    NotMatched,
    /// Its condition could not be evaluated: it was skipped.
    Failed,
}

/// A workflow that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The workflow.
    pub workflow: WorkflowId,
    /// Its name at that time.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it failed; empty otherwise.
    pub detail: String,
}

/// The queue a plan puts a conversation into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// The team.
    pub team: TeamId,
    /// How it shares work.
    pub strategy: Strategy,
    /// The workflow that said so.
    pub workflow: WorkflowId,
}

/// What the workflows make of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where it queues; `None`: no workflow gave it to a team.
    pub queue: Option<Routed>,
    /// All its tags, old and new.
    pub tags: BTreeSet<String>,
    /// Its priority.
    pub priority: Priority,
    /// The workflows that were looked at, in order.
    pub traces: Vec<Trace>,
}

/// The workflows of an organization, compiled once for each version of the set.
#[derive(Debug, Clone, Default)]
pub struct Ruleset(Arc<Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    workflow: Workflow,
    condition: Result<Condition, String>,
}

impl Ruleset {
    /// Compiles workflows. One whose stored condition no longer compiles stays in, and fails when it is looked at.
    #[must_use]
    pub fn compile(mut workflows: Vec<Workflow>) -> Self {
        workflows.retain(|workflow| !workflow.disabled);
        workflows.sort_by_key(|workflow| (workflow.position, workflow.create_time, workflow.id));
        let rules = workflows.into_iter().map(|workflow| {
            let condition = Condition::parse(&workflow.condition).map_err(|bad| bad.to_string());
            Rule { workflow, condition }
        });
        Self(Arc::new(rules.collect()))
    }

    /// Runs the workflows of a trigger over the facts. A workflow sees what those before it did.
    #[must_use]
    pub fn run(&self, trigger: Trigger, mut facts: Facts) -> Plan {
        let mut plan = Plan::default();
        for rule in self.0.iter().filter(|rule| rule.workflow.trigger == trigger) {
            let outcome =
                rule.condition.as_ref().map_err(Clone::clone).and_then(|condition| condition.holds(&facts));
            let (verdict, detail) = match outcome {
                Ok(true) => (Verdict::Matched, String::new()),
                Ok(false) => (Verdict::NotMatched, String::new()),
                Err(why) => (Verdict::Failed, why),
            };
            let workflow = &rule.workflow;
            plan.traces.push(Trace { workflow: workflow.id, name: workflow.name.clone(), verdict, detail });
            if verdict == Verdict::Matched && act(workflow, &mut facts, &mut plan) == Flow::Stop {
                break;
            }
        }
        plan.tags = facts.tags;
        plan.priority = facts.priority;
        plan
    }
}

#[derive(PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

fn act(workflow: &Workflow, facts: &mut Facts, plan: &mut Plan) -> Flow {
    for action in &workflow.actions {
        match action {
            Action::AssignTeam { team, strategy } => {
                plan.queue = Some(Routed { team: *team, strategy: *strategy, workflow: workflow.id });
            }
            Action::AddTags(tags) => facts.tags.extend(tags.iter().cloned()),
            Action::SetPriority(priority) => facts.priority = *priority,
            Action::Stop => return Flow::Stop,
        }
    }
    Flow::Continue
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn workflow(clock: &Clock, position: i32, condition: &str, actions: Vec<Action>) -> Workflow {
        Workflow {
            id: WorkflowId::from_uuid(clock.new_id()),
            version: 1,
            name: format!("workflow {position}"),
            position,
            disabled: false,
            trigger: Trigger::ConversationCreated,
            condition: condition.to_owned(),
            actions,
            create_time: clock.now(),
            update_time: clock.now(),
        }
    }

    fn team(clock: &Clock) -> TeamId {
        TeamId::from_uuid(clock.new_id())
    }

    fn assign(team: TeamId) -> Action {
        Action::AssignTeam { team, strategy: Strategy::RoundRobin }
    }

    fn airline() -> Facts {
        Facts { source: "airline".into(), ..Facts::default() }
    }

    // R9
    #[test]
    fn workflows_run_in_order_and_later_ones_see_what_earlier_ones_did() {
        let clock = Clock::system();
        let (first, last) = (team(&clock), team(&clock));
        let rules = Ruleset::compile(vec![
            workflow(&clock, 20, "'travel' in conversation.tags", vec![assign(last)]),
            workflow(
                &clock,
                10,
                "conversation.source == 'airline'",
                vec![
                    assign(first),
                    Action::AddTags(BTreeSet::from(["travel".into()])),
                    Action::SetPriority(Priority::High),
                ],
            ),
        ]);
        let plan = rules.run(Trigger::ConversationCreated, airline());
        assert_eq!(plan.queue.map(|queue| queue.team), Some(last), "the last one that runs counts");
        assert_eq!(plan.tags, BTreeSet::from(["travel".to_owned()]));
        assert_eq!(plan.priority, Priority::High);
    }

    // R9
    #[test]
    fn stop_ends_the_run_and_a_failing_workflow_is_skipped_and_named() {
        let clock = Clock::system();
        let wanted = team(&clock);
        let rules = Ruleset::compile(vec![
            workflow(&clock, 1, "conversation.source > 3", vec![assign(team(&clock))]),
            workflow(&clock, 2, "", vec![assign(wanted), Action::Stop]),
            workflow(&clock, 3, "", vec![assign(team(&clock))]),
        ]);
        let plan = rules.run(Trigger::ConversationCreated, airline());
        assert_eq!(plan.queue.map(|queue| queue.team), Some(wanted));
        let verdicts: Vec<Verdict> = plan.traces.iter().map(|trace| trace.verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Matched]);
        assert!(!plan.traces[0].detail.is_empty());
    }

    // R9
    #[test]
    fn a_disabled_workflow_is_not_looked_at() {
        let clock = Clock::system();
        let mut off = workflow(&clock, 1, "", vec![assign(team(&clock))]);
        off.disabled = true;
        assert_eq!(Ruleset::compile(vec![off]).run(Trigger::ConversationCreated, airline()), Plan::default());
    }
}
