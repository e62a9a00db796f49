//! What the workflows of an organization make of a conversation: a pure function from facts to a [`Plan`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::{AgentId, TeamId, Timestamp, WorkflowId};

use super::condition::{Asks, Condition};
use super::conversation::{Conversation, MOST_TAGS};
use super::facts::{Calendar, Facts, Sheet};
use super::priority::Priority;
use super::reply_limit::ReplyLimit;
use super::sharing::Sharing;
use super::sla::news;
use super::sla::policies::Policies;
use super::timer::Timer;
use super::workflow::{Action, Trace, Trigger, Verdict, Workflow};

/// Notes that one run writes, at most, and times it tells people.
const MOST_WORDS: usize = 20;

/// The queue a plan puts a conversation into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The team.
    pub team: TeamId,
    /// How it shares the conversation.
    pub sharing: Sharing,
    /// The workflow that said so.
    pub workflow: WorkflowId,
}

/// The agent to whom a plan gives a conversation, if they can take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The agent.
    pub agent: AgentId,
    /// The workflow that said so.
    pub workflow: WorkflowId,
}

/// What people are told by a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The workflow that does.
    pub workflow: WorkflowId,
    /// Agents.
    pub agents: BTreeSet<AgentId>,
    /// A team, whose members are told.
    pub team: Option<TeamId>,
    /// Why, in a sentence.
    pub reason: String,
}

/// A note that a workflow writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowNote {
    /// The workflow.
    pub workflow: WorkflowId,
    /// What it is called.
    pub name: String,
    /// Markdown.
    pub text: String,
}

/// What the workflows make of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who gets it if they can take it; `None`: no workflow named anybody.
    pub agent: Option<Named>,
    /// Where it queues; `None`: no workflow gave it to a team.
    pub queue: Option<Routed>,
    /// All its tags, old and new.
    pub tags: BTreeSet<String>,
    /// Its priority.
    pub priority: Priority,
    /// Who is told what.
    pub notices: Vec<Notice>,
    /// What is noted down.
    pub notes: Vec<WorkflowNote>,
    /// The workflows that were looked at, in order.
    pub traces: Vec<Trace>,
}

impl Plan {
    /// How many workflows failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.traces.iter().filter(|trace| trace.verdict == Verdict::Failed).count()
    }

    /// Whether there is something to explain: a workflow did something, or should have.
    #[must_use]
    pub fn is_eventful(&self) -> bool {
        self.traces.iter().any(|trace| trace.verdict != Verdict::NotMatched)
    }

    /// What a workflow that was looked at is called.
    #[must_use]
    pub fn name_of(&self, workflow: WorkflowId) -> &str {
        self.traces.iter().find(|trace| trace.workflow == workflow).map_or("", |trace| &trace.name)
    }

    /// Notes what of a workflow's actions could not be done, each thing once.
    pub fn remark(&mut self, workflow: WorkflowId, detail: &str) {
        let news = |trace: &&mut Trace| trace.workflow == workflow && !trace.detail.contains(detail);
        for trace in self.traces.iter_mut().filter(news) {
            let between = if trace.detail.is_empty() { "" } else { "; " };
            trace.detail = format!("{}{between}{detail}", trace.detail);
        }
    }
}

/// The workflows of an organization, compiled once for each version of the set, with what their conditions ask the time of, and what
/// else happens by itself after a while.
#[derive(Debug, Clone, Default)]
pub struct Ruleset(Arc<Rules>);

#[derive(Debug, Clone, Default)]
struct Rules {
    rules: Vec<Arc<Rule>>,
    calendar: Calendar,
    reply_limits: BTreeMap<TeamId, ReplyLimit>,
    policies: Policies,
}

#[derive(Debug)]
struct Rule {
    workflow: Workflow,
    condition: Result<Condition, String>,
}

impl Rule {
    fn asks(&self) -> Asks {
        self.condition.as_ref().map(Condition::asks).unwrap_or_default()
    }
}

impl Ruleset {
    /// Compiles workflows. One whose stored condition no longer compiles stays in, and fails when it is looked at.
    #[must_use]
    pub fn compile(
        mut workflows: Vec<Workflow>,
        calendar: Calendar,
        reply_limits: BTreeMap<TeamId, ReplyLimit>,
    ) -> Self {
        workflows.retain(|workflow| !workflow.disabled);
        workflows.sort_by_key(|workflow| (workflow.position, workflow.create_time, workflow.id));
        let rules = workflows.into_iter().map(|workflow| {
            let condition = Condition::parse(&workflow.condition).map_err(|bad| bad.to_string());
            Arc::new(Rule { workflow, condition })
        });
        Self(Arc::new(Rules {
            rules: rules.collect(),
            calendar,
            reply_limits,
            policies: Policies::default(),
        }))
    }

    /// The same, with targets for conversations.
    #[must_use]
    pub fn with_policies(self, policies: Policies) -> Self {
        Self(Arc::new(Rules { policies, ..Rules::clone(&self.0) }))
    }

    /// Targets for conversations.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.0.policies
    }

    /// Those of its workflows, in their order.
    #[must_use]
    pub fn only(&self, these: &BTreeSet<WorkflowId>) -> Self {
        let rules = self.0.rules.iter().filter(|rule| these.contains(&rule.workflow.id)).cloned().collect();
        Self(Arc::new(Rules { rules, ..Rules::clone(&self.0) }))
    }

    /// A workflow that is not switched off.
    #[must_use]
    pub fn find(&self, id: WorkflowId) -> Option<&Workflow> {
        self.0.rules.iter().map(|rule| &rule.workflow).find(|workflow| workflow.id == id)
    }

    /// How long members of a team may leave a waiting customer without a reply.
    #[must_use]
    pub fn reply_limit(&self, team: TeamId) -> Option<ReplyLimit> {
        self.0.reply_limits.get(&team).copied()
    }

    /// What is to be looked at later because a conversation, which was so before it if it was at all, is so now.
    pub fn timers(
        &self,
        was: Option<&Conversation>,
        is: &Conversation,
        now: Timestamp,
    ) -> impl Iterator<Item = Timer> {
        let limit = is.team.and_then(|team| self.reply_limit(team));
        let workflows = self.0.rules.iter().filter_map(move |rule| rule.workflow.timer(was, is, now));
        workflows.chain(limit.and_then(|limit| limit.timer(was, is, now))).chain(news::sooner(was, is))
    }

    /// How many workflows are looked at when this happens.
    #[must_use]
    pub fn count(&self, triggers: &[Trigger]) -> usize {
        self.of(triggers).count()
    }

    /// What has to be known when this happens, beside the conversation and the message.
    #[must_use]
    pub fn asks(&self, triggers: &[Trigger]) -> Asks {
        self.of(triggers).map(Rule::asks).fold(Asks::default(), |all, asks| all | asks)
    }

    /// The teams to which workflows may give a conversation when this happens.
    pub fn teams(&self, triggers: &[Trigger]) -> impl Iterator<Item = TeamId> {
        self.of(triggers).flat_map(|rule| &rule.workflow.actions).filter_map(|action| match action {
            Action::AssignTeam { team, .. } => Some(*team),
            _ => None,
        })
    }

    /// Runs the workflows of what happened at `time` over the facts, in one order whatever their triggers. A workflow sees what
    /// those before it did.
    #[must_use]
    pub fn run(&self, triggers: &[Trigger], mut facts: Facts, time: Timestamp) -> Plan {
        let moment = self.asks(triggers).time.then(|| self.0.calendar.at(time));
        let mut plan = Plan::default();
        let mut sheet = None;
        for rule in self.of(triggers) {
            let seen = sheet.get_or_insert_with(|| Sheet::of(&facts, moment.as_ref()));
            let outcome = rule.condition.as_ref().map_err(Clone::clone);
            let (verdict, detail) = match outcome.and_then(|condition| condition.holds(seen)) {
                Ok(true) => (Verdict::Matched, String::new()),
                Ok(false) => (Verdict::NotMatched, String::new()),
                Err(why) => (Verdict::Failed, why),
            };
            let workflow = &rule.workflow;
            plan.traces.push(Trace { workflow: workflow.id, name: workflow.name.clone(), verdict, detail });
            if verdict == Verdict::Matched {
                sheet = None;
                if act(workflow, &mut facts, &mut plan) == Flow::Stop {
                    break;
                }
            }
        }
        plan.tags = facts.tags;
        plan.priority = facts.priority;
        plan
    }

    fn of(&self, triggers: &[Trigger]) -> impl Iterator<Item = &Rule> {
        self.0.rules.iter().map(Arc::as_ref).filter(move |rule| triggers.contains(&rule.workflow.trigger))
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
            Action::AssignTeam { team, sharing } => {
                plan.queue = Some(Routed { team: *team, sharing: sharing.clone(), workflow: workflow.id });
                facts.team = Some(*team);
            }
            Action::AssignAgent(agent) => plan.agent = Some(Named { agent: *agent, workflow: workflow.id }),
            Action::AddTags(tags) => {
                for tag in tags {
                    if facts.tags.len() < MOST_TAGS || facts.tags.contains(tag) {
                        facts.tags.insert(tag.clone());
                    } else {
                        plan.remark(workflow.id, "the conversation has as many tags as it may have");
                        break;
                    }
                }
            }
            Action::RemoveTags(tags) => facts.tags.retain(|tag| !tags.contains(tag)),
            Action::SetPriority(priority) => facts.priority = *priority,
            Action::Notify { agents, team, reason } if plan.notices.len() < MOST_WORDS => {
                plan.notices.push(Notice {
                    workflow: workflow.id,
                    agents: agents.clone(),
                    team: *team,
                    reason: reason.clone(),
                });
            }
            Action::AddNote { text } if plan.notes.len() < MOST_WORDS => {
                let (id, name) = (workflow.id, workflow.name.clone());
                plan.notes.push(WorkflowNote { workflow: id, name, text: text.clone() });
            }
            Action::Notify { .. } => {
                plan.remark(workflow.id, "people were told as often as they may be at once")
            }
            Action::AddNote { .. } => {
                plan.remark(workflow.id, "as many notes were written as may be at once")
            }
            Action::Stop => return Flow::Stop,
        }
    }
    Flow::Continue
}

#[cfg(test)]
mod tests;
