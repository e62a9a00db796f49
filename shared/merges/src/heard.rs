//! What the contacts service tells, and what is answered.

use kernel::{ContactId, EventId, MergeId};
use proto::common::v1::ContactEvent;
use proto::common::v1::contact_event::Event as Said;
use proto::common::v1::{EventDisposition, EventOutcome};
use rpc::Fault;
use rpc::convert::id_of;

/// Something that happened to contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The event: it takes effect once.
    pub event: EventId,
    /// What it was.
    pub what: What,
    /// The merge.
    pub merge: MergeId,
    /// The contact that went.
    pub from: ContactId,
    /// The contact that stayed.
    pub into: ContactId,
}

/// What can happen to contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Two became one.
    Merged,
    /// A merge was taken back.
    Unmerged,
}

/// The events of a request.
///
/// # Errors
/// INVALID_FIELD for an id that is none, or an event that says nothing.
pub fn heard(events: Vec<ContactEvent>) -> Result<Vec<Heard>, Fault> {
    events.into_iter().map(one).collect()
}

fn one(event: ContactEvent) -> Result<Heard, Fault> {
    let (what, merge, from, into) = match event.event {
        Some(Said::ContactMerged(it)) => (What::Merged, it.merge_id, it.from_contact_id, it.into_contact_id),
        Some(Said::ContactUnmerged(it)) => {
            (What::Unmerged, it.merge_id, it.from_contact_id, it.into_contact_id)
        }
        None => return Err(Fault::invalid("events.event", "is required")),
    };
    Ok(Heard {
        event: id_of("events.event_id", &event.event_id)?,
        what,
        merge: id_of("events.merge_id", &merge)?,
        from: id_of("events.from_contact_id", &from)?,
        into: id_of("events.into_contact_id", &into)?,
    })
}

/// What became of an event: it took effect now, or had before.
pub(crate) fn outcome(event: EventId, now: bool) -> EventOutcome {
    let disposition = if now { EventDisposition::Applied } else { EventDisposition::Duplicate };
    EventOutcome { event_id: event.to_string(), disposition: disposition.into(), reason: String::new() }
}
