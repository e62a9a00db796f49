//! Who is at conversations at this moment, said and followed (R18).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kernel::{AgentId, ConversationId, OrgId, Timestamp};
use proto::common::v1::{ClosingReason, StreamClosing, StreamHeartbeat, StreamOpened};
use proto::routing::v1::WatchPresenceResponse;
use proto::routing::v1::watch_presence_response::Frame;
use rpc::convert::proto_time;
use rpc::stream::{Entries, Feed, Halt, Live, Start, live};
use rpc::{Call, Caller, Fault};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::App;
use super::presence_board::Where;
use crate::domain::agent::Person;
use crate::domain::who_is_here::{Activity, Here};
use crate::error::Error;
use crate::{store, wire};

/// The topic by which processes tell one another what was said.
pub const PRESENCE: &str = "routing-presence";

/// Somebody who is there, by name.
pub type Present = (Person, Here);

impl App {
    /// The caller says what they do at a conversation; who is there then.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Db`].
    pub async fn report_presence(
        &self,
        caller: &Caller,
        id: ConversationId,
        activity: Activity,
    ) -> Result<Vec<Present>, Error> {
        self.get_conversation(caller, id).await?;
        let agent = self.agent_of(caller).await?;
        let (at, now) = ((caller.org.clone(), id), self.clock.now());
        let told = self.presence.say(&at, agent.id, activity, now);
        self.wake.publish(PRESENCE, &caller.org, &told);
        self.named(&caller.org, self.presence.here(&at, now)).await
    }

    /// Follows who is at some conversations.
    ///
    /// # Errors
    /// [`Fault`] if one of them is not there, or of the database.
    pub async fn watch_presence(
        self: &Arc<Self>,
        call: &Call,
        mut conversations: Vec<ConversationId>,
    ) -> Result<Live<WatchPresenceResponse>, Fault> {
        conversations.sort_unstable();
        conversations.dedup();
        let (org, asked) = (call.caller.org.clone(), conversations.clone());
        let existing = self.db.read(&org, move |tx| {
            Box::pin(async move { store::conversations::list_existing(tx, &asked).await })
        });
        if existing.await.map_err(Error::from)?.len() != conversations.len() {
            return Err(Error::NoSuchConversation.into());
        }
        let changes = self.presence.changes();
        let feed = LivePresence { app: Arc::clone(self), org, conversations, changes };
        live(call, Start::Now, feed, self.streams_end.clone()).await
    }

    /// The people who are there. Nobody is there who has no profile.
    async fn named(&self, org: &OrgId, here: Vec<Here>) -> Result<Vec<Present>, Error> {
        if here.is_empty() {
            return Ok(Vec::new());
        }
        let mut agents: Vec<AgentId> = here.iter().map(|here| here.agent).collect();
        agents.sort_unstable();
        agents.dedup();
        let people = self
            .db
            .read(org, move |tx| Box::pin(async move { store::agents::list_people(tx, &agents).await }));
        let people: HashMap<AgentId, Person> =
            people.await?.into_iter().map(|person| (person.agent, person)).collect();
        let named = |here: Here| people.get(&here.agent).map(|person| (person.clone(), here));
        Ok(here.into_iter().filter_map(named).collect())
    }
}

/// What a stream told last, by conversation: nothing to resume by, only what need not be told again.
type Told = Arc<BTreeMap<ConversationId, Vec<Here>>>;

/// Some conversations as one stream sees them.
struct LivePresence {
    app: Arc<App>,
    org: OrgId,
    conversations: Vec<ConversationId>,
    changes: broadcast::Receiver<Where>,
}

impl Feed for LivePresence {
    type Frame = WatchPresenceResponse;
    type Cursor = Told;

    async fn start(&self, _: Start) -> Result<Told, Halt> {
        Ok(Told::default())
    }

    async fn next(&self, told: &Told, _: usize) -> Result<Entries<Self>, Halt> {
        let now = self.app.clock.now();
        let here = |id: &ConversationId| (*id, self.app.presence.here(&(self.org.clone(), *id), now));
        let changed: Vec<_> =
            self.conversations.iter().map(here).filter(|(id, here)| told.get(id) != Some(here)).collect();
        let people = changed.iter().flat_map(|(_, here)| here.iter().copied()).collect();
        let named = self.app.named(&self.org, people).await?;
        let people: HashMap<AgentId, Person> =
            named.into_iter().map(|(person, here)| (here.agent, person)).collect();
        let (mut told, mut entries) = ((**told).clone(), Vec::with_capacity(changed.len()));
        for (id, here) in changed {
            let present = here.iter().filter_map(|here| Some((people.get(&here.agent)?.clone(), *here)));
            let frame = Frame::Presence(wire::presence::presence(id, present.collect()));
            told.insert(id, here);
            entries.push((Arc::new(told.clone()), Some(WatchPresenceResponse { frame: Some(frame) })));
        }
        Ok(entries)
    }

    async fn woken(&mut self) {
        loop {
            match self.changes.recv().await {
                Ok((org, id)) if org != self.org || self.conversations.binary_search(&id).is_err() => {}
                // Also where changes were missed: all are looked at anyway.
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // Not while the application lives, which holds the other end.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn opened(&self, _: &Told) -> WatchPresenceResponse {
        let open_time = Some(proto_time(self.app.clock.now()));
        WatchPresenceResponse { frame: Some(Frame::Opened(StreamOpened { open_time })) }
    }

    fn heartbeat(&self, _: &Told) -> WatchPresenceResponse {
        let beat_time = Some(proto_time(self.app.clock.now()));
        WatchPresenceResponse { frame: Some(Frame::Heartbeat(StreamHeartbeat { beat_time })) }
    }

    fn closing(&self, _: &Told, reason: ClosingReason) -> WatchPresenceResponse {
        WatchPresenceResponse { frame: Some(Frame::Closing(StreamClosing { reason: reason.into() })) }
    }

    fn resync_required(&self, _: Timestamp) -> WatchPresenceResponse {
        // Never asked for: there is nothing to be behind of.
        WatchPresenceResponse::default()
    }
}
