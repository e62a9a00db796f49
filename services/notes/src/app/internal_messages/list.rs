//! Reading internal messages.

use db::Tx;
use kernel::{ConversationId, PageSize, Timestamp};
use rpc::Call;

use super::{require_enabled, sight, whole_threads};
use crate::app::App;
use crate::domain::internal_message::{InternalMessage, InternalThread, InternalThreadId, Sight};
use crate::error::Error;
use crate::store::internal_messages::messages;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.internal_messages";

/// Bytes of text on a page, after which it ends: clients refuse answers of more than 4 MiB unless told otherwise.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Messages read by one statement: so much of what a page then has no room for is in memory at most.
const STEP: usize = 32;

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
            false => self
                .seal
                .open(LIST, binding.as_bytes(), &token)
                .map_err(|malformed| malformed.at("page_token"))?,
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

/// The messages behind a time that fit on a page, and whether there are more: at least one, at most `size`, and no more
/// than [`PAGE_BYTES`] if it can be.
async fn read_page(
    tx: &mut Tx,
    place: &Place,
    mut behind: Timestamp,
    size: usize,
) -> Result<(Vec<InternalMessage>, bool), Error> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    loop {
        // One more than fits, which says that there is more.
        let step = STEP.min(size + 1 - page.len());
        let limit = i64::try_from(step).unwrap_or(i64::MAX);
        let Place { sight, conversation_id, thread } = place;
        let messages = messages::list_messages(tx, sight, *conversation_id, *thread, behind, limit).await?;
        let ended = messages.len() < step;
        for message in messages {
            bytes += message.body.as_str().len();
            if page.len() == size || (bytes > PAGE_BYTES && !page.is_empty()) {
                return Ok((page, true));
            }
            behind = message.create_time;
            page.push(message);
        }
        if ended {
            return Ok((page, false));
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
