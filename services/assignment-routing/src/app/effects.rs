//! What a use case makes of conversations: first planned in memory, all of it, then written with a statement for each table, however
//! many conversations there are. One conversation is a batch of one.

use std::collections::{BTreeMap, HashMap};

use audit::Origin;
use db::Tx;
use kernel::{AgentId, Clock, ConversationId, Timestamp};

use super::waits::Change;
use super::{App, check_version};
use crate::domain::batch::Given;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Decision;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::load::Load;
use crate::domain::message::Author;
use crate::domain::priority::Priority;
use crate::error::Error;
use crate::store;
use crate::store::queue::Place;

/// A conversation to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The conversation.
    pub id: ConversationId,
    /// The version that the caller read; `None`: whatever it is now.
    pub expected: Option<i64>,
}

/// What becomes of conversations, their queues, and who has them.
pub(super) struct Effects {
    clock: Clock,
    /// When it happens.
    pub(super) now: Timestamp,
    actor: Option<Author>,
    /// As they are to be, in the order in which they were planned, and whether they were otherwise before.
    conversations: Vec<(Conversation, bool)>,
    /// As they were before, those that were planned.
    before: HashMap<ConversationId, Conversation>,
    history: Vec<HistoryEvent>,
    ended: Vec<ConversationId>,
    left: Vec<ConversationId>,
    given: Vec<Given>,
    joined: Vec<Place>,
    raised: Vec<(ConversationId, Priority)>,
    loads: BTreeMap<AgentId, Load>,
    decisions: Vec<Decision>,
    snoozed: Vec<(ConversationId, Timestamp)>,
    woken: Vec<ConversationId>,
    told: Vec<outbox::Event>,
    done: Vec<audit::Event>,
}

impl Effects {
    /// Nothing yet, of what `actor` does now.
    pub(super) fn of(clock: &Clock, actor: Option<Author>) -> Self {
        Self {
            clock: clock.clone(),
            now: clock.now(),
            actor,
            conversations: Vec::new(),
            before: HashMap::new(),
            history: Vec::new(),
            ended: Vec::new(),
            left: Vec::new(),
            given: Vec::new(),
            joined: Vec::new(),
            raised: Vec::new(),
            loads: BTreeMap::new(),
            decisions: Vec::new(),
            snoozed: Vec::new(),
            woken: Vec::new(),
            told: Vec::new(),
            done: Vec::new(),
        }
    }

    /// A new id of any kind.
    pub(super) fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.clock.new_id().into()
    }

    /// Plans each item on the conversations that were found, which are locked.
    ///
    /// # Errors
    /// [`Error::Refused`] with the error of each that cannot change, in its place. Then nothing is to be written.
    pub(super) fn plan(
        &mut self,
        items: &[Item],
        found: Vec<Conversation>,
        mut plan: impl FnMut(&mut Self, Conversation, Item) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut found: HashMap<ConversationId, Conversation> =
            found.into_iter().map(|it| (it.id, it)).collect();
        self.before.clone_from(&found);
        let errors: Vec<Option<Error>> = items
            .iter()
            .map(|item| match found.remove(&item.id) {
                Some(it) => plan(self, it, *item).err(),
                None => Some(Error::NoSuchConversation),
            })
            .collect();
        if errors.iter().all(Option::is_none) { Ok(()) } else { Err(Error::Refused(errors)) }
    }

    /// It stays as it is.
    pub(super) fn keep(&mut self, it: Conversation) {
        self.conversations.push((it, false));
    }

    /// It is to be so, and the audit trail says what was done.
    pub(super) fn save(&mut self, it: Conversation, action: &'static str) {
        self.done.push(audit::Event::new(action, it.id));
        self.conversations.push((it, true));
    }

    /// What happens to it, for its history. Whoever asks fills in the rest, and gives it to [`Effects::remember`].
    pub(super) fn happened(&self, it: &mut Conversation, kind: EventKind) -> HistoryEvent {
        it.happened(kind, self.id(), self.now, self.actor.clone())
    }

    /// An entry of its history.
    pub(super) fn remember(&mut self, event: HistoryEvent) {
        self.history.push(event);
    }

    /// It leaves its queue and whoever has it.
    pub(super) fn take(&mut self, it: &Conversation) {
        self.left.push(it.id);
        self.ended.push(it.id);
        self.count(it.assignee_id(), -Load::of(it));
    }

    /// Somebody gets it.
    pub(super) fn give(&mut self, it: &Conversation, given: Given) {
        self.count(Some(given.agent), Load::of(it));
        self.given.push(given);
    }

    /// Somebody gets it for whom it is counted already.
    pub(super) fn give_counted(&mut self, given: Given) {
        self.given.push(given);
    }

    /// Somebody has more open, or less.
    pub(super) fn count(&mut self, agent: Option<AgentId>, load: Load) {
        if let Some(agent) = agent.filter(|_| load != Load::default()) {
            *self.loads.entry(agent).or_default() += load;
        }
    }

    /// It leaves its queue, where it is in one.
    pub(super) fn leave(&mut self, it: &Conversation) {
        self.left.push(it.id);
    }

    /// It joins a queue.
    pub(super) fn join(&mut self, place: Place) {
        self.joined.push(place);
    }

    /// It moves to the place of another priority in its queue, where it is in one.
    pub(super) fn raise(&mut self, it: &Conversation) {
        self.raised.push((it.id, it.priority));
    }

    /// Why it is so.
    pub(super) fn decide(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    /// It comes back by itself then.
    pub(super) fn snooze(&mut self, it: &Conversation, until: Timestamp) {
        self.snoozed.push((it.id, until));
    }

    /// It does not come back by itself any more.
    pub(super) fn wake(&mut self, it: &Conversation) {
        self.woken.push(it.id);
    }

    /// A peer learns of it.
    pub(super) fn tell(&mut self, event: outbox::Event) {
        self.told.push(event);
    }

    /// Writes all of it and gives the conversations as they are then, in the order in which they were planned. Their rows are locked;
    /// those of the loads are locked here. Of those that [`Effects::plan`] saw, it is noted what begins to wait; of others whoever asks
    /// notes it.
    ///
    /// # Errors
    /// [`Error::Raced`], [`Error::Db`].
    pub(super) async fn write(
        mut self,
        app: &App,
        tx: &mut Tx,
        origin: &Origin,
    ) -> Result<Vec<Conversation>, Error> {
        let changed = self.conversations.iter().any(|(_, changed)| *changed) && !self.before.is_empty();
        let ruleset = if changed { Some(app.rulesets.current(tx).await?) } else { None };
        if let Some(ruleset) = &ruleset {
            for (it, _) in self.conversations.iter_mut().filter(|(_, changed)| *changed) {
                ruleset.policies().follow(it, self.now);
            }
        }
        self.write_around(app, tx).await?;
        audit::record(tx, origin, &self.done).await?;
        let written = write_conversations(tx, self.conversations).await?;
        if let Some(ruleset) = &ruleset {
            let changed = written.iter().filter_map(|is| Some((self.before.get(&is.id)?, is)));
            let changes: Vec<_> = changed.map(|(was, is)| Change { was: Some(was), is }).collect();
            app.begin_waits(tx, ruleset, &changes).await?;
        }
        Ok(written)
    }

    /// Writes what there is beside the conversations, which whoever asks writes, and the audit trail.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn write_around(&self, app: &App, tx: &mut Tx) -> Result<(), Error> {
        let Self { now, .. } = self;
        app.ring_inboxes(tx);
        let offered = store::bulk::leave_queues(tx, &self.left).await?;
        let loads = &app.take_back(tx, &offered, self.loads.clone()).await?;
        store::bulk::end_assignments(tx, &self.ended, *now).await?;
        let agents: Vec<AgentId> = loads.keys().copied().collect();
        store::locks::lock_loads(tx, &agents).await?;
        // Who waits longest, and who is idle for longest, the database's clock says, whichever process wrote it.
        let gives = loads.values().any(|load| load.conversations > 0);
        let shown = if gives || !self.joined.is_empty() { tx.now().await? } else { *now };
        let joined: Vec<Place> = self.joined.iter().map(|place| place.shown_by(*now, shown)).collect();
        store::loads::add_loads(tx, loads, shown).await?;
        app.remember(tx, &self.history).await?;
        if !self.given.is_empty() {
            store::assignments::insert_assignments(tx, &self.given, *now).await?;
        }
        store::decisions::insert_decisions(tx, &self.decisions).await?;
        store::queue::join_all(tx, &joined).await?;
        for (id, priority) in &self.raised {
            store::queue::set_priority(tx, *id, *priority).await?;
        }
        store::bulk::save_snoozes(tx, &self.snoozed).await?;
        store::bulk::delete_snoozes(tx, &self.woken).await?;
        app.outbox.record(tx, &self.told).await?;
        for place in &joined {
            app.ring(tx, place.team);
        }
        let less = loads.iter().filter(|(_, load)| load.taken() < 0).map(|(agent, _)| *agent);
        app.room_made(tx, less).await
    }
}

async fn write_conversations(
    tx: &mut Tx,
    all: Vec<(Conversation, bool)>,
) -> Result<Vec<Conversation>, Error> {
    let changed: Vec<&Conversation> = all.iter().filter(|(_, changed)| *changed).map(|(it, _)| it).collect();
    let saved = store::bulk::save_conversations(tx, &changed).await?;
    if usize::try_from(saved) != Ok(changed.len()) {
        return Err(Error::Raced);
    }
    let written =
        |(it, changed): (Conversation, bool)| Conversation { version: it.version + i64::from(changed), ..it };
    Ok(all.into_iter().map(written).collect())
}

impl Item {
    /// Refuses a conversation that changed since the caller read it.
    pub(super) fn check(self, it: &Conversation) -> Result<(), Error> {
        check_version(self.expected, it.version)
    }
}
