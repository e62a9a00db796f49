//! The changes of a conversation's or a contact's notes, live: ordered, each once, none missing, resumable after any cut.
//!
//! A stream holds a place and reads behind it. A change becomes visible with the head of its target, which its transaction
//! keeps locked until the commit: so changes appear in the order of their sequence, and reading behind a place misses none.

mod poller;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use db::Tx;
use kernel::page::limit;
use kernel::{NoteId, OrgId, Role, Timestamp};
use outbox::{Bell, Wake};
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat, StreamOpened, StreamResyncRequired};
use proto::notes::v1::WatchNotesResponse;
use proto::notes::v1::watch_notes_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::{Entries, Feed, Halt, Listener, Live, Rhythm, Start, live_at};
use rpc::{Call, Fault};
use tokio::sync::OnceCell;

use super::App;
use crate::domain::watch::{Change, Cursor, Target, Watched};
use crate::domain::{Note, Place};
use crate::error::Error;
use crate::{store, wire};

pub use poller::poll;

/// The topic of wake-ups about changes; the key names the target.
const TOPIC: &str = "notes";
/// What resume tokens are sealed as.
const TOKEN: &str = "notes.watch";

/// A stream never looks by itself: one poller looks for all. Longer than any stream lasts.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
/// Changes read at once, each with its note: 2 MiB of text.
const BATCH: usize = 32;

impl App {
    /// Follows the changes of a conversation's or a contact's notes, as somebody of the caller's role sees them.
    ///
    /// # Errors
    /// [`Fault`] if there is no such conversation, of a token that is not of this stream, or of the database.
    pub async fn watch_notes(
        self: &Arc<Self>,
        call: &Call,
        target: Target,
        start: Start,
    ) -> Result<Live<WatchNotesResponse>, Fault> {
        let target = self.home_target(&call.caller.org, target).await?;
        let watched = Watched { org: call.caller.org.clone(), target };
        let feed = LiveNotes {
            bell: self.wake.bell(TOPIC, &watched.org, &target.to_string()),
            listener: self.listeners.join(&watched),
            resume_at: OnceCell::new(),
            reader: call.caller.role,
            watched,
            app: Arc::clone(self),
        };
        if feed.end().await? == 0 {
            self.require_target(call, target).await?;
        }
        let rhythm = Rhythm { poll: NEVER, batch: BATCH, ..Rhythm::default() };
        live_at(rhythm, call, start, feed, self.streams_end.clone()).await
    }

    async fn require_target(&self, call: &Call, target: Target) -> Result<(), Error> {
        match target {
            Target::Conversation(id) => self.peers.contact_of(call, id).await.map(drop),
            Target::Contact(id) => self.peers.require_contact(call, id).await,
        }
    }

    /// Wakes those who follow the changes of notes there, here and in other processes. For a change that is durable.
    pub(super) fn wake_watchers(&self, call: &Call, place: &Place) {
        wake(&self.wake, &call.caller.org, Target::of(place));
    }
}

/// Does the same once the transaction is durable.
pub(super) fn wake_after_commit(tx: &mut Tx, with: &Wake, place: &Place) {
    let Some(org) = tx.org().cloned() else { return };
    let (with, target) = (with.clone(), Target::of(place));
    tx.after_commit(move || wake(&with, &org, target));
}

pub(super) fn wake(with: &Wake, org: &OrgId, target: Target) {
    with.publish(TOPIC, org, &target.to_string());
}

/// One target as one stream sees it.
struct LiveNotes {
    app: Arc<App>,
    watched: Watched,
    /// Who looks: what deleted notes say is for admins only.
    reader: Role,
    bell: Bell,
    listener: Listener<Watched>,
    /// After a loss: from where to go on once the reader has listed again.
    resume_at: OnceCell<Cursor>,
}

/// What a look behind a cursor found.
enum Look {
    Next(Vec<Change>, HashMap<NoteId, Note>),
    /// Something the reader has not seen is kept no longer.
    Lost {
        end: i64,
        oldest: Timestamp,
    },
}

async fn look(tx: &mut Tx, target: Target, cursor: Cursor, most: usize) -> Result<Look, Error> {
    let next = store::watch::list_after(tx, target, cursor.0, limit(most)).await?;
    let end = store::watch::end(tx, target).await?;
    if !cursor.is_followed_by(&next, end) {
        let oldest = store::watch::list_after(tx, target, 0, 1).await?;
        let oldest = match oldest.first() {
            Some(change) => change.time,
            None => tx.now().await?,
        };
        return Ok(Look::Lost { end, oldest });
    }
    let mut ids: Vec<NoteId> = next.iter().map(|change| change.note_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let notes = store::watch::load_notes(tx, &ids).await?;
    Ok(Look::Next(next, notes.into_iter().map(|note| (note.note_id, note)).collect()))
}

impl LiveNotes {
    async fn end(&self) -> Result<i64, Error> {
        let target = self.watched.target;
        let read = self
            .app
            .db
            .read(&self.watched.org, move |tx| Box::pin(async move { store::watch::end(tx, target).await }));
        Ok(read.await?)
    }

    /// Before the oldest change that is kept.
    async fn earliest(&self) -> Result<Cursor, Error> {
        let target = self.watched.target;
        let read = self.app.db.read(&self.watched.org, move |tx| {
            Box::pin(async move { store::watch::list_after(tx, target, 0, 1).await })
        });
        Ok(read.await?.first().map_or(Cursor::START, |oldest| Cursor(oldest.sequence - 1)))
    }

    fn binding(&self) -> Vec<u8> {
        // An organization's name has no slash.
        format!("{}/{}", self.watched.org, self.watched.target).into_bytes()
    }

    fn resume_token(&self, cursor: &Cursor) -> String {
        self.app.seal.seal(TOKEN, &self.binding(), cursor)
    }

    fn frame(&self, at: &Cursor, frame: Frame) -> WatchNotesResponse {
        WatchNotesResponse { resume_token: self.resume_token(at), frame: Some(frame) }
    }
}

impl Feed for LiveNotes {
    type Frame = WatchNotesResponse;
    type Cursor = Cursor;

    async fn start(&self, from: Start) -> Result<Cursor, Halt> {
        let cursor = match from {
            Start::Now => Cursor(self.end().await?),
            Start::Earliest => self.earliest().await?,
            // What is gone meanwhile is found by the first look, behind the opening frame.
            Start::Resume(token) => {
                let opened = self.app.seal.open(TOKEN, &self.binding(), &token);
                opened.map_err(|malformed| malformed.at("start.resume_token"))?
            }
        };
        self.listener.seen(cursor.0);
        Ok(cursor)
    }

    async fn next(&self, after: &Cursor, limit: usize) -> Result<Entries<Self>, Halt> {
        let (target, cursor) = (self.watched.target, *after);
        let read = self.app.db.read(&self.watched.org, move |tx| Box::pin(look(tx, target, cursor, limit)));
        let (next, notes) = match read.await? {
            Look::Next(next, notes) => (next, notes),
            Look::Lost { end, oldest } => {
                let _first_wins = self.resume_at.set(Cursor(end));
                return Err(Halt::Resync { oldest });
            }
        };
        if let Some(last) = next.last() {
            self.listener.seen(last.sequence);
        }
        let entry = |change: Change| {
            let cursor = Cursor(change.sequence);
            let note = notes.get(&change.note_id).map(|note| note.clone().shown_to(self.reader));
            (cursor, Some(self.frame(&cursor, Frame::Change(wire::watch::change(change, note)))))
        };
        Ok(next.into_iter().map(entry).collect())
    }

    async fn woken(&mut self) {
        tokio::select! {
            () = self.bell.rung() => {}
            () = self.listener.woken() => {}
        }
    }

    fn opened(&self, at: &Cursor) -> WatchNotesResponse {
        let open_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Opened(StreamOpened { open_time }))
    }

    fn heartbeat(&self, at: &Cursor) -> WatchNotesResponse {
        let beat_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Heartbeat(StreamHeartbeat { beat_time }))
    }

    fn closing(&self, at: &Cursor, reason: ClosingReason) -> WatchNotesResponse {
        self.frame(at, Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn resync_required(&self, oldest: Timestamp) -> WatchNotesResponse {
        // The end of the changes at the moment of the loss: who lists after this frame and resumes there misses nothing.
        let resume_token = self.resume_at.get().map(|at| self.resume_token(at)).unwrap_or_default();
        let oldest_time = Some(proto_time(oldest));
        WatchNotesResponse {
            resume_token,
            frame: Some(Frame::ResyncRequired(StreamResyncRequired { oldest_time })),
        }
    }
}
