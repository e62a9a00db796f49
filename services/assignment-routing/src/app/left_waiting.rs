//! What becomes of a conversation whose agent left the customer waiting (R13): it goes back to the queue of its team, with the time since
//! when its customer waits, or to nobody. Planned here, with what its history, the decision and people are told.

use kernel::{AgentId, Subject, TeamId};
use proto::notifications::v1::NotificationType;

use super::effects::Effects;
use crate::domain::conversation::Conversation;
use crate::domain::decision::{Cause, Decision, Left, Outcome};
use crate::domain::history::{EventKind, EventReason, HistoryEvent};
use crate::domain::reply_limit::said;
use crate::events::ToldSeveral;
use crate::store::queue::Place;

/// Why a conversation is taken from its agent, or others are told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    /// Who has it.
    pub(super) holder: AgentId,
    /// What they did: they were offline, or did not reply.
    pub(super) reason: EventReason,
    /// For how long that was looked on.
    pub(super) left: Left,
}

impl Leaving {
    /// It waits in the queue of its team again. `passed` gets it only if nobody else can take it.
    pub(super) fn requeue(
        self,
        effects: &mut Effects,
        mut it: Conversation,
        (team, handle): (TeamId, &str),
        passed: Option<AgentId>,
    ) {
        self.take(effects, &mut it, EventKind::Queued, Outcome::Queued);
        let since = it.waiting_since.map_or(effects.now, |since| since.min(effects.now));
        effects.join(Place { passed, ..Place::of(&it, team, since) });
        self.tell_holder(effects, &it, &format!("the conversation went back to the queue of team @{handle}"));
        it.assignee = None;
        effects.save(it, "conversation.queue");
    }

    /// Nobody has it: it belongs to no team. `supervisors` are told.
    pub(super) fn unassign(self, effects: &mut Effects, mut it: Conversation, supervisors: &[Subject]) {
        self.take(effects, &mut it, EventKind::Unassigned, Outcome::Unassigned);
        self.tell_holder(effects, &it, "nobody has the conversation now, as it belongs to no team");
        self.tell_supervisors(
            effects,
            &it,
            supervisors,
            "nobody has the conversation, as it belongs to no team",
        );
        it.assignee = None;
        effects.save(it, "conversation.unassign");
    }

    /// It stays with who has it, and supervisors are told.
    pub(super) fn report(self, effects: &mut Effects, it: Conversation, supervisors: &[Subject]) {
        effects.decide(self.decision(effects, &it, Outcome::Unchanged));
        self.tell_holder(effects, &it, "your supervisors were told");
        self.tell_supervisors(effects, &it, supervisors, "they still have the conversation");
        effects.keep(it);
    }

    fn take(self, effects: &mut Effects, it: &mut Conversation, kind: EventKind, outcome: Outcome) {
        effects.take(it);
        let happened = effects.happened(it, kind);
        effects.remember(HistoryEvent {
            previous: Some(self.holder),
            team: it.team.filter(|_| kind == EventKind::Queued),
            reason: Some(self.reason),
            ..happened
        });
        effects.decide(self.decision(effects, it, outcome));
    }

    fn decision(self, effects: &Effects, it: &Conversation, outcome: Outcome) -> Decision {
        let cause = match self.reason {
            EventReason::AgentOffline => Cause::AgentOffline,
            EventReason::NoReply => Cause::NoReply,
        };
        Decision::left(effects.id(), it, effects.now, cause, outcome, self.left)
    }

    fn tell_holder(self, effects: &mut Effects, it: &Conversation, then: &str) {
        let Some(holder) = &it.assignee else { return };
        let after = said(self.left.after);
        let did = match self.reason {
            EventReason::AgentOffline => format!("You were offline for {after} while the customer waited"),
            EventReason::NoReply => format!("You left the customer without a reply for {after}"),
        };
        tell(effects, it, vec![holder.subject.to_string()], format!("{did}: {then}."));
    }

    fn tell_supervisors(self, effects: &mut Effects, it: &Conversation, supervisors: &[Subject], then: &str) {
        let Some(holder) = &it.assignee else { return };
        let (name, after) = (holder.name(), said(self.left.after));
        let did = match self.reason {
            EventReason::AgentOffline => format!("{name} was offline for {after} while the customer waited"),
            EventReason::NoReply => format!("{name} left the customer without a reply for {after}"),
        };
        let others = supervisors.iter().filter(|it| **it != holder.subject).map(ToString::to_string);
        let others: Vec<String> = others.collect();
        tell(effects, it, others, format!("{did}: {then}."));
    }
}

fn tell(effects: &mut Effects, it: &Conversation, recipients: Vec<String>, reason: String) {
    let told = ToldSeveral {
        event: effects.id(),
        about: NotificationType::NoReply,
        recipients,
        reason,
        conversation: it.id,
        occur_time: effects.now,
    };
    if let Some(event) = told.event() {
        effects.tell(event);
    }
}
