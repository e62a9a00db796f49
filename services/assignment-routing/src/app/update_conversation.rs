//! Subject, tags and priority of a conversation (R4).

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::ConversationId;
use rpc::Caller;

use super::status::{get_locked, save};
use super::{App, check_version};
use crate::domain::conversation::{Conversation, ConversationChange};
use crate::error::Error;
use crate::store;

impl App {
    /// Changes a conversation.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Stale`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn update_conversation(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: ConversationId,
        change: ConversationChange,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let origin = origin.of_request(retry.request_id);
        self.db
            .write_once(&caller.org, retry, move |tx| Box::pin(update(tx, id, change, expected, origin)))
            .await
    }
}

async fn update(
    tx: &mut Tx,
    id: ConversationId,
    change: ConversationChange,
    expected: Option<i64>,
    origin: Origin,
) -> Result<Conversation, Error> {
    let mut it = get_locked(tx, id).await?;
    check_version(expected, it.version)?;
    let priority = it.priority;
    if !change.apply(&mut it) {
        return Ok(it);
    }
    if it.priority != priority {
        store::queue::set_priority(tx, id, it.priority).await?;
    }
    audit::record(tx, &origin, &[Event::new("conversation.update", id)]).await?;
    save(tx, it).await
}
