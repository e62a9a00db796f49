//! Notes that other services write, each once: a handoff with which a conversation was given away, what a workflow notes down.

use std::collections::HashSet;
use std::sync::Arc;

use db::Tx;
use erasure::Kind;
use kernel::{EventId, NoteId, Timestamp};
use outbox::Outbox;
use rpc::Call;
use uuid::Uuid;

use super::App;
use super::create_note::{Draft, NewNote, insert};
use crate::domain::{Author, Body, Directory, Handle, Handoff, MOST_HANDLES, Place};
use crate::error::Error;

/// A note that another service wrote.
#[derive(Debug)]
pub struct Ingested {
    /// The event: it takes effect once. The note has its id.
    pub event: EventId,
    /// The conversation it is on, and whom it is about.
    pub place: Place,
    /// Who wrote it.
    pub author: Author,
    /// When.
    pub time: Timestamp,
    /// The text.
    pub body: Body,
    /// Whom it mentions.
    pub handles: Vec<Handle>,
    /// To whom it hands the conversation over, if it does.
    pub handoff: Option<Handoff>,
}

/// What became of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was written now.
    Now,
    /// It was written before.
    Before,
    /// What it is about was erased: there is nothing to write it on.
    Erased,
}

impl App {
    /// Writes notes of other services: one outcome for each, in order. Whom they mention is told; the receivers of handoffs are told by
    /// who sends them.
    ///
    /// # Errors
    /// [`Error::Routing`] if it does not say whom they mention, [`Error::Database`]; then none was written.
    pub async fn write_notes(&self, call: &Call, notes: Vec<Ingested>) -> Result<Vec<Taken>, Error> {
        let directory = self.named(call, &notes).await?;
        let now = self.clock.now();
        let origin = runtime::origin(call);
        let drafts: Vec<(EventId, Arc<Draft>)> = notes
            .into_iter()
            .map(|it| {
                // The clock of who sends it may be ahead; nothing is written in the future.
                let stamp = (NoteId::from_uuid(it.event.as_uuid()), it.time.min(now));
                let new = NewNote {
                    place: it.place,
                    reply: None,
                    author: it.author,
                    body: it.body,
                    handles: it.handles,
                    handoff: it.handoff,
                    origin: origin.clone(),
                };
                let draft = Draft::from_elsewhere(&self.clock, new, &directory, stamp);
                let org = &call.caller.org;
                (it.event, Arc::new(draft.announced(&self.clock, &self.announcer, org)))
            })
            .collect();
        let places: Vec<Place> = drafts.iter().map(|(_, draft)| *draft.place()).collect();
        let outbox = self.outbox.clone();
        let write = self.db.write(&call.caller.org, move |tx| Box::pin(take(tx, outbox, drafts)));
        let taken: Vec<Taken> = write.await?;
        for (place, _) in places.iter().zip(&taken).filter(|(_, taken)| **taken == Taken::Now) {
            self.wake_watchers(call, place);
        }
        Ok(taken)
    }

    /// What the names in all of these notes mean: as many at a time as routing answers. None is asked for if there is none.
    async fn named(&self, call: &Call, notes: &[Ingested]) -> Result<Directory, Error> {
        let mut seen = HashSet::new();
        let handles: Vec<Handle> =
            notes.iter().flat_map(|note| &note.handles).filter(|it| seen.insert(*it)).cloned().collect();
        let mut directory = Directory::new();
        for asked in handles.chunks(MOST_HANDLES) {
            directory.extend(self.peers.resolve(call, asked).await?);
        }
        Ok(directory)
    }
}

async fn take(tx: &mut Tx, outbox: Outbox, drafts: Vec<(EventId, Arc<Draft>)>) -> Result<Vec<Taken>, Error> {
    let conversations: Vec<Uuid> = ids(&drafts, |place| place.conversation_id().map(|id| id.as_uuid()));
    let contacts: Vec<Uuid> = ids(&drafts, |place| Some(place.contact_id().as_uuid()));
    // A trigger would refuse them too, and with them everything else in this transaction.
    erasure::hold(tx, Kind::Conversation, &conversations).await?;
    erasure::hold(tx, Kind::Contact, &contacts).await?;
    let mut buried = erasure::list_buried(tx, Kind::Conversation, &conversations).await?;
    buried.extend(erasure::list_buried(tx, Kind::Contact, &contacts).await?);
    let events: Vec<EventId> = drafts.iter().map(|(event, _)| *event).collect();
    let mut new = outbox::first_time(tx, &events).await?;
    let mut taken = Vec::with_capacity(drafts.len());
    for (event, draft) in drafts {
        taken.push(if is_about(draft.place(), &buried) {
            Taken::Erased
        } else if new.remove(&event) {
            // Peers may speak of a contact who was merged away since.
            let home = merges::hold_home(tx, draft.place().contact_id()).await?;
            let draft = if home.merges.is_empty() { draft } else { Arc::new(draft.at(home)) };
            insert(tx, outbox.clone(), draft).await?;
            Taken::Now
        } else {
            Taken::Before
        });
    }
    Ok(taken)
}

fn ids(drafts: &[(EventId, Arc<Draft>)], of: impl Fn(&Place) -> Option<Uuid>) -> Vec<Uuid> {
    let ids: HashSet<Uuid> = drafts.iter().filter_map(|(_, draft)| of(draft.place())).collect();
    ids.into_iter().collect()
}

fn is_about(place: &Place, buried: &HashSet<Uuid>) -> bool {
    let conversation = place.conversation_id().map(|id| id.as_uuid());
    buried.contains(&place.contact_id().as_uuid()) || conversation.is_some_and(|id| buried.contains(&id))
}
