//! A conversation's timeline (N10): what routing has of it, asked as the caller, woven with what is private.
//!
//! Routing is asked once for a page, before anything is read here and outside any transaction. Without its answer there is no
//! page: half a timeline would look like a whole one, and a reply could be written in ignorance of what the customer said.

use db::Tx;
use kernel::page::limit;
use kernel::{ConversationId, PageSize, Role};
use proto::routing::v1 as routing;
use rpc::Call;

use super::App;
use super::internal_messages::sight;
use crate::domain::Note;
use crate::domain::internal_message::{InternalMessage, Sight};
use crate::domain::timeline::{Kind, Order, Place, Placed, Run, Wanted, Weave};
use crate::error::Error;
use crate::peers::history::{Asked, History, Part};
use crate::store;
use crate::store::lists::Shelf;
use crate::store::timeline::Threads;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.timeline";

/// Which page of a conversation's timeline.
#[derive(Debug)]
pub struct TimelineRequest {
    /// Whose timeline.
    pub conversation_id: ConversationId,
    /// In which direction.
    pub order: Order,
    /// How many entries, at most.
    pub size: PageSize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// A page of a timeline.
#[derive(Debug)]
pub struct TimelinePage {
    /// In its order.
    pub entries: Vec<Entry>,
    /// Where the next page begins; empty at the end.
    pub next_token: String,
}

/// One step of a walk through a timeline, page by page.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Whose timeline.
    pub conversation_id: ConversationId,
    /// In which direction.
    pub order: Order,
    /// How many entries, at most.
    pub size: PageSize,
    /// Behind which place; `None`: from the first entry on.
    pub after: Option<Place>,
    /// What of it is private.
    pub private: Private,
}

/// What private entries a walk meets. What it does not meet is not even read.
#[derive(Debug, Clone)]
pub struct Private {
    /// Notes on the conversation and on its contact.
    pub notes: bool,
    /// Internal messages within this sight; `None`: none.
    pub internal_messages: Option<Sight>,
}

/// Something in a timeline.
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

impl std::fmt::Debug for Entry {
    /// Without what it says, which is private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What stands in a timeline. What comes from routing is as routing says it.
pub enum Content {
    /// Between the customer and the organization.
    Message(Box<routing::Message>),
    /// Something that happened to the conversation.
    Event(Box<routing::HistoryEvent>),
    /// On the conversation or on its contact.
    Note(Box<Note>),
    /// Between an agent and the supervisors.
    InternalMessage(Box<InternalMessage>),
}

impl App {
    /// Lists everything around a conversation that the caller may see, in one order.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a token of another list, [`Error::Routing`] if the conversation is not there or routing does not
    /// answer, [`Error::Database`].
    pub async fn list_timeline(&self, call: &Call, request: TimelineRequest) -> Result<TimelinePage, Error> {
        let (org, sight) = (&call.caller.org, sight(&call.caller));
        let TimelineRequest { conversation_id, order, size, token } = request;
        let binding = format!("{org}/{conversation_id}/{order:?}/{sight:?}");
        let after: Option<Place> = match token.as_str() {
            "" => None,
            token => Some(self.opened(LIST, &binding, token)?),
        };
        let private = Private { notes: true, internal_messages: Some(sight) };
        let stretch = Stretch { conversation_id, order, size, after, private };
        let (entries, next) = self.read_timeline(call, stretch).await?;
        let next_token = next.map(|next| self.seal.seal(LIST, binding.as_bytes(), &next)).unwrap_or_default();
        Ok(TimelinePage { entries, next_token })
    }

    /// The entries behind a place that fit on a page, and behind which place the next one begins, if there is one. Deleted notes
    /// are as somebody with the caller's role sees them. Internal messages are left out where the organization has switched
    /// them off.
    ///
    /// # Errors
    /// [`Error::Routing`] if the conversation is not there or routing does not answer, [`Error::Database`].
    pub async fn read_timeline(
        &self,
        call: &Call,
        stretch: Stretch,
    ) -> Result<(Vec<Entry>, Option<Place>), Error> {
        let Stretch { conversation_id, order, size, after, private } = stretch;
        let asked = Asked { conversation_id, order, after, size };
        let History { contact_id, messages, events } = self.peers.history(call, asked).await?;
        let shelves = [
            (Kind::Note, Shelf::Conversation(conversation_id)),
            (Kind::ContactNote, Shelf::Contact(contact_id)),
        ];
        let shelves = if private.notes { shelves.to_vec() } else { Vec::new() };
        let once = vec![run(messages, Content::Message), run(events, Content::Event)];
        let weave = Weave::new(order, size, after, once);
        let reader = Reader { order, conversation_id, shelves, role: call.caller.role };
        let read = self.db.read(&call.caller.org, move |tx| {
            Box::pin(async move { reader.fill(tx, weave, private.internal_messages).await })
        });
        read.await
    }
}

/// What routing gave, as entries.
fn run<T>(part: Part<T>, content: fn(Box<T>) -> Content) -> Run<Entry> {
    let entries = part.items.into_iter().map(|(place, it)| Entry { place, content: content(Box::new(it)) });
    Run::new(entries.collect(), part.ended)
}

/// Reads what is private of one conversation.
struct Reader {
    order: Order,
    conversation_id: ConversationId,
    shelves: Vec<(Kind, Shelf)>,
    role: Role,
}

impl Reader {
    async fn fill(
        &self,
        tx: &mut Tx,
        mut weave: Weave<Entry>,
        sight: Option<Sight>,
    ) -> Result<(Vec<Entry>, Option<Place>), Error> {
        let threads = self.threads(tx, sight).await?;
        while let Some(wanted) = weave.wants() {
            let mut pieces = Vec::with_capacity(self.shelves.len() + 1);
            for (kind, shelf) in &self.shelves {
                pieces.push(self.notes(tx, *kind, *shelf, wanted).await?);
            }
            if let Some(threads) = &threads {
                pieces.push(self.internal_messages(tx, threads, wanted).await?);
            }
            weave.add(pieces);
        }
        Ok(weave.page())
    }

    /// The threads whose messages are in sight; `None`: there are none.
    async fn threads(&self, tx: &mut Tx, sight: Option<Sight>) -> Result<Option<Threads>, Error> {
        let Some(sight) = sight else { return Ok(None) };
        if !store::settings::find_settings(tx).await?.internal_messages_enabled {
            return Ok(None);
        }
        let Sight::Own(subject) = sight else { return Ok(Some(Threads::All)) };
        let own = store::timeline::list_own_threads(tx, self.conversation_id, &subject).await?;
        Ok((!own.is_empty()).then_some(Threads::These(own)))
    }

    async fn notes(
        &self,
        tx: &mut Tx,
        kind: Kind,
        shelf: Shelf,
        wanted: Wanted,
    ) -> Result<Run<Entry>, Error> {
        let (edge, count) = (self.order.edge(kind, wanted.after), limit(wanted.count));
        let notes = store::timeline::list_notes(tx, shelf, self.order, edge, count).await?;
        let ended = notes.len() < wanted.count;
        let entries = notes.into_iter().map(|note| Entry {
            place: Place { time: note.create_time, kind, id: note.note_id.as_uuid() },
            content: Content::Note(Box::new(note.shown_to(self.role))),
        });
        Ok(Run::new(entries.collect(), ended))
    }

    async fn internal_messages(
        &self,
        tx: &mut Tx,
        threads: &Threads,
        wanted: Wanted,
    ) -> Result<Run<Entry>, Error> {
        let (kind, count) = (Kind::InternalMessage, limit(wanted.count));
        let edge = self.order.edge(kind, wanted.after);
        let (id, order) = (self.conversation_id, self.order);
        let messages = store::timeline::list_internal_messages(tx, id, threads, order, edge, count).await?;
        let ended = messages.len() < wanted.count;
        let entries = messages.into_iter().map(|message| Entry {
            place: Place { time: message.create_time, kind, id: message.message_id.as_uuid() },
            content: Content::InternalMessage(Box::new(message)),
        });
        Ok(Run::new(entries.collect(), ended))
    }
}

impl Placed for Entry {
    fn place(&self) -> Place {
        self.place
    }

    fn text_bytes(&self) -> usize {
        match &self.content {
            Content::Message(message) => message.text.len(),
            Content::Event(_) => 0,
            Content::Note(note) => note.text_bytes(),
            Content::InternalMessage(message) => message.body.as_str().len(),
        }
    }
}
