//! Who is at a conversation.

use kernel::ConversationId;
use proto::routing::v1 as pb;
use rpc::Fault;

use super::agent::person;
use super::time;
use crate::app::watch_presence::Present;
use crate::domain::who_is_here::{Activity, Here};

/// What somebody says they do.
///
/// # Errors
/// INVALID_FIELD where nothing is said.
pub fn activity(it: pb::PresenceActivity) -> Result<Activity, Fault> {
    match it {
        pb::PresenceActivity::Unspecified => Err(Fault::invalid("activity", "is needed")),
        pb::PresenceActivity::Viewing => Ok(Activity::Viewing),
        pb::PresenceActivity::Typing => Ok(Activity::Typing),
        pb::PresenceActivity::Left => Ok(Activity::Left),
    }
}

/// Who is at a conversation.
#[must_use]
pub fn presence(id: ConversationId, people: Vec<Present>) -> pb::ConversationPresence {
    let present = |(who, Here { activity, since, .. }): Present| pb::PersonPresence {
        person: Some(person(who)),
        activity: doing(activity).into(),
        since_time: time(since),
    };
    pb::ConversationPresence {
        conversation_id: id.to_string(),
        people: people.into_iter().map(present).collect(),
    }
}

fn doing(it: Activity) -> pb::PresenceActivity {
    match it {
        Activity::Viewing => pb::PresenceActivity::Viewing,
        Activity::Typing => pb::PresenceActivity::Typing,
        Activity::Left => pb::PresenceActivity::Left,
    }
}
