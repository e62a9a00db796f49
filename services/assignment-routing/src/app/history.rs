//! What was said in a conversation and what happened to it, in the order of time (N10). The notes service asks, as the person
//! for whom it weaves a timeline.

use db::{DbError, Tx};
use kernel::page::{Filling, limit};
use kernel::{ContactId, ConversationId, PageSize};
use rpc::Caller;

use super::App;
use super::sight::Sight;
use crate::domain::history::{Edge, Order, ShownEvent};
use crate::domain::message::{Author, Message};
use crate::error::Error;
use crate::store;

/// Which stretch of a conversation's history.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Whose history.
    pub conversation: ConversationId,
    /// In which direction.
    pub order: Order,
    /// Behind which message.
    pub messages_after: Edge,
    /// Behind which event.
    pub events_after: Edge,
    /// How many of each, at most.
    pub size: PageSize,
}

/// A stretch of a conversation's history.
#[derive(Debug, Clone)]
pub struct History {
    /// The conversation's contact.
    pub contact: ContactId,
    /// What was said.
    pub messages: Vec<Message>,
    /// Whether more was.
    pub more_messages: bool,
    /// What happened.
    pub events: Vec<ShownEvent>,
    /// Whether more did.
    pub more_events: bool,
}

impl App {
    /// Reads a stretch of a conversation's history. Messages also end at 2 MiB of text.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], also for one that the caller may not see; [`Error::Db`].
    pub async fn history(&self, caller: &Caller, stretch: Stretch) -> Result<History, Error> {
        let sight = Sight::of(caller);
        self.db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    let Stretch { conversation: id, order, events_after, size, .. } = stretch;
                    let found = store::conversations::find_conversation(tx, id).await?;
                    let conversation =
                        found.filter(|it| sight.includes(it)).ok_or(Error::NoSuchConversation)?;
                    let (messages, more_messages) = messages(tx, stretch).await?;
                    let mut events =
                        store::history::list_events(tx, id, order, events_after, size.and_one()).await?;
                    let more_events = events.len() > size.get();
                    events.truncate(size.get());
                    let contact = conversation.contact;
                    Ok(History { contact, messages, more_messages, events, more_events })
                })
            })
            .await
    }
}

/// The messages that fit, and whether there are more.
async fn messages(tx: &mut Tx, stretch: Stretch) -> Result<(Vec<Message>, bool), DbError> {
    let Stretch { conversation, order, messages_after: mut edge, size, .. } = stretch;
    let mut page = Filling::new(size.get());
    loop {
        let step = page.step();
        let messages = store::messages::list_in_time(tx, conversation, order, edge, limit(step)).await?;
        let ended = messages.len() < step;
        for message in messages {
            let (behind, bytes) =
                (Edge { time: message.create_time, id: message.id.as_uuid() }, message.text.len());
            if !page.takes(message, bytes) {
                return Ok((page.items(), true));
            }
            edge = behind;
        }
        if ended {
            return Ok((page.items(), false));
        }
    }
}

/// The caller, as whoever does something.
pub(super) fn author(caller: &Caller) -> Author {
    Author {
        subject: caller.subject.clone(),
        role: caller.role,
        display_name: rpc::convert::display_name(caller).to_owned(),
    }
}
