//! What a person has not read, and moving their cursor.

use std::collections::{HashMap, HashSet};

use db::Tx;
use kernel::{ConversationId, Subject};
use rpc::Call;

use super::{require_enabled, sight};
use crate::app::App;
use crate::domain::internal_message::{InternalMessageId, Sight};
use crate::error::Error;
use crate::store::internal_messages::{conversations, messages, people};

/// What a person has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Of the conversation in question.
    pub conversation: i64,
    /// Of all.
    pub total: i64,
}

impl App {
    /// Moves the caller's cursor on a conversation forward, up to a message or to the end; tells what is unread then.
    ///
    /// # Errors
    /// [`Error::DisabledBySetting`], [`Error::NoSuchInternalThread`] where the caller sees nothing on the conversation, or not
    /// this message; [`Error::Database`].
    pub async fn mark_internal_messages_read(
        &self,
        call: &Call,
        conversation_id: ConversationId,
        up_to: Option<InternalMessageId>,
    ) -> Result<Unread, Error> {
        let (subject, sight) = (call.caller.subject.clone(), sight(&call.caller));
        self.db
            .write(&call.caller.org, move |tx| {
                Box::pin(async move { mark(tx, &subject, &sight, conversation_id, up_to).await })
            })
            .await
    }

    /// Counts what the caller has not read: in total, and of each of these conversations, once each, in this order; those of
    /// which nothing is unread are left out, as are those that do not exist.
    ///
    /// # Errors
    /// [`Error::DisabledBySetting`], [`Error::Database`].
    pub async fn count_internal_unread(
        &self,
        call: &Call,
        mut conversations: Vec<ConversationId>,
    ) -> Result<(i64, Vec<(ConversationId, i64)>), Error> {
        let mut seen = HashSet::new();
        conversations.retain(|id| seen.insert(*id));
        let subject = call.caller.subject.clone();
        self.db
            .read(&call.caller.org, move |tx| {
                Box::pin(async move {
                    require_enabled(tx).await?;
                    let total = people::count_unread(tx, &subject).await?;
                    let counts = people::list_unread(tx, &subject, &conversations).await?;
                    let counts: HashMap<_, _> = counts.into_iter().collect();
                    let count = |id| Some((id, counts.get(&id).copied()?));
                    Ok((total, conversations.into_iter().filter_map(count).collect()))
                })
            })
            .await
    }
}

async fn mark(
    tx: &mut Tx,
    subject: &Subject,
    sight: &Sight,
    conversation_id: ConversationId,
    up_to: Option<InternalMessageId>,
) -> Result<Unread, Error> {
    require_enabled(tx).await?;
    // Before anything is read: whoever writes meanwhile waits, and is counted afterwards.
    let latest =
        conversations::lock_latest_time(tx, conversation_id).await?.ok_or(Error::NoSuchInternalThread)?;
    let before = people::find_unread(tx, conversation_id, subject).await?;
    if before.is_none() && sight.only_of().is_some() {
        return Err(Error::NoSuchInternalThread);
    }
    let to = match up_to {
        None => latest,
        Some(id) => {
            messages::find_time(tx, sight, conversation_id, id).await?.ok_or(Error::NoSuchInternalThread)?
        }
    };
    people::move_cursor(tx, conversation_id, subject, to).await?;
    let conversation = people::find_unread(tx, conversation_id, subject).await?.unwrap_or_default();
    Ok(Unread { conversation, total: people::count_unread(tx, subject).await? })
}
