//! Reading internal messages.

use db::Tx;
use kernel::page::{Filling, limit};
use kernel::{ConversationId, PageSize, Timestamp};
use rpc::Call;

use super::{require_enabled, sight, whole_threads};
use crate::app::App;
use crate::domain::internal_message::{InternalMessage, InternalThread, InternalThreadId, Sight};
use crate::error::Error;
use crate::store::internal_messages::messages;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.internal_messages";

/// Before the oldest message.
const START: Timestamp = Timestamp::from_micros(i64::MIN);

/// Which page of a conversation's internal messages.
#[derive(Debug)]
pub struct InternalPageRequest {
    /// Whose messages.
    pub conversation_id: ConversationId,
    /// Only those of this thread.
    pub thread: Option<InternalThreadId>,
    /// How many, at most.
    pub size: PageSize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// A page of internal messages.
#[derive(Debug)]
pub struct InternalPage {
    /// Oldest first.
    pub messages: Vec<InternalMessage>,
    /// The threads they are in.
    pub threads: Vec<InternalThread>,
    /// Where the next page begins; empty at the end.
    pub next_token: String,
}

impl App {
    /// Lists what the caller may see of a conversation's internal messages, oldest first. Routing is not asked: whether
    /// the conversation is resolved, or there at all, makes no difference.
    ///
    /// # Errors
    /// [`Error::DisabledBySetting`], [`Error::NoSuchInternalThread`] where the caller sees none, [`Error::Malformed`] for a token
    /// of another list, [`Error::Database`].
    pub async fn list_internal_messages(
        &self,
        call: &Call,
        page: InternalPageRequest,
    ) -> Result<InternalPage, Error> {
        let (org, sight) = (&call.caller.org, sight(&call.caller));
        let InternalPageRequest { conversation_id, thread, size, token } = page;
        let binding = format!("{org}/{conversation_id}/{thread:?}/{sight:?}");
        let first = token.is_empty();
        let behind = match first {
            true => START,
            false => self.opened(LIST, &binding, &token)?,
        };
        let read = self.db.read(org, move |tx| {
            Box::pin(async move {
                require_enabled(tx).await?;
                let place = Place { sight, conversation_id, thread };
                let (messages, more) = read_page(tx, &place, behind, size.get()).await?;
                let threads = whole_threads(tx, &threads_of(&messages)).await?;
                Ok::<_, Error>((messages, threads, more))
            })
        });
        let (messages, threads, more) = read.await?;
        if messages.is_empty() && first {
            return Err(Error::NoSuchInternalThread);
        }
        let last = messages.last().filter(|_| more).map(|last| last.create_time);
        let next_token = last.map(|last| self.seal.seal(LIST, binding.as_bytes(), &last)).unwrap_or_default();
        Ok(InternalPage { messages, threads, next_token })
    }
}

/// Which messages are read.
struct Place {
    sight: Sight,
    conversation_id: ConversationId,
    thread: Option<InternalThreadId>,
}

/// The messages behind a time that fit on a page, and whether there are more.
async fn read_page(
    tx: &mut Tx,
    place: &Place,
    mut behind: Timestamp,
    size: usize,
) -> Result<(Vec<InternalMessage>, bool), Error> {
    let Place { sight, conversation_id, thread } = place;
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let messages =
            messages::list_messages(tx, sight, *conversation_id, *thread, behind, limit(step)).await?;
        let ended = messages.len() < step;
        for message in messages {
            let (time, bytes) = (message.create_time, message.body.as_str().len());
            if !page.takes(message, bytes) {
                return Ok((page.items(), true));
            }
            behind = time;
        }
        if ended {
            return Ok((page.items(), false));
        }
    }
}

/// The threads of these messages, each once.
fn threads_of(messages: &[InternalMessage]) -> Vec<InternalThreadId> {
    let mut threads: Vec<InternalThreadId> = messages.iter().map(|message| message.thread_id).collect();
    threads.sort_unstable();
    threads.dedup();
    threads
}
