//! What becomes of a conversation that a person gives away (R8, R14): planned, with whom it tells and the note that a handoff becomes.

use std::collections::HashMap;

use kernel::{AgentId, ConversationId, EventId, Subject, TeamId};
use proto::notifications::v1::NotificationType;

use super::effects::Effects;
use crate::domain::agent::Person;
use crate::domain::batch::Given;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::{Decision, Outcome};
use crate::domain::handoff::{Giving, Handoff, HandoffRules, Unfit};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::load::{Load, Room};
use crate::domain::message::Author;
use crate::domain::priority::Priority;
use crate::domain::sharing::Strategy;
use crate::domain::target::Target;
use crate::error::Error;
use crate::events::Told;
use crate::events::notes::{Receiver, WrittenNote};
use crate::store::queue::Place;

/// To whom conversations are given, and how.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Who gets them.
    pub target: Target,
    /// How they are given.
    pub giving: Giving,
    /// What whoever gets them has to know.
    pub handoff: Option<Handoff>,
    /// Their priority from then on, where that is a higher one.
    pub priority: Option<Priority>,
}

impl Handover {
    /// To whom, and nothing else.
    #[must_use]
    pub fn to(target: Target) -> Self {
        Self { target, giving: Giving::Assigning, handoff: None, priority: None }
    }
}

/// A handover with who does it.
#[derive(Clone)]
pub(super) struct Order {
    /// To whom, and how.
    pub(super) handover: Handover,
    /// Who gives them.
    pub(super) by: Person,
    /// The same, as their token says.
    pub(super) actor: Author,
}

/// What has to be known of whoever gets conversations.
#[derive(Default)]
pub(super) struct Known {
    /// When a handoff is demanded.
    pub(super) rules: HandoffRules,
    /// The agent who gets them.
    pub(super) person: Option<Person>,
    /// What they have open already.
    pub(super) room: Room,
    /// The team that gets them.
    pub(super) handle: String,
    /// Its supervisors and admins, where they are told.
    pub(super) supervisors: Vec<Subject>,
    /// Who had conversations before a person gave these to nobody.
    pub(super) left: HashMap<ConversationId, AgentId>,
    /// In whose queues the conversations wait.
    pub(super) queues: HashMap<ConversationId, TeamId>,
}

impl Order {
    /// What becomes of one conversation.
    pub(super) fn plan(
        &self,
        effects: &mut Effects,
        known: &mut Known,
        mut it: Conversation,
    ) -> Result<(), Error> {
        if it.status == Status::Resolved {
            return Err(Error::Resolved);
        }
        let Handover { target, giving, handoff, priority } = &self.handover;
        let had = (it.assignee_id(), known.left.get(&it.id).copied());
        known.rules.check(*giving, had, *target, self.by.agent, handoff.as_ref())?;
        let raised = priority.filter(|raised| *raised > it.priority);
        it.priority = raised.unwrap_or(it.priority);
        match (*target, known.person.clone()) {
            (Target::Agent(agent), _) if it.assignee_id() == Some(agent) => match raised {
                Some(_) => effects.save(it, "conversation.update"),
                None => effects.keep(it),
            },
            (Target::Agent(_), Some(person)) => self.to_agent(effects, known, it, person),
            (Target::Agent(_), None) => return Err(Error::NoSuchAgent),
            (Target::Team(team), _) if known.queues.get(&it.id) == Some(&team) => {
                self.stays_in_queue(effects, known, it, raised.is_some())?;
            }
            (Target::Team(team), _) => self.to_team(effects, known, it, team),
            (Target::Nobody, _) => self.to_nobody(effects, it),
        }
        Ok(())
    }

    fn to_agent(&self, effects: &mut Effects, known: &mut Known, mut it: Conversation, person: Person) {
        effects.take(&it);
        let mut happened = self.happened(effects, &mut it, EventKind::Assigned);
        happened.agent = Some(person.agent);
        let mut decision = self.decided(effects, &it, Outcome::Assigned);
        known.room.units += Load::of(&it).units;
        (decision.chosen, decision.team) = (Some(person.agent), it.team);
        decision.over_capacity = !known.room.takes(0);
        let (version, time) = (it.version, happened.time);
        let given = Given { conversation: it.id, version, agent: person.agent, decision: decision.id, time };
        effects.give(&it, given);
        let note = self.note(effects, &it, Receiver::Person(person.clone()));
        if person.subject != self.by.subject {
            self.tell(effects, &it, person.subject.clone(), note);
        }
        it.assignee = Some(person);
        effects.remember(happened);
        effects.decide(decision);
        effects.save(it, "conversation.assign");
    }

    fn to_team(&self, effects: &mut Effects, known: &Known, mut it: Conversation, team: TeamId) {
        effects.take(&it);
        let mut happened = self.happened(effects, &mut it, EventKind::Queued);
        happened.team = Some(team);
        (it.assignee, it.team, it.sharing) = (None, Some(team), None);
        let mut decision = self.decided(effects, &it, Outcome::Queued);
        (decision.team, decision.strategy) = (Some(team), Some(Strategy::RoundRobin));
        // A snoozed one joins when it is open again.
        if it.status == Status::Open {
            effects.join(Place { explained: true, ..Place::of(&it, team, effects.now) });
        }
        self.tell_team(effects, known, &it);
        effects.remember(happened);
        effects.decide(decision);
        effects.save(it, "conversation.queue");
    }

    /// It waits there already and keeps its place, but for a higher priority. Escalating it again tells of it again.
    fn stays_in_queue(
        &self,
        effects: &mut Effects,
        known: &Known,
        it: Conversation,
        raised: bool,
    ) -> Result<(), Error> {
        if self.handover.giving == Giving::Escalating {
            self.tell_team(effects, known, &it);
        } else if self.handover.handoff.is_some() {
            return Err(Error::Handoff(Unfit::TheirsAlready));
        }
        if raised {
            effects.raise(&it);
            effects.save(it, "conversation.update");
        } else {
            effects.keep(it);
        }
        Ok(())
    }

    fn to_nobody(&self, effects: &mut Effects, mut it: Conversation) {
        effects.take(&it);
        let happened = self.happened(effects, &mut it, EventKind::Unassigned);
        it.assignee = None;
        effects.decide(self.decided(effects, &it, Outcome::Unassigned));
        effects.remember(happened);
        effects.save(it, "conversation.unassign");
    }

    fn decided(&self, effects: &Effects, it: &Conversation, outcome: Outcome) -> Decision {
        let escalated = self.handover.giving == Giving::Escalating;
        let manual = Decision::manual(effects.id(), it.id, effects.now, self.by.agent, outcome);
        Decision { units: it.units, escalated, ..manual }
    }

    /// What happens to the conversation, which still has its assignee.
    fn happened(&self, effects: &Effects, it: &mut Conversation, kind: EventKind) -> HistoryEvent {
        let previous = it.assignee_id();
        HistoryEvent { previous, ..effects.happened(it, kind) }
    }

    /// The handoff, as the note that it becomes.
    fn note(&self, effects: &mut Effects, it: &Conversation, to: Receiver) -> Option<EventId> {
        let handoff = self.handover.handoff.as_ref()?;
        let id: EventId = effects.id();
        let note = WrittenNote::handoff(it, id, self.actor.clone(), handoff, to, effects.now);
        effects.tell(note.event());
        Some(id)
    }

    fn tell_team(&self, effects: &mut Effects, known: &Known, it: &Conversation) {
        let note = self.note(effects, it, Receiver::Team(known.handle.clone()));
        for supervisor in known.supervisors.iter().filter(|it| **it != self.by.subject) {
            self.tell(effects, it, supervisor.clone(), note);
        }
    }

    /// Tells a person that they have it now, or that they are to look after it, and how soon.
    fn tell(&self, effects: &mut Effects, it: &Conversation, to: Subject, note: Option<EventId>) {
        let who = &self.actor.display_name;
        let urgency = self.handover.handoff.as_ref().map(|it| format!(" (urgency: {})", it.urgency.as_str()));
        let urgency = urgency.unwrap_or_default();
        let (about, reason) = match (self.handover.giving, note) {
            (Giving::Escalating, _) => {
                (NotificationType::Escalated, format!("{who} escalated a conversation to you{urgency}."))
            }
            (Giving::Assigning, Some(_)) => {
                (NotificationType::Handoff, format!("{who} handed a conversation over to you{urgency}."))
            }
            (Giving::Assigning, None) => {
                (NotificationType::Assigned, "A conversation was assigned to you.".to_owned())
            }
        };
        let told = Told {
            event: effects.id(),
            about,
            recipient: to.to_string(),
            reason,
            conversation: it.id,
            actor: Some(self.actor.clone()),
            occur_time: effects.now,
        };
        effects.tell(told.event_about(note));
    }
}
