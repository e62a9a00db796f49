//! What happened around contacts, and who did it.

use kernel::{ContactId, PageSize, Subject, Timestamp};
use proto::common::v1 as common;
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::contacts::v1 as pb;
use proto::contacts::v1::activity_event::Event as Told;
use rpc::convert::{display_name, id_of, optional_id_of, proto_role, proto_time, role_of, time_of};
use rpc::{Caller, Fault};

use crate::app::{ActivityPage, Applied, ListActivity};
use crate::domain::{Activity, ActivityId, Actor, Happened};

/// The caller, as who does something.
pub(crate) fn by(caller: &Caller) -> Actor {
    Actor {
        subject: caller.subject.clone(),
        role: caller.role,
        display_name: display_name(caller).to_owned(),
    }
}

pub(crate) fn actor(actor: Actor) -> common::Actor {
    let Actor { subject, role, display_name } = actor;
    common::Actor { subject: subject.to_string(), role: proto_role(role).into(), display_name }
}

pub(crate) fn list(request: pb::ListContactActivityRequest) -> Result<ListActivity, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    Ok(ListActivity {
        contact_id,
        page_size: PageSize::of(request.page_size)?,
        page_token: request.page_token,
    })
}

pub(crate) fn page(page: ActivityPage) -> pb::ListContactActivityResponse {
    let activities = page.activities.into_iter().map(activity).collect();
    pb::ListContactActivityResponse { activities, next_page_token: page.next_page_token }
}

pub(crate) fn activity(it: Activity) -> pb::Activity {
    use pb::ActivityKind as Kind;
    let mut said = pb::Activity {
        activity_id: it.activity_id.to_string(),
        occur_time: Some(proto_time(it.occur_time)),
        actor: it.actor.map(actor),
        ..pb::Activity::default()
    };
    let kind = match it.happened {
        Happened::Created => Kind::Created,
        Happened::Tagged(tags) => {
            said.tags = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
            Kind::Tagged
        }
        Happened::Untagged(tags) => {
            said.tags = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
            Kind::Untagged
        }
        Happened::Blocked(reason) => {
            said.reason = reason.as_str().to_owned();
            Kind::Blocked
        }
        Happened::Unblocked => Kind::Unblocked,
        Happened::Merged(other) => {
            said.other_contact_id = other.to_string();
            Kind::Merged
        }
        Happened::Unmerged(other) => {
            said.other_contact_id = other.to_string();
            Kind::Unmerged
        }
        Happened::ConversationOpened(id) => {
            said.conversation_id = id.to_string();
            Kind::ConversationOpened
        }
        Happened::ConversationResolved(id) => {
            said.conversation_id = id.to_string();
            Kind::ConversationResolved
        }
        Happened::ConversationReopened(id) => {
            said.conversation_id = id.to_string();
            Kind::ConversationReopened
        }
        Happened::NoteWritten(within) => {
            said.conversation_id = within.map(|id| id.to_string()).unwrap_or_default();
            Kind::NoteAdded
        }
    };
    said.kind = kind.into();
    said
}

/// The events of a batch, as activities under the events' ids.
///
/// # Errors
/// INVALID_FIELD for an id, a time or a role that is none, or an event that says nothing.
pub(crate) fn told(events: Vec<pb::ActivityEvent>) -> Result<Vec<Activity>, Fault> {
    let activity = |event: pb::ActivityEvent| {
        Ok(Activity {
            activity_id: id_of::<ActivityId>("events.event_id", &event.event_id)?,
            contact_id: id_of::<ContactId>("events.contact_id", &event.contact_id)?,
            occur_time: event
                .occur_time
                .as_ref()
                .map_or(Ok(Timestamp::from_micros(0)), |time| time_of("events.occur_time", time))?,
            actor: event.actor.map(actor_of).transpose()?,
            happened: happened(event.event)?,
        })
    };
    events.into_iter().map(activity).collect()
}

fn actor_of(it: common::Actor) -> Result<Actor, Fault> {
    Ok(Actor {
        subject: id_of::<Subject>("events.actor.subject", &it.subject)?,
        role: role_of("events.actor.role", it.role)?,
        display_name: it.display_name,
    })
}

fn happened(event: Option<Told>) -> Result<Happened, Fault> {
    const ID: &str = "events.conversation_id";
    match event {
        Some(Told::ConversationOpened(it)) => {
            Ok(Happened::ConversationOpened(id_of(ID, &it.conversation_id)?))
        }
        Some(Told::ConversationResolved(it)) => {
            Ok(Happened::ConversationResolved(id_of(ID, &it.conversation_id)?))
        }
        Some(Told::ConversationReopened(it)) => {
            Ok(Happened::ConversationReopened(id_of(ID, &it.conversation_id)?))
        }
        Some(Told::NoteWritten(it)) => Ok(Happened::NoteWritten(optional_id_of(ID, &it.conversation_id)?)),
        None => Err(Fault::invalid("events.event", "is needed")),
    }
}

/// What became of each.
pub(crate) fn outcomes(ids: Vec<String>, applied: Vec<Applied>) -> Vec<EventOutcome> {
    let outcome = |(event_id, applied)| {
        let disposition = match applied {
            Applied::Now => EventDisposition::Applied,
            Applied::Before => EventDisposition::Duplicate,
        };
        EventOutcome { event_id, disposition: disposition.into(), reason: String::new() }
    };
    ids.into_iter().zip(applied).map(outcome).collect()
}
