//! Automatic assignment (R9, R10, R11): one batch of a team's queue under the team's lock, decided purely, written with
//! few statements, all or nothing. A team that asks first makes offers instead ([`super::offers`]).
//!
//! The lock makes turns exact; the version of each conversation, the schema's unique open assignment and the capacity in the
//! statement that adds to loads are what holds if the lock were ever lost.

use std::collections::{BTreeSet, HashMap, HashSet};

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, ContactId, ConversationId, OrgId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use crate::NAME;
use crate::domain::batch::{Batch, Desk, Waiting, fitting};
use crate::domain::choose::{AgentSnapshot, Rotation, Terms};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::offer::Refusal;
use crate::domain::reply_limit::ReplyLimit;
use crate::domain::sharing::{Demand, Strategy};
use crate::error::Error;
use crate::events::Told;
use crate::store;
use crate::store::demands::{Asking, Relaxed, Relaxing};
use crate::store::queue::Part;
use crate::store::teams::QueueTerms;

/// Different demands of one queue that are looked at when those in front cannot be met, at most.
const DEMANDS: i64 = 500;

/// Of those that can be met, at most.
const MET: usize = 100;

/// How often a look goes on behind those whom nobody takes.
const LOOKS: usize = 20;

/// Conversations of whom less is asked after a wait, in one batch.
const RELAXED: i64 = 500;

/// What a look at a queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Conversations that got an agent.
    pub assigned: usize,
    /// Conversations that an agent is asked about.
    pub offered: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

impl App {
    /// Serves a team's queue once: at most a batch.
    ///
    /// # Errors
    /// [`Error::Raced`] and [`Error::Db`], after which nothing happened and it may be tried again.
    pub async fn serve_queue(&self, org: &OrgId, team: TeamId) -> Result<Served, Error> {
        let app = self.clone();
        self.db.write(org, move |tx| Box::pin(async move { app.serve(tx, team).await })).await
    }

    async fn serve(&self, tx: &mut Tx, team: TeamId) -> Result<Served, Error> {
        store::locks::lock_teams(tx, &[team]).await?;
        let most = i64::from(self.settings.assign_batch.max(1));
        let mut queue = store::queue::list_next(tx, team, Part::Takeable, most).await?;
        if queue.is_empty() {
            queue = store::queue::list_next(tx, team, Part::Unexplained, most).await?;
        }
        if queue.is_empty() {
            return Ok(Served { assigned: 0, offered: 0, more: false });
        }
        let (handle, reply_limit, mut desk) = open_desk(tx, team).await?;
        if !desk.takes_anything() {
            queue = store::queue::list_next(tx, team, Part::FreeUnexplained, most).await?;
        }
        let fitting = fitting(usize::try_from(most).unwrap_or(usize::MAX), desk.agents().len());
        let full = queue.len() >= fitting;
        let mut looked_at: HashSet<ConversationId> = queue.iter().map(|it| it.conversation).collect();
        self.decide(tx, team, &mut desk, queue, fitting).await?;
        for _ in 0..LOOKS {
            if !full || desk.gave() {
                break;
            }
            // Nobody can take any of those in front: those behind may ask for something else.
            let behind = first_met(tx, team, &mut desk, fitting, &looked_at).await?;
            let ended = behind.len() < fitting;
            looked_at.extend(behind.iter().map(|it| it.conversation));
            self.decide(tx, team, &mut desk, behind, fitting).await?;
            if ended || desk.decided() || !desk.asks() {
                break;
            }
            // Everybody may have refused these a moment ago, and somebody may take what comes behind.
        }
        if full && !desk.decided() {
            let queue = store::queue::list_next(tx, team, Part::FreeUnexplained, most).await?;
            self.decide(tx, team, &mut desk, queue, fitting).await?;
        }
        let more = full && desk.decided();
        let now = desk.now();
        let (batch, agents) = desk.done();
        self.write(tx, team, &handle, &batch, &agents, now).await?;
        self.limit_replies(tx, team, reply_limit, &batch.given).await?;
        Ok(Served { assigned: batch.given.len(), offered: batch.offered.len(), more })
    }

    /// Decides on some of the queue, once the desk knows what they ask for.
    async fn decide(
        &self,
        tx: &mut Tx,
        team: TeamId,
        desk: &mut Desk,
        mut queue: Vec<Waiting>,
        most: usize,
    ) -> Result<(), Error> {
        if desk.asks() {
            know_refusals(tx, &mut queue).await?;
        }
        let asked = queue.iter().any(|it| !it.sharing.required_skills.is_empty());
        know_skills(tx, team, desk, asked).await?;
        let sticky = |it: &&Waiting| it.sharing.strategy == Strategy::Sticky;
        let contacts: BTreeSet<ContactId> = queue.iter().filter(sticky).map(|it| it.contact).collect();
        if !contacts.is_empty() {
            let contacts: Vec<ContactId> = contacts.into_iter().collect();
            desk.know_last_agents(store::assignments::list_last_agents(tx, team, &contacts).await?);
        }
        desk.decide(queue, most, || self.clock.new_id());
        Ok(())
    }

    async fn write(
        &self,
        tx: &mut Tx,
        team: TeamId,
        handle: &str,
        batch: &Batch,
        agents: &[AgentSnapshot],
        now: Timestamp,
    ) -> Result<(), Error> {
        store::decisions::insert_decisions(tx, &batch.decisions).await?;
        if !batch.waiting.is_empty() {
            store::queue::set_explained(tx, &batch.waiting).await?;
        }
        if batch.gifts.is_empty() {
            return Ok(());
        }
        self.ring_inboxes(tx);
        let within = store::loads::give_loads(tx, &batch.gifts).await?;
        if usize::try_from(within) != Ok(batch.gifts.len()) {
            return Err(Error::Raced);
        }
        if let Some(last) = batch.rotation.last {
            store::queue::save_rotation(tx, team, last).await?;
        }
        let people = agents.iter().map(|agent| (agent.agent, agent.subject.as_str()));
        let asker = Asker { team, handle, people: people.collect() };
        if !batch.given.is_empty() {
            self.assign_all_of(tx, &asker, batch, now).await?;
        }
        if !batch.offered.is_empty() {
            self.make_offers(tx, &asker, batch, now).await?;
        }
        Ok(())
    }

    async fn assign_all_of(
        &self,
        tx: &mut Tx,
        asker: &Asker<'_>,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<(), Error> {
        let assigned = store::conversations::assign_waiting(tx, &batch.given).await?;
        if usize::try_from(assigned) != Ok(batch.given.len()) {
            return Err(Error::Raced);
        }
        store::assignments::insert_assignments(tx, &batch.given, now).await?;
        let happened = batch.given.iter().map(|given| HistoryEvent {
            agent: Some(given.agent),
            team: Some(asker.team),
            ..HistoryEvent::new(
                self.clock.new_id().into(),
                given.conversation,
                given.time,
                EventKind::Assigned,
            )
        });
        let happened: Vec<_> = happened.collect();
        self.remember(tx, &happened).await?;
        let conversations: Vec<_> = batch.given.iter().map(|given| given.conversation).collect();
        store::queue::leave(tx, &conversations).await?;
        let origin = Origin::system(NAME, "assigner");
        audit::record(tx, &origin, &Event::each("conversation.assign", &conversations)).await?;
        let told = batch.given.iter().filter_map(|given| {
            let told = Told {
                event: self.clock.new_id().into(),
                about: NotificationType::Assigned,
                recipient: (*asker.people.get(&given.agent)?).to_owned(),
                reason: format!("A conversation of team @{} was assigned to you.", asker.handle),
                conversation: given.conversation,
                actor: None,
                occur_time: now,
            };
            Some(told.event())
        });
        let told: Vec<_> = told.collect();
        Ok(self.outbox.record(tx, &told).await?)
    }

    /// Queues that need a look, of every organization: what lost wake-ups left behind.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn due_queues(&self) -> Result<Vec<(OrgId, TeamId)>, Error> {
        self.db
            .read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    Ok(store::queue::list_due(tx, now).await?)
                })
            })
            .await
    }
}

/// A team that gives or offers: what it is called, and the `sub` of its agents.
pub(super) struct Asker<'a> {
    pub(super) team: TeamId,
    pub(super) handle: &'a str,
    pub(super) people: HashMap<AgentId, &'a str>,
}

/// The team with its agents as they are under its lock, its handle, and how long these may take to reply.
async fn open_desk(tx: &mut Tx, team: TeamId) -> Result<(String, Option<ReplyLimit>, Desk), Error> {
    let agents = store::agents::snapshot(tx, team).await?;
    // A team for which something waits is there.
    let terms = store::teams::find_queue_terms(tx, team).await?.unwrap_or_default();
    let rotation = Rotation { last: store::queue::find_rotation(tx, team).await? };
    let QueueTerms { handle, ramp_up, offering, reply_limit } = terms;
    let terms = Terms { ramp_up, offering, now: tx.now().await? };
    Ok((handle, reply_limit, Desk::new(team, agents, rotation, terms)))
}

/// Those in front of a queue among all who ask for what somebody can give, in order, however many ask for something else
/// before them. Without those that were looked at.
async fn first_met(
    tx: &mut Tx,
    team: TeamId,
    desk: &mut Desk,
    most: usize,
    looked_at: &HashSet<ConversationId>,
) -> Result<Vec<Waiting>, Error> {
    let now = desk.now();
    let relaxing = store::demands::list_relaxing(tx, team, now, RELAXED).await?;
    let relaxed: Vec<Relaxed> = relaxing.into_iter().map(|it| relaxed(it, now)).collect();
    store::demands::relax(tx, &relaxed).await?;
    let words = store::demands::list_demands(tx, team, DEMANDS).await?;
    let demands: Vec<Demand> = words.iter().filter_map(|word| Demand::read(word)).collect();
    know_skills(tx, team, desk, demands.iter().any(|demand| !demand.skills.is_empty())).await?;
    let met = demands.iter().filter(|demand| desk.takes(demand)).map(Demand::key);
    let met: Vec<String> = met.take(MET).collect();
    let passed_over = if desk.asks() { looked_at.len() } else { 0 };
    let each = (2 * most / met.len().max(1)).clamp(1, most) + passed_over;
    let asking = store::demands::list_asking(tx, team, &met, i64::try_from(each).unwrap_or(i64::MAX)).await?;
    let mut ids = surely_next(asking, each);
    ids.retain(|id| !looked_at.contains(id));
    ids.truncate(most);
    Ok(store::queue::list_these(tx, team, &ids).await?)
}

/// As many as surely come next: behind the last one that was read of a demand there may be more of it, before those that
/// were read of others.
fn surely_next(asking: Vec<Asking>, each: usize) -> Vec<ConversationId> {
    let mut read: HashMap<String, usize> = HashMap::new();
    let mut next = Vec::with_capacity(asking.len());
    for it in asking {
        next.push(it.conversation_id);
        let count = read.entry(it.demand).or_default();
        *count += 1;
        if *count == each {
            break;
        }
    }
    next
}

/// Lets those who wait know who refused them.
async fn know_refusals(tx: &mut Tx, queue: &mut [Waiting]) -> Result<(), Error> {
    let conversations: Vec<ConversationId> = queue.iter().map(|it| it.conversation).collect();
    if conversations.is_empty() {
        return Ok(());
    }
    let mut refused: HashMap<ConversationId, Vec<Refusal>> = HashMap::new();
    for (conversation, refusal) in store::offers::list_refusals(tx, &conversations).await? {
        refused.entry(conversation).or_default().push(refusal);
    }
    for it in queue {
        it.refusals.extend(refused.remove(&it.conversation).unwrap_or_default());
    }
    Ok(())
}

/// Lets the desk know what its agents are good at, once, if it has to.
async fn know_skills(tx: &mut Tx, team: TeamId, desk: &mut Desk, asked: bool) -> Result<(), Error> {
    if asked && !desk.knows_skills() {
        desk.know_skills(store::agents::list_skills(tx, team).await?);
    }
    Ok(())
}

fn relaxed(it: Relaxing, now: Timestamp) -> Relaxed {
    let sharing = it.sharing.map(|sharing| sharing.0).unwrap_or_default();
    Relaxed {
        conversation: it.conversation_id,
        demand: sharing.demand(it.units, now.since(it.queue_time)).key(),
        relax_time: sharing.relax_time(it.queue_time, now),
    }
}
