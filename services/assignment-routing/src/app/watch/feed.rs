//! One person's inbox as one stream sees it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{ConversationId, Timestamp};
use outbox::Bell;
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat, StreamOpened, StreamResyncRequired};
use proto::routing::v1::WatchInboxResponse;
use proto::routing::v1::watch_inbox_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::{Entries, Feed, Halt, Start};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::TOKEN;
use super::pace::{Pace, held};
use super::reader::{Concerned, Cursor, Reader, Stop};
use super::tally::Tally;
use crate::app::App;
use crate::domain::inbox_log::{Changed, Place, Seen};
use crate::domain::interest::{Concern, Interest, Line, MOST_MENTIONS};
use crate::domain::view::View;
use crate::error::Error;
use crate::store::views;
use crate::{store, wire};

/// One person's inbox as one stream sees it.
pub(super) struct LiveInbox {
    pub(super) app: Arc<App>,
    pub(super) reader: Reader,
    pub(super) bell: Bell,
    /// How often to look when no wake-up came.
    pub(super) poll: Duration,
    pub(super) interest: Mutex<Interest>,
    pub(super) tally: Mutex<Tally>,
    pub(super) pace: Pace,
    /// After a loss: from where to go on once the reader has listed again.
    pub(super) resume_at: OnceCell<Place>,
    pub(super) binding: Vec<u8>,
}

impl LiveInbox {
    fn frame(&self, at: &Cursor, frame: Frame) -> WatchInboxResponse {
        let resume_token = self.app.seal.seal(TOKEN, &self.binding, &*at.place);
        WatchInboxResponse { resume_token, frame: Some(frame) }
    }

    /// Learns which teams and which conversations with mentions the reader has. After the place where the stream begins is fixed:
    /// what changes from then on is in the stream.
    async fn learn(&self) -> Result<(), Error> {
        let (agent, subject) = {
            let interest = held(&self.interest);
            (interest.agent, interest.subject.clone())
        };
        let read = self.reader.db.read(&self.reader.org, move |tx| {
            Box::pin(async move {
                let most = kernel::page::limit(MOST_MENTIONS + 1);
                let mentioning = store::attention::list_mentioning(tx, &subject, most).await?;
                Ok::<_, Error>((store::teams::list_teams_of(tx, &[agent]).await?, mentioning))
            })
        });
        let (teams, mentioning) = read.await?;
        let mut interest = held(&self.interest);
        interest.teams = teams.into_iter().map(|(_, team)| team).collect();
        interest.mentioned = (mentioning.len() <= MOST_MENTIONS).then(|| mentioning.into_iter().collect());
        Ok(())
    }

    /// What changes in the followed views, as frames.
    async fn show(&self, found: Vec<Concerned>) -> Result<Entries<Self>, Error> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.lines(&found).await?;
        let mut offers = self.offers(&found).await?;
        // Of several changes of one conversation the last is shown, which says all that the others would.
        let mut shown = HashMap::new();
        for (index, it) in found.iter().enumerate() {
            if let Concern::Showed(id) | Concern::MayShow(id) = it.concern {
                let known = matches!(it.concern, Concern::Showed(_));
                let entry = shown.entry(id).or_insert((index, known));
                *entry = (index, entry.1 || known);
            }
        }
        let asked: HashMap<ConversationId, usize> =
            found.iter().enumerate().filter_map(|(index, it)| Some((it.concern.offered()?, index))).collect();
        let mut entries = Vec::with_capacity(found.len());
        for (index, Concerned { cursor, concern }) in found.into_iter().enumerate() {
            let frame = match concern {
                Concern::Showed(id) | Concern::MayShow(id) => match shown.get(&id) {
                    Some((last, known)) if *last == index => self.change(id, lines.get(&id), *known),
                    _ => None,
                },
                Concern::Teams => {
                    // From here on what changes in the teams of now concerns the reader, who lists them after this frame.
                    self.learn().await?;
                    held(&self.interest).follows(View::Team).then(wire::inbox_watch::teams_changed)
                }
                Concern::Offered(id) => (asked.get(&id) == Some(&index))
                    .then(|| wire::inbox_watch::offer_change(id, offers.remove(&id))),
                Concern::None => None,
            };
            if frame.as_ref().is_some_and(|frame| !matches!(frame, Frame::OfferChange(_))) {
                held(&self.tally).changed();
            }
            let frame = frame.map(|frame| self.frame(&cursor, frame));
            entries.push((cursor, frame));
        }
        Ok(entries)
    }

    /// The conversations of these changes, as the reader sees them now.
    async fn lines(&self, found: &[Concerned]) -> Result<HashMap<ConversationId, Line>, Error> {
        let ids: HashSet<ConversationId> = found
            .iter()
            .filter_map(|it| match it.concern {
                Concern::Showed(id) | Concern::MayShow(id) => Some(id),
                Concern::Teams | Concern::Offered(_) | Concern::None => None,
            })
            .collect();
        let ids: Vec<ConversationId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let (agent, subject) = {
            let interest = held(&self.interest);
            (interest.agent, interest.subject.clone())
        };
        let read = self.reader.db.read(&self.reader.org, move |tx| {
            Box::pin(async move { views::list_lines(tx, &subject, agent, &ids).await })
        });
        Ok(read.await?.into_iter().map(|line| (line.entry.conversation.id, line)).collect())
    }

    /// A conversation that may have come, changed or gone; nothing if it was in no followed view and is in none.
    fn change(&self, id: ConversationId, line: Option<&Line>, showed: bool) -> Option<Frame> {
        let mut interest = held(&self.interest);
        let Some(line) = line else { return showed.then(|| wire::inbox_watch::change(id, &[], None)) };
        if line.ever_mentioned {
            interest.remember(id);
        }
        let mut views = line.views(interest.agent);
        views.retain(|view| interest.follows(*view));
        let shows = showed || line.ever_mentioned || !views.is_empty();
        let entry = (!views.is_empty()).then(|| line.entry.clone());
        shows.then(|| wire::inbox_watch::change(id, &views, entry))
    }

    /// The sizes of the followed views, if they are to be counted now and are news. `looked`: when the changes shown were read.
    async fn counts(&self, looked: Instant) -> Result<Option<Frame>, Error> {
        let begin = Instant::now();
        if !held(&self.tally).is_due(begin) {
            return Ok(None);
        }
        let (reader, followed) = {
            let interest = held(&self.interest);
            let reader = views::Reader { subject: interest.subject.clone(), agent: Some(interest.agent) };
            (reader, interest.views.clone())
        };
        let shared: Vec<View> = View::SHARED.into_iter().filter(|view| followed.contains(view)).collect();
        let mut counts: HashMap<View, i64> = HashMap::new();
        if !shared.is_empty() {
            counts.extend(self.reader.hub.count(&shared, looked).await?);
        }
        if shared.len() < followed.len() {
            let read = self.reader.db.read(&self.reader.org, move |tx| {
                Box::pin(async move { store::counts::count_personal_views(tx, &reader).await })
            });
            counts.extend(read.await?);
        }
        let counts: Vec<(View, i64)> =
            followed.iter().filter_map(|view| counts.get(view).map(|count| (*view, *count))).collect();
        let news = held(&self.tally).counted(&counts, begin, Instant::now());
        Ok(news.then(|| wire::inbox_watch::counts(counts)))
    }
}

impl Feed for LiveInbox {
    type Frame = WatchInboxResponse;
    type Cursor = Cursor;

    async fn start(&self, from: Start) -> Result<Cursor, Halt> {
        let end = self.reader.end().await?;
        let cursor = match from {
            Start::Now => end,
            Start::Earliest => Cursor::at(Place::behind(Seen::nothing(end.place.seen.time))),
            // What is forgotten meanwhile is found by the first look, behind the opening frame.
            Start::Resume(token) => {
                let opened = self.app.seal.open(TOKEN, &self.binding, &token);
                Cursor::at(opened.map_err(|malformed| malformed.at("start.resume_token"))?)
            }
        };
        self.learn().await?;
        Ok(cursor)
    }

    async fn next(&self, after: &Cursor, limit: usize) -> Result<Entries<Self>, Halt> {
        let since = self.pace.looks(self.poll);
        let looked = self.reader.hub.look(since).await.map_err(Error::from)?;
        let concern = |what: &Changed| held(&self.interest).concern(what);
        let (found, at) = match self.reader.read(after, limit, &concern).await {
            Ok(read) => read,
            Err(Stop::Failed(error)) => return Err(error.into()),
            Err(Stop::Lost(log)) => {
                let _first_wins = self.resume_at.set(Place::behind(log.seen));
                return Err(Halt::Resync { oldest: log.forgotten_before });
            }
        };
        let mut entries = self.show(found).await?;
        let counts = self.counts(looked).await?.map(|counts| self.frame(&at, counts));
        entries.push((at, counts));
        Ok(entries)
    }

    async fn woken(&mut self) {
        self.pace.due(self.bell.rung()).await;
    }

    fn opened(&self, at: &Cursor) -> WatchInboxResponse {
        let open_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Opened(StreamOpened { open_time }))
    }

    fn heartbeat(&self, at: &Cursor) -> WatchInboxResponse {
        let beat_time = Some(proto_time(self.app.clock.now()));
        self.frame(at, Frame::Heartbeat(StreamHeartbeat { beat_time }))
    }

    fn closing(&self, at: &Cursor, reason: ClosingReason) -> WatchInboxResponse {
        self.frame(at, Frame::Closing(StreamClosing { reason: reason.into() }))
    }

    fn resync_required(&self, oldest: Timestamp) -> WatchInboxResponse {
        // The end of the log at the moment of the loss: who resumes there and lists then misses nothing.
        let place = self.resume_at.get();
        let token = place.map(|place| self.app.seal.seal(TOKEN, &self.binding, place));
        let oldest_time = Some(proto_time(oldest));
        WatchInboxResponse {
            resume_token: token.unwrap_or_default(),
            frame: Some(Frame::ResyncRequired(StreamResyncRequired { oldest_time })),
        }
    }
}
