//! What notes tells us, each event once: somebody wrote a note, somebody was mentioned. It moves what people have not
//! seen, and nothing that a contact could read.

use std::collections::{BTreeMap, HashSet};

use audit::Origin;
use db::Tx;
use erasure::Kind;
use kernel::{ConversationId, EventId};
use rpc::Caller;
use uuid::Uuid;

use super::App;
use crate::error::Error;
use crate::store;

/// Something that happened around a conversation.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The event: it takes effect once.
    pub event: EventId,
    /// The conversation.
    pub conversation: ConversationId,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// Somebody wrote a note.
    NoteAdded {
        /// The `sub` of who wrote it.
        author: String,
    },
    /// People were mentioned.
    PeopleMentioned {
        /// Their `sub`.
        subjects: Vec<String>,
    },
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It took effect now.
    Now,
    /// It had taken effect before.
    Before,
    /// The conversation was erased: there is nothing left to which it could matter.
    Erased,
    /// There is no such conversation.
    NoSuchConversation,
}

impl App {
    /// Applies events: one outcome for each, in order.
    ///
    /// # Errors
    /// [`Error::Db`]; then none took effect.
    pub async fn apply_events(
        &self,
        caller: &Caller,
        origin: Origin,
        events: Vec<Happened>,
    ) -> Result<Vec<Applied>, Error> {
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    app.ring_inboxes(tx);
                    apply(tx, events, origin).await
                })
            })
            .await
    }
}

async fn apply(tx: &mut Tx, events: Vec<Happened>, origin: Origin) -> Result<Vec<Applied>, Error> {
    let named: HashSet<ConversationId> = events.iter().map(|event| event.conversation).collect();
    let named: Vec<ConversationId> = named.into_iter().collect();
    let uuids: Vec<Uuid> = named.iter().map(ConversationId::as_uuid).collect();
    erasure::hold(tx, Kind::Conversation, &uuids).await?;
    let known: HashSet<ConversationId> =
        store::conversations::list_existing(tx, &named).await?.into_iter().collect();
    let erased = match known.len() == named.len() {
        true => HashSet::new(),
        false => erasure::list_buried(tx, Kind::Conversation, &uuids).await?,
    };
    // What is refused now is not remembered: the conversation may still come.
    let ids: Vec<EventId> =
        events.iter().filter(|event| known.contains(&event.conversation)).map(|event| event.event).collect();
    let mut new = outbox::first_time(tx, &ids).await?;
    audit::record(tx, &origin, &audit::Event::each("event.apply", &new)).await?;
    let mut tally = Tally::default();
    let mut outcomes = Vec::with_capacity(events.len());
    for event in events {
        outcomes.push(if erased.contains(&event.conversation.as_uuid()) {
            Applied::Erased
        } else if !known.contains(&event.conversation) {
            Applied::NoSuchConversation
        } else if new.remove(&event.event) {
            tally.add(event);
            Applied::Now
        } else {
            Applied::Before
        });
    }
    store::attention::add_notes(tx, &tally.notes).await?;
    store::attention::add_own_notes(tx, &tally.own_notes).await?;
    store::attention::add_mentions(tx, &tally.mentions).await?;
    Ok(outcomes)
}

/// Events added up, in the order of their rows, so that two batches never wait crosswise.
#[derive(Default)]
struct Tally {
    notes: BTreeMap<ConversationId, i64>,
    own_notes: BTreeMap<store::attention::Reader, i64>,
    mentions: BTreeMap<store::attention::Reader, i64>,
}

impl Tally {
    fn add(&mut self, event: Happened) {
        let conversation = event.conversation;
        match event.what {
            What::NoteAdded { author } => {
                *self.notes.entry(conversation).or_default() += 1;
                *self.own_notes.entry((author, conversation)).or_default() += 1;
            }
            What::PeopleMentioned { subjects } => {
                for subject in subjects {
                    *self.mentions.entry((subject, conversation)).or_default() += 1;
                }
            }
        }
    }
}
