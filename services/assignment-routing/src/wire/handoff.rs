//! Handoffs, and to whom conversations are given with them.

use proto::routing::v1 as pb;
use proto::routing::v1::assign_conversation_request::Target as Said;
use proto::routing::v1::escalate_conversation_request::Target as Escalated;
use rpc::Fault;
use rpc::convert::{id_of, time_of};

use super::conversation::priority_of;
use crate::app::handover::Handover;
use crate::domain::handoff::{Giving, Handoff, Urgency};
use crate::domain::target::Target;

/// To whom a conversation is given, and with what.
///
/// # Errors
/// INVALID_FIELD for an id that is none, or a time out of range.
pub fn handover(target: Option<&Said>, handoff: Option<pb::Handoff>) -> Result<Handover, Fault> {
    let target = match target {
        Some(Said::AgentId(id)) => id_of("agent_id", id).map(Target::Agent)?,
        Some(Said::TeamId(id)) => id_of("team_id", id).map(Target::Team)?,
        Some(Said::Nobody(())) => Target::Nobody,
        None => return Err(Fault::invalid("target", "is needed")),
    };
    let handoff = handoff.map(self::handoff).transpose()?;
    Ok(Handover { handoff, ..Handover::to(target) })
}

/// To whom a conversation is escalated, and with what.
///
/// # Errors
/// As [`handover`].
pub fn escalation(it: pb::EscalateConversationRequest) -> Result<Handover, Fault> {
    let priority = priority_of(it.priority());
    let target = match &it.target {
        Some(Escalated::SupervisorId(id)) => id_of("supervisor_id", id).map(Target::Agent)?,
        Some(Escalated::TeamId(id)) => id_of("team_id", id).map(Target::Team)?,
        None => return Err(Fault::invalid("target", "is needed")),
    };
    let handoff = it.handoff.map(handoff).transpose()?;
    Ok(Handover { target, giving: Giving::Escalating, handoff, priority })
}

fn handoff(it: pb::Handoff) -> Result<Handoff, Fault> {
    let urgency = match it.urgency() {
        pb::HandoffUrgency::Unspecified | pb::HandoffUrgency::Normal => Urgency::Normal,
        pb::HandoffUrgency::Low => Urgency::Low,
        pb::HandoffUrgency::High => Urgency::High,
        pb::HandoffUrgency::Urgent => Urgency::Urgent,
    };
    let due_time = it.due_time.map(|due| time_of("handoff.due_time", &due)).transpose()?;
    Ok(Handoff {
        summary: it.summary,
        steps_taken: it.steps_taken,
        expected_outcome: it.expected_outcome,
        urgency,
        due_time,
    })
}
