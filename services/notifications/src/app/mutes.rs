//! Conversations of which people hear in their feed only.

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ConversationId, PageSize, Subject};
use rpc::Call;

use super::{App, Owner};
use crate::domain::mute::{MUTES, Mute};
use crate::error::Error;
use crate::store::mutes;

const TOKEN: &str = "notifications.mutes";

/// A page of mutes.
#[derive(Debug)]
pub struct MutePage {
    /// Its mutes.
    pub mutes: Vec<Mute>,
    /// Token of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Mutes a conversation for the caller. One that they muted before stays so.
    ///
    /// # Errors
    /// [`Error::Routing`]: there is no such conversation for them, or routing does not answer; [`Error::TooManyMutes`], [`Error::Db`].
    pub async fn mute(&self, call: &Call, conversation: ConversationId) -> Result<Mute, Error> {
        self.people.directory().require_conversation(call, conversation).await?;
        let (origin, subject) = (runtime::origin(call), call.caller.subject.clone());
        let write = self.db.write(&call.caller.org, move |tx| {
            Box::pin(async move { mute(tx, &subject, conversation, origin).await })
        });
        write.await
    }

    /// Ends a mute of the caller's, if there is one.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn unmute(&self, call: &Call, conversation: ConversationId) -> Result<(), Error> {
        let (origin, subject) = (runtime::origin(call), call.caller.subject.clone());
        let write = self.db.write(&call.caller.org, move |tx| {
            Box::pin(async move {
                if mutes::remove(tx, &subject, conversation).await? {
                    audit::record(tx, &origin, &[Event::new("conversation.unmute", conversation)]).await?;
                }
                Ok::<_, Error>(())
            })
        });
        write.await
    }

    /// Lists a person's mutes, by conversation.
    ///
    /// # Errors
    /// [`Error::ForeignPageToken`], [`Error::Db`].
    pub async fn list_mutes(
        &self,
        owner: Owner,
        size: PageSize,
        page_token: &str,
    ) -> Result<MutePage, Error> {
        let binding = owner.binding("mutes");
        let after: Option<ConversationId> = match page_token {
            "" => None,
            token => Some(self.seal.open(TOKEN, &binding, token).map_err(|_| Error::ForeignPageToken)?),
        };
        let Owner { org, subject } = owner;
        let read = self.db.read(&org, move |tx| {
            Box::pin(async move { mutes::list(tx, &subject, after, size.and_one()).await })
        });
        let mut page = read.await.map_err(Error::Db)?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let last = page.last().filter(|_| more);
        let next_page_token =
            last.map(|last| self.seal.seal(TOKEN, &binding, &last.conversation_id)).unwrap_or_default();
        Ok(MutePage { mutes: page, next_page_token })
    }
}

async fn mute(
    tx: &mut Tx,
    subject: &Subject,
    conversation: ConversationId,
    origin: Origin,
) -> Result<Mute, Error> {
    let now = tx.now().await?;
    if mutes::insert(tx, subject, conversation, now).await? {
        // Two at once may pass the limit together by a few: nothing depends on the last one.
        if mutes::count(tx, subject).await? > MUTES {
            return Err(Error::TooManyMutes);
        }
        audit::record(tx, &origin, &[Event::new("conversation.mute", conversation)]).await?;
    }
    Ok(mutes::find(tx, subject, conversation).await?.ok_or(DbError::NoRow)?)
}
