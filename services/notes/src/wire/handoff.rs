//! Handoffs and their acknowledgements.

use kernel::{PageSize, Subject};
use proto::notes::v1 as pb;
use rpc::Fault;
use rpc::convert::{proto_time, time_of};

use super::note::{actor, note, number};
use crate::app::{NewHandoff, Page};
use crate::domain::{Acknowledgement, Handle, Handoff, HandoffTexts, Urgency};

/// Reads what makes a new note a handoff.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_handoff(request: pb::NewHandoff) -> Result<NewHandoff, Fault> {
    let urgency = urgency(request.urgency());
    let receiver = Handle::parse(&request.receiver_username)
        .ok_or_else(|| Fault::invalid("handoff.receiver_username", "must be the username of an agent"))?;
    let due_time = request.due_time.map(|due| time_of("handoff.due_time", &due)).transpose()?;
    let texts = HandoffTexts::parse(request.steps_taken, request.expected_outcome)?;
    Ok(NewHandoff { receiver, urgency, due_time, texts })
}

/// How soon; NORMAL where it is not said.
pub(super) fn urgency(said: pb::HandoffUrgency) -> Urgency {
    match said {
        pb::HandoffUrgency::Unspecified | pb::HandoffUrgency::Normal => Urgency::Normal,
        pb::HandoffUrgency::Low => Urgency::Low,
        pb::HandoffUrgency::High => Urgency::High,
        pb::HandoffUrgency::Urgent => Urgency::Urgent,
    }
}

/// What makes a note a handoff, for the wire.
pub fn handoff(it: Handoff) -> pb::Handoff {
    let urgency = match it.urgency {
        Urgency::Low => pb::HandoffUrgency::Low,
        Urgency::Normal => pb::HandoffUrgency::Normal,
        Urgency::High => pb::HandoffUrgency::High,
        Urgency::Urgent => pb::HandoffUrgency::Urgent,
    };
    let receiver_subject = it.person().map(Subject::to_string).unwrap_or_default();
    let (steps_taken, expected_outcome) = it.texts.into_parts();
    pb::Handoff {
        receiver_subject,
        receiver_team_handle: it.team.map(|team| team.to_string()).unwrap_or_default(),
        receiver_display_name: it.receiver.display_name,
        steps_taken,
        expected_outcome,
        urgency: urgency.into(),
        due_time: it.due_time.map(proto_time),
        acknowledgement: it.acknowledgement.map(acknowledgement),
    }
}

/// Reads a request for a page of what waits for the caller.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn page(request: pb::ListUnacknowledgedNotesRequest) -> Result<(PageSize, String), Fault> {
    Ok((PageSize::of(request.page_size)?, request.page_token))
}

/// What waits for the caller, for the wire.
pub fn listed(page: Page) -> pb::ListUnacknowledgedNotesResponse {
    let notes = page.notes.into_iter().map(note).collect();
    pb::ListUnacknowledgedNotesResponse { notes, next_page_token: page.next_token }
}

fn acknowledgement(it: Acknowledgement) -> pb::HandoffAcknowledgement {
    pb::HandoffAcknowledgement {
        actor: Some(actor(it.by)),
        acknowledge_time: Some(proto_time(it.time)),
        revision: number(it.revision),
    }
}
