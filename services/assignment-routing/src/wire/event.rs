//! Events of the notes service.

use proto::common::v1::{EventDisposition, EventOutcome};
use proto::routing::v1 as pb;
use proto::routing::v1::conversation_event::Event as Said;
use rpc::Fault;
use rpc::convert::id_of;

use crate::app::apply_events::{Applied, Happened, What};

/// The events of a batch.
///
/// # Errors
/// INVALID_FIELD for an id that is none, or an event that says nothing.
pub fn events(all: Vec<pb::ConversationEvent>) -> Result<Vec<Happened>, Fault> {
    all.into_iter()
        .map(|it| {
            Ok(Happened {
                event: id_of("events.event_id", &it.event_id)?,
                conversation: id_of("events.conversation_id", &it.conversation_id)?,
                what: match it.event {
                    Some(Said::NoteAdded(note)) => What::NoteAdded { author: note.author_subject },
                    Some(Said::PeopleMentioned(people)) => {
                        What::PeopleMentioned { subjects: people.subjects }
                    }
                    None => return Err(Fault::invalid("events.event", "is needed")),
                },
            })
        })
        .collect()
}

/// What became of each.
#[must_use]
pub fn outcomes(ids: Vec<String>, applied: Vec<Applied>) -> Vec<EventOutcome> {
    let outcome = |(event_id, applied): (String, Applied)| {
        let (disposition, reason) = match applied {
            Applied::Now => (EventDisposition::Applied, ""),
            Applied::Before | Applied::Erased => (EventDisposition::Duplicate, ""),
            Applied::NoSuchConversation => (EventDisposition::Refused, "NO_SUCH_CONVERSATION"),
        };
        EventOutcome { event_id, disposition: disposition.into(), reason: reason.to_owned() }
    };
    ids.into_iter().zip(applied).map(outcome).collect()
}
