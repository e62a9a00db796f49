//! Reading conversations: one, a view, the counts, the messages; and what of them a person has read (R7).

use db::{Db, DbError, Gather, Tx};
use kernel::page::{Filling, limit};
use kernel::{ConversationId, PageSize};
use rpc::Caller;

use super::App;
use super::sight::Sight;
use crate::domain::conversation::Conversation;
use crate::domain::message::Message;
use crate::domain::view::{Entry, Filter, Place, View};
use crate::error::Error;
use crate::store;
use crate::store::views::Reader;

/// Page tokens of views.
const VIEW: &str = "routing.conversations";

/// Page tokens of messages.
const MESSAGES: &str = "routing.messages";

/// Answers questions for single conversations.
#[must_use]
pub fn gather(db: Db) -> Gather<ConversationId, Conversation> {
    Gather::new(db, |tx, ids| Box::pin(store::conversations::list_by_ids(tx, ids)))
}

impl App {
    /// Reads a conversation.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], also for one that the caller may not see; [`Error::Db`].
    pub async fn get_conversation(&self, caller: &Caller, id: ConversationId) -> Result<Conversation, Error> {
        let found = self.conversations.ask(&caller.org, id).await?;
        let sight = self.sight(caller).await?;
        found.filter(|it| sight.includes(it)).ok_or(Error::NoSuchConversation)
    }

    /// Lists a view: the page, and the token of the next. A contact lists their own only.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_conversations(
        &self,
        caller: &Caller,
        mut filter: Filter,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Entry>, String), Error> {
        // The view depends on who reads it, so the token does too; not on who was merged meanwhile.
        let binding = format!("{} {} {filter:?}", caller.org, caller.subject).into_bytes();
        if let Some(asked) = filter.contact {
            filter.contact = Some(self.home(&caller.org, asked).await?);
        }
        match self.sight(caller).await? {
            Sight::Everything => {}
            Sight::Nothing => return Ok((Vec::new(), String::new())),
            Sight::Own(own) if filter.contact.is_some_and(|asked| asked != own) => {
                return Ok((Vec::new(), String::new()));
            }
            Sight::Own(own) => filter.contact = Some(own),
        }
        let after: Option<Place> = match token {
            "" => None,
            token => Some(self.seal.open(VIEW, &binding, token).map_err(Error::BadPageToken)?),
        };
        let (subject, asked) = (caller.subject.clone(), filter.clone());
        let mut page: Vec<Entry> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let reader = reader(tx, &subject).await?;
                    store::views::list_entries(tx, &reader, &asked, after, size.and_one()).await
                })
            })
            .await?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let next = page.last().filter(|_| more).map(|last| Place::of(&last.conversation, filter.sort));
        let next = next.map(|place| self.seal.seal(VIEW, &binding, &place));
        Ok((page, next.unwrap_or_default()))
    }

    /// How many conversations each of the caller's views has.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn count_inbox(&self, caller: &Caller) -> Result<Vec<(View, i64)>, Error> {
        let subject = caller.subject.clone();
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let reader = reader(tx, &subject).await?;
                    Ok(store::counts::count_views(tx, &reader).await?)
                })
            })
            .await
    }

    /// Lists the messages of a conversation, oldest first: the page, which also ends at 2 MiB of text, and the
    /// token of the next.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_messages(
        &self,
        caller: &Caller,
        id: ConversationId,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Message>, String), Error> {
        let binding = format!("{} {id}", caller.org).into_bytes();
        let after: i64 = match token {
            "" => 0,
            token => self.seal.open(MESSAGES, &binding, token).map_err(Error::BadPageToken)?,
        };
        let sight = self.sight(caller).await?;
        let (page, more) = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    get(tx, id, sight).await?;
                    Ok::<_, Error>(read_page(tx, id, after, size.get()).await?)
                })
            })
            .await?;
        let next =
            page.last().filter(|_| more).map(|last| self.seal.seal(MESSAGES, &binding, &last.position));
        Ok((page, next.unwrap_or_default()))
    }

    /// Moves the caller's read cursor to the present end of a conversation.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Db`].
    pub async fn mark_read(&self, caller: &Caller, id: ConversationId) -> Result<(), Error> {
        let subject = self.agent_of(caller).await?.subject;
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    if !store::attention::read_to_end(tx, subject.as_str(), id).await? {
                        return Err(Error::NoSuchConversation);
                    }
                    app.ring_inboxes(tx);
                    Ok(store::attention::see_mentions(tx, subject.as_str(), id).await?)
                })
            })
            .await
    }
}

async fn get(tx: &mut Tx, id: ConversationId, sight: Sight) -> Result<Conversation, Error> {
    let found = store::conversations::find_conversation(tx, id).await?;
    found.filter(|conversation| sight.includes(conversation)).ok_or(Error::NoSuchConversation)
}

/// The messages behind a position that fit on a page, and whether there are more.
async fn read_page(
    tx: &mut Tx,
    id: ConversationId,
    mut after: i64,
    size: usize,
) -> Result<(Vec<Message>, bool), DbError> {
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let messages = store::messages::list_messages(tx, id, after, limit(step)).await?;
        let ended = messages.len() < step;
        for message in messages {
            let (position, bytes) = (message.position, message.text.len());
            if !page.takes(message, bytes) {
                return Ok((page.items(), true));
            }
            after = position;
        }
        if ended {
            return Ok((page.items(), false));
        }
    }
}

async fn reader(tx: &mut Tx, subject: &kernel::Subject) -> Result<Reader, DbError> {
    let agent = store::agents::find_agent_of(tx, subject).await?;
    Ok(Reader { subject: subject.to_string(), agent: agent.map(|agent| agent.id) })
}
