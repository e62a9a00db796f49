//! Workflows at work on a conversation that there is: it opened again, a message came, tags were added, it has waited (R9). What they do is
//! written in the transaction of what happened; what concerns other services leaves by the outbox.

use std::collections::{BTreeSet, HashMap};

use audit::Origin;
use db::Tx;
use kernel::{AgentId, ConversationId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use super::effects::Effects;
use super::prepared::Prepared;
use super::waits::Change;
use crate::NAME;
use crate::domain::batch::Given;
use crate::domain::choose::Availability;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::{Decision, Outcome};
use crate::domain::facts::Facts;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::load::Load;
use crate::domain::ruleset::{Named, Plan, Routed, Ruleset};
use crate::domain::workflow::Trigger;
use crate::error::Error;
use crate::events::notes::{Writer, WrittenNote};
use crate::events::{Told, ToldSeveral};
use crate::store;
use crate::store::queue::Place;

/// Something that workflows may be there for.
#[derive(Debug, Clone)]
pub(super) struct Occasion {
    /// What happened at once.
    pub(super) triggers: Vec<Trigger>,
    /// The text of the message that came in.
    pub(super) text: String,
    /// The tags that were added.
    pub(super) added_tags: BTreeSet<String>,
    /// When.
    pub(super) now: Timestamp,
}

impl Occasion {
    /// A message came in, and opened the conversation again or not.
    pub(super) fn message(text: String, opened: bool, now: Timestamp) -> Self {
        let opened = opened.then_some(Trigger::ConversationReopened);
        let triggers = std::iter::once(Trigger::MessageReceived).chain(opened).collect();
        Self { triggers, text, added_tags: BTreeSet::new(), now }
    }

    /// It is open again without one.
    pub(super) fn reopened(now: Timestamp) -> Self {
        let triggers = vec![Trigger::ConversationReopened];
        Self { triggers, text: String::new(), added_tags: BTreeSet::new(), now }
    }

    /// It has waited for as long as some workflows ask for.
    pub(super) fn waited(now: Timestamp) -> Self {
        Self { triggers: Trigger::TIMED.to_vec(), text: String::new(), added_tags: BTreeSet::new(), now }
    }

    /// It was given tags that it did not have.
    pub(super) fn tagged(added_tags: BTreeSet<String>, now: Timestamp) -> Self {
        Self { triggers: vec![Trigger::ConversationTagged], text: String::new(), added_tags, now }
    }
}

/// The workflows failed which these could not evaluate: counted, once it is durable.
pub(super) fn count_failures(tx: &mut Tx, plan: &Plan) {
    let failures = plan.failures() as u64;
    if failures > 0 {
        tx.after_commit(move || metrics::counter!("routing_workflow_failures_total").increment(failures));
    }
}

impl App {
    /// Runs the workflows of an occasion on a conversation as it is written, and writes what they change; the conversation as it is then.
    /// Whoever calls holds its lock, and notes afterwards what begins to wait. Nothing that they wrote may stay if this fails.
    ///
    /// # Errors
    /// [`Error::Unprepared`] where the run needs what is not at hand; [`Error::Raced`], [`Error::Db`].
    pub(super) async fn run_workflows(
        &self,
        tx: &mut Tx,
        mut it: Conversation,
        ruleset: &Ruleset,
        occasion: Occasion,
        prepared: &Prepared,
    ) -> Result<Conversation, Error> {
        let Occasion { triggers, text, added_tags, now } = occasion;
        if ruleset.count(&triggers) == 0 {
            return Ok(it);
        }
        let contact = if ruleset.asks(&triggers).contact { prepared.contact(it.contact)? } else { None };
        let facts = Facts { text, added_tags, contact, ..Facts::of(&it) };
        let mut plan = ruleset.run(&triggers, facts, now);
        if !plan.is_eventful() {
            return Ok(it);
        }
        count_failures(tx, &plan);
        let mut effects = Effects::of(&self.clock, None);
        let relabelled = relabel(&mut effects, &mut it, &plan);
        self.speak(tx, &it, &mut plan, now).await?;
        let moved = match it.status {
            Status::Open => self.place(tx, &mut effects, &mut it, &mut plan, prepared).await?,
            Status::Snoozed | Status::Resolved => None,
        };
        if moved.is_none() {
            effects.decide(Decision {
                outcome: Outcome::Unchanged,
                units: it.units,
                ..Decision::unrouted(effects.id(), it.id, now, plan.traces)
            });
        }
        match moved.or(relabelled.then_some("conversation.update")) {
            Some(action) => {
                ruleset.policies().follow(&mut it, now);
                effects.save(it, action);
            }
            None => effects.keep(it),
        }
        let written = effects.write(self, tx, &Origin::system(NAME, "workflows")).await?;
        written.into_iter().next().ok_or(Error::Raced)
    }

    /// Runs the workflows of tags on all conversations that were given some which they did not have.
    ///
    /// # Errors
    /// As [`App::run_workflows`].
    pub(super) async fn run_for_tags(
        &self,
        tx: &mut Tx,
        all: Vec<Conversation>,
        mut added: HashMap<ConversationId, BTreeSet<String>>,
        prepared: &Prepared,
    ) -> Result<Vec<Conversation>, Error> {
        let tagged = &[Trigger::ConversationTagged];
        if added.is_empty() {
            return Ok(all);
        }
        let ruleset = self.rulesets.current(tx).await?;
        if ruleset.count(tagged) == 0 {
            return Ok(all);
        }
        // What any of them may need is asked for at once, not one after the other.
        let concerned = || all.iter().filter(|it| added.contains_key(&it.id));
        if ruleset.asks(tagged).contact {
            prepared.contacts(concerned().map(|it| it.contact))?;
        }
        prepared.holds(ruleset.teams(tagged).chain(concerned().filter_map(|it| it.team)))?;
        let mut done = Vec::with_capacity(all.len());
        for it in all.iter().cloned() {
            done.push(match added.remove(&it.id) {
                Some(tags) => {
                    let occasion = Occasion::tagged(tags, self.clock.now());
                    self.run_workflows(tx, it, &ruleset, occasion, prepared).await?
                }
                None => it,
            });
        }
        let changes = all.iter().zip(&done).map(|(was, is)| Change { was: Some(was), is });
        self.begin_waits(tx, &ruleset, &changes.collect::<Vec<_>>()).await?;
        Ok(done)
    }

    /// Gives an open conversation to whom the plan says, if that is somebody else; the name of what was done.
    async fn place(
        &self,
        tx: &mut Tx,
        effects: &mut Effects,
        it: &mut Conversation,
        plan: &mut Plan,
        prepared: &Prepared,
    ) -> Result<Option<&'static str>, Error> {
        let named = plan.agent.filter(|named| it.assignee_id() != Some(named.agent));
        if plan.agent.is_some() && named.is_none() {
            return Ok(None);
        }
        let mut routed = plan.queue.clone();
        if routed.as_ref().is_some_and(|routed| it.team == Some(routed.team)) {
            // The team's already: but for one that was taken from its agent by hand and that nobody would ever get.
            let lost = it.assignee.is_none() && store::queue::find_team(tx, it.id).await?.is_none();
            routed = routed.filter(|_| lost);
        }
        if named.is_none() && routed.is_none() {
            return Ok(None);
        }
        prepared.holds(it.team.into_iter().chain(routed.as_ref().map(|routed| routed.team)))?;
        if let Some(named) = named
            && self.give_to(tx, effects, it, named, plan).await?
        {
            return Ok(Some("conversation.assign"));
        }
        let Some(routed) = routed else { return Ok(None) };
        requeue(effects, it, routed, plan);
        Ok(Some("conversation.queue"))
    }

    /// Gives an open conversation to the agent whom a workflow named; says whether they could take it.
    pub(super) async fn give_to(
        &self,
        tx: &mut Tx,
        effects: &mut Effects,
        it: &mut Conversation,
        named: Named,
        plan: &mut Plan,
    ) -> Result<bool, Error> {
        let Named { agent, workflow } = named;
        if let Some(why) = take_on(tx, it, agent).await? {
            plan.remark(workflow, why);
            return Ok(false);
        }
        let people = store::agents::list_people(tx, &[agent]).await?;
        let person = people.into_iter().next().ok_or(Error::NoSuchAgent)?;
        effects.take(it);
        let previous = it.assignee_id();
        let happened = effects.happened(it, EventKind::Assigned);
        let (decision, time) = (effects.id(), happened.time);
        effects.remember(HistoryEvent { agent: Some(agent), previous, team: it.team, ..happened });
        effects.give_counted(Given { conversation: it.id, version: it.version, agent, decision, time });
        effects.decide(Decision {
            outcome: Outcome::Assigned,
            chosen: Some(agent),
            team: it.team,
            workflow: Some(workflow),
            units: it.units,
            ..Decision::unrouted(decision, it.id, effects.now, plan.traces.clone())
        });
        let told = Told {
            event: effects.id(),
            about: NotificationType::Assigned,
            recipient: person.subject.to_string(),
            reason: format!("Workflow \"{}\" assigned a conversation to you.", plan.name_of(workflow)),
            conversation: it.id,
            actor: None,
            occur_time: effects.now,
        };
        effects.tell(told.event());
        it.assignee = Some(person);
        Ok(true)
    }

    /// Tells people, and writes notes down, as the plan says; remarks in it who could not be told.
    pub(super) async fn speak(
        &self,
        tx: &mut Tx,
        it: &Conversation,
        plan: &mut Plan,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut events = Vec::new();
        for note in &plan.notes {
            let writer = Writer::Workflow { id: note.workflow, name: note.name.clone() };
            let (event, body) = (self.clock.new_id().into(), note.text.clone());
            events.push(WrittenNote::plain(it, event, writer, body, now).event());
        }
        if !plan.notices.is_empty() {
            let agents: BTreeSet<AgentId> =
                plan.notices.iter().flat_map(|notice| notice.agents.iter().copied()).collect();
            let teams: BTreeSet<TeamId> = plan.notices.iter().filter_map(|notice| notice.team).collect();
            let agents: Vec<AgentId> = agents.into_iter().collect();
            let teams: Vec<TeamId> = teams.into_iter().collect();
            let people = store::agents::list_people(tx, &agents).await?;
            let members = store::teams::list_members(tx, &teams).await?;
            for notice in std::mem::take(&mut plan.notices) {
                let named = people.iter().filter(|person| notice.agents.contains(&person.agent));
                let of_team =
                    members.iter().filter(|(team, _)| Some(*team) == notice.team).map(|(_, who)| who);
                let recipients: BTreeSet<String> =
                    named.chain(of_team).map(|person| person.subject.to_string()).collect();
                if recipients.is_empty() {
                    plan.remark(notice.workflow, "a notice reached nobody, as its team had no members");
                    continue;
                }
                let told = ToldSeveral {
                    event: self.clock.new_id().into(),
                    about: NotificationType::Workflow,
                    recipients: recipients.into_iter().collect(),
                    reason: format!("Workflow \"{}\": {}", plan.name_of(notice.workflow), notice.reason),
                    conversation: it.id,
                    occur_time: now,
                };
                events.extend(told.event());
            }
        }
        Ok(self.outbox.record(tx, &events).await?)
    }
}

/// Gives it the tags and the priority of the plan; says whether these are others.
fn relabel(effects: &mut Effects, it: &mut Conversation, plan: &Plan) -> bool {
    if it.tags == plan.tags && it.priority == plan.priority {
        return false;
    }
    it.tags.clone_from(&plan.tags);
    if it.priority != plan.priority {
        it.priority = plan.priority;
        effects.raise(it);
    }
    true
}

/// Puts a conversation that somebody may have into the queue of another team.
fn requeue(effects: &mut Effects, it: &mut Conversation, routed: Routed, plan: &Plan) {
    effects.take(it);
    let previous = it.assignee_id();
    let happened = effects.happened(it, EventKind::Queued);
    effects.remember(HistoryEvent { team: Some(routed.team), previous, ..happened });
    (it.assignee, it.team, it.sharing) = (None, Some(routed.team), Some(routed.sharing));
    effects.join(Place {
        workflow: Some(routed.workflow),
        traces: plan.traces.clone(),
        ..Place::of(it, routed.team, effects.now)
    });
}

/// Counts a conversation for an agent, or says why they cannot take it.
async fn take_on(tx: &mut Tx, it: &Conversation, agent: AgentId) -> Result<Option<&'static str>, Error> {
    let there = store::presence::find_presence(tx, agent).await?;
    let clock = tx.now().await?;
    match there.map_or(Availability::Offline, |presence| presence.at(clock)) {
        Availability::Online => {}
        Availability::Away => return Ok(Some("the agent was away")),
        Availability::Offline => return Ok(Some("the agent was offline")),
    }
    let both: Vec<AgentId> = it.assignee_id().into_iter().chain([agent]).collect();
    store::locks::lock_loads(tx, &both).await?;
    let counted = store::named::give_within_capacity(tx, agent, it.id, Load::of(it), clock).await?;
    Ok((!counted).then_some("it would have been more than the agent's capacity"))
}
