//! What agents and supervisors write each other about a conversation.
//!
//! | file | story |
//! |---|---|
//! | [`send`] | a message: for whom, in which thread, who is told |
//! | [`list`] | the messages of a conversation, page by page |
//! | [`threads`] | the threads a person is in |
//! | [`unread`] | what a person has not read, and moving their cursor |

pub mod list;
pub mod send;
pub mod threads;
pub mod unread;

use std::collections::HashMap;

use db::Tx;
use rpc::Caller;

use crate::domain::internal_message::{InternalThread, InternalThreadId, Member, Sight};
use crate::error::Error;
use crate::store;

/// What the caller sees.
pub(super) fn sight(caller: &Caller) -> Sight {
    Sight::of(caller.role, &caller.subject)
}

/// Makes sure that the organization has internal messages.
///
/// # Errors
/// [`Error::DisabledBySetting`], [`Error::Database`].
async fn require_enabled(tx: &mut Tx) -> Result<(), Error> {
    match store::settings::find_settings(tx).await?.internal_messages_enabled {
        true => Ok(()),
        false => Err(Error::DisabledBySetting { setting: "internal_messages_enabled" }),
    }
}

/// These threads with their people, in this order; those that are gone are left out.
///
/// # Errors
/// [`Error::Database`].
async fn whole_threads(tx: &mut Tx, ids: &[InternalThreadId]) -> Result<Vec<InternalThread>, Error> {
    let mut people: HashMap<InternalThreadId, Vec<Member>> = HashMap::new();
    for (thread, member) in store::internal_messages::people::list_members(tx, ids).await? {
        people.entry(thread).or_default().push(member);
    }
    let threads = store::internal_messages::threads::list_threads(tx, ids).await?;
    let mut threads: HashMap<InternalThreadId, InternalThread> =
        threads.into_iter().map(|thread| (thread.thread_id, thread)).collect();
    let whole = |id: &InternalThreadId| {
        let thread = threads.remove(id)?;
        Some(with_people(thread, people.remove(id).unwrap_or_default()))
    };
    Ok(ids.iter().filter_map(whole).collect())
}

/// The thread with its people, by subject.
fn with_people(thread: InternalThread, mut people: Vec<Member>) -> InternalThread {
    people.sort_unstable_by(|one, other| one.person.subject.cmp(&other.person.subject));
    InternalThread { people, ..thread }
}
