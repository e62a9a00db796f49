//! A feed, live: ordered, each entry once, none missing, resumable after any cut.
//!
//! A stream holds a place and reads behind it. An entry becomes visible with its feed's head, which its transaction keeps
//! locked until the commit: so entries appear in the order of their sequence, and reading behind a place misses none.
//!
//! What the person does with entries is numbered under the same lock, and each entry carries the number of what was last done with it. So
//! a device that was away learns by its place there what the person did meanwhile on another: each changed entry once, as it is now.

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use outbox::Bell;
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat, StreamOpened, StreamResyncRequired};
use proto::notifications::v1::SubscribeResponse;
use proto::notifications::v1::subscribe_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::{Entries, Feed, Halt, Listener, Live, Rhythm, Start, live_at};
use rpc::{Call, Fault};
use tokio::sync::OnceCell;

use super::read_state::Done;
use super::{App, FEED_TOPIC, Owner};
use crate::domain::{Cursor, Handled, Head, Notification};
use crate::error::Error;
use crate::store::{entries, heads};

const TOKEN: &str = "notifications.subscribe";

/// A stream never looks by itself: one poller looks for all (`worker`). Longer than any stream lasts.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

impl App {
    /// Follows the caller's feed.
    ///
    /// # Errors
    /// [`Fault`] of a token that is not of this stream, or of the database.
    pub async fn subscribe(
        self: &Arc<Self>,
        call: &Call,
        owner: Owner,
        start: Start,
    ) -> Result<Live<SubscribeResponse>, Fault> {
        let feed = LiveFeed {
            bell: self.wake.bell(FEED_TOPIC, &owner.org, owner.subject.as_str()),
            listener: self.listeners.join(&owner),
            resume_at: OnceCell::new(),
            owner,
            app: Arc::clone(self),
        };
        let rhythm = Rhythm { poll: NEVER, ..Rhythm::default() };
        live_at(rhythm, call, start, feed, self.streams_end.clone()).await
    }
}

/// One person's feed as one stream sees it.
struct LiveFeed {
    app: Arc<App>,
    owner: Owner,
    bell: Bell,
    listener: Listener<Owner>,
    /// After a loss: from where to go on once the person has listed again.
    resume_at: OnceCell<Cursor>,
}

/// What a look behind a cursor found.
enum Look {
    Next(Next),
    /// Something the reader has not seen is gone.
    Lost {
        head: Head,
        oldest: Timestamp,
    },
}

/// What a reader does not have yet.
struct Next {
    entries: Vec<Notification>,
    done: Option<Done>,
}

impl LiveFeed {
    async fn head(&self) -> Result<Head, Error> {
        let subject = self.owner.subject.clone();
        let read = self
            .app
            .db
            .read(&self.owner.org, move |tx| Box::pin(async move { heads::get(tx, &subject).await }));
        read.await.map_err(Error::Db)
    }

    async fn look(&self, cursor: Cursor, limit: usize) -> Result<Look, Error> {
        let subject = self.owner.subject.clone();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = self.app.db.read(&self.owner.org, move |tx| {
            Box::pin(async move {
                let after = entries::after(tx, &subject, cursor.after, limit).await?;
                let room = limit - i64::try_from(after.entries.len()).unwrap_or(limit);
                if let Some(handlings) = after.handlings
                    && cursor.is_followed_by(after.entries.iter().map(|entry| entry.sequence))
                    && !cursor.knows_more(handlings)
                {
                    let done = Done::unknown_at(tx, &subject, cursor, handlings, room).await?;
                    return Ok(Look::Next(Next { entries: after.entries, done }));
                }
                // A gap, or the end of the feed: both may mean that retention was faster than the reader.
                let head = heads::get(tx, &subject).await?;
                if !cursor.has_missed_something(head) {
                    let done = Done::unknown_at(tx, &subject, cursor, head.handlings, room).await?;
                    return Ok(Look::Next(Next { entries: after.entries, done }));
                }
                let oldest = match entries::oldest_time(tx, &subject, head.forgotten_through).await? {
                    Some(oldest) => oldest,
                    None => tx.now().await?,
                };
                Ok(Look::Lost { head, oldest })
            })
        });
        read.await
    }

    fn resume_token(&self, cursor: &Cursor) -> String {
        self.app.seal.seal(TOKEN, &self.owner.binding(""), cursor)
    }

    fn frame(&self, at: &Cursor, frame: Frame) -> SubscribeResponse {
        SubscribeResponse { resume_token: self.resume_token(at), frame: Some(frame) }
    }
}

impl Next {
    /// The places behind a cursor, and their frames.
    fn entries(self, feed: &LiveFeed, behind: Cursor) -> Entries<LiveFeed> {
        let mut at = behind;
        let mut all: Entries<LiveFeed> = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            at = at.past(entry.sequence);
            all.push((at, Some(feed.frame(&at, Frame::Notification(entry.into())))));
        }
        if let Some(done) = self.done {
            // As many as were read, so that a full look is followed by another. Their place is behind the frame that has them all.
            all.extend(done.changed.iter().skip(1).map(|_| (at, None)));
            at = at.knowing(done.through);
            all.push((at, Some(feed.frame(&at, Frame::ReadState(done.into())))));
        }
        all
    }
}

impl Feed for LiveFeed {
    type Frame = SubscribeResponse;
    type Cursor = Cursor;

    async fn start(&self, from: Start) -> Result<Cursor, Halt> {
        let cursor = match from {
            Start::Now => Cursor::now(self.head().await?),
            Start::Earliest => Cursor::earliest(self.head().await?),
            // What is gone meanwhile is found by the first look, behind the opening frame.
            Start::Resume(token) => {
                let opened = self.app.seal.open(TOKEN, &self.owner.binding(""), &token);
                let cursor: Cursor = opened.map_err(|_| Error::ForeignResumeToken)?;
                match cursor.handled {
                    Some(_) => cursor,
                    None => cursor.knowing(Handled::all_of(self.head().await?)),
                }
            }
        };
        self.listener.seen(cursor.progress());
        Ok(cursor)
    }

    async fn next(&self, after: &Cursor, limit: usize) -> Result<Entries<Self>, Halt> {
        let next = match self.look(*after, limit).await? {
            Look::Next(next) => next,
            Look::Lost { head, oldest } => {
                let _first_wins = self.resume_at.set(Cursor::now(head));
                return Err(Halt::Resync { oldest });
            }
        };
        let entries = next.entries(self, *after);
        if let Some((last, _)) = entries.last() {
            self.listener.seen(last.progress());
        }
        Ok(entries)
    }

    async fn woken(&mut self) {
        tokio::select! {
            () = self.bell.rung() => {}
            () = self.listener.woken() => {}
        }
    }

    fn opened(&self, at: &Cursor) -> SubscribeResponse {
        let open_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Opened(StreamOpened { open_time }))
    }

    fn heartbeat(&self, at: &Cursor) -> SubscribeResponse {
        let beat_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Heartbeat(StreamHeartbeat { beat_time }))
    }

    fn closing(&self, at: &Cursor, reason: ClosingReason) -> SubscribeResponse {
        self.frame(at, Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn resync_required(&self, oldest: Timestamp) -> SubscribeResponse {
        // The end of the feed at the moment of the loss: who lists after this frame and resumes there misses nothing.
        let resume_token = self.resume_at.get().map(|at| self.resume_token(at)).unwrap_or_default();
        let oldest_time = Some(proto_time(oldest));
        SubscribeResponse {
            resume_token,
            frame: Some(Frame::ResyncRequired(StreamResyncRequired { oldest_time })),
        }
    }
}
