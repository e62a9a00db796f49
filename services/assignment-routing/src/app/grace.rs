//! Who goes offline keeps open conversations whose customers wait for as long as the organization's grace, and then loses them (R13).
//! What reaches them while they are offline, they keep for as long from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use audit::Origin;
use db::Tx;
use kernel::{AgentId, ConversationId, Subject, TeamId, Timestamp};

use super::App;
use super::effects::{Effects, Item};
use super::left_waiting::Leaving;
use super::prepared::Prepared;
use super::waits::Change;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Left;
use crate::domain::history::EventReason;
use crate::domain::settings::Grace;
use crate::domain::timer::{Timer, TimerKind};
use crate::domain::waits::left_with;
use crate::error::Error;
use crate::store;

/// Conversations taken back in one transaction.
const TAKEN_AT_ONCE: i64 = 200;

/// Supervisors of the organization who are told of a conversation that nobody has, at most.
pub(super) const MOST_TOLD: i64 = 100;

impl App {
    /// The grace of these agents, who are offline, begins now. Whoever takes them offline holds their presence.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn begin_graces(
        &self,
        tx: &mut Tx,
        agents: &[AgentId],
        now: Timestamp,
    ) -> Result<(), Error> {
        if agents.is_empty() {
            return Ok(());
        }
        let Some(grace) = grace(tx).await?.length() else { return Ok(()) };
        let timer = |agent: &AgentId| Timer::after(grace, agent.as_uuid(), TimerKind::Grace, "", now);
        let timers: Vec<Timer> = agents.iter().map(timer).collect();
        Ok(store::timers::set(tx, &timers).await?)
    }

    /// Takes back what the customers of agents wait for who are still offline.
    ///
    /// # Errors
    /// [`Error::Unprepared`], [`Error::Raced`], [`Error::Db`].
    pub(super) async fn fire_graces(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let Some(after) = grace(tx).await?.length() else { return Ok(()) };
        let now = tx.now().await?;
        let (over, early): (Vec<&Timer>, Vec<&Timer>) =
            due.iter().partition(|timer| timer.since.plus(after) <= now);
        let mut again: Vec<Timer> =
            early.into_iter().map(|timer| timer.clone().later(timer.since.plus(after))).collect();
        // Whose lease is over and not noted yet is none of these: their grace begins when it is.
        let agents: Vec<AgentId> = over.iter().map(|timer| timer.subject.into()).collect();
        let gone = store::unanswered::list_offline(tx, &agents).await?;
        let gone: Vec<AgentId> = gone.into_iter().map(|(agent, _)| agent).collect();
        let left = store::unanswered::list_unanswered(tx, &gone, TAKEN_AT_ONCE).await?;
        prepared.holds(left.iter().filter_map(|(_, team)| *team))?;
        if i64::try_from(left.len()) == Ok(TAKEN_AT_ONCE) {
            again.extend(over.into_iter().map(|timer| timer.clone().later(now)));
        }
        store::timers::set(tx, &again).await?;
        if left.is_empty() {
            return Ok(());
        }
        let ids: Vec<ConversationId> = left.into_iter().map(|(id, _)| id).collect();
        let mut found = store::bulk::lock_conversations(tx, &ids).await?;
        found.retain(|it| it.assignee_id().is_some_and(|holder| gone.contains(&holder)));
        self.take_from_absent(tx, found, after, origin, prepared).await
    }

    /// The timers of customers who begin to wait for agents that are offline already: the grace of these may be over, and did not take
    /// what came later.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn absences(
        &self,
        tx: &mut Tx,
        changes: &[Change<'_>],
        now: Timestamp,
    ) -> Result<Vec<Timer>, Error> {
        let left: Vec<(ConversationId, AgentId)> =
            changes.iter().filter_map(|it| Some((it.is.id, left_with(it.was, it.is)?))).collect();
        let holders: BTreeSet<AgentId> = left.iter().map(|(_, holder)| *holder).collect();
        let holders: Vec<AgentId> = holders.into_iter().collect();
        let gone = store::unanswered::list_offline(tx, &holders).await?;
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let Some(grace) = grace(tx).await?.length() else { return Ok(Vec::new()) };
        let is_gone = |holder: &AgentId| gone.iter().any(|(agent, _)| agent == holder);
        let timer = |(it, holder): (ConversationId, AgentId)| {
            Timer::after(grace, it.as_uuid(), TimerKind::Absence, holder, now)
        };
        Ok(left.into_iter().filter(|(_, holder)| is_gone(holder)).map(timer).collect())
    }

    /// Takes conversations from agents who are offline since before the customers began to wait for them. The conversations are locked.
    ///
    /// # Errors
    /// [`Error::Unprepared`], [`Error::Raced`], [`Error::Db`].
    pub(super) async fn fire_absences(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let Some(after) = grace(tx).await?.length() else { return Ok(()) };
        let now = tx.now().await?;
        let (over, early): (Vec<&Timer>, Vec<&Timer>) =
            due.iter().partition(|timer| timer.since.plus(after) <= now);
        let again: Vec<Timer> =
            early.into_iter().map(|timer| timer.clone().later(timer.since.plus(after))).collect();
        store::timers::set(tx, &again).await?;
        let holder = |timer: &Timer| AgentId::parse(&timer.rule).ok();
        let agents: BTreeSet<AgentId> = over.iter().filter_map(|timer| holder(timer)).collect();
        let agents: Vec<AgentId> = agents.into_iter().collect();
        let gone = store::unanswered::list_offline(tx, &agents).await?;
        let gone: BTreeMap<AgentId, Timestamp> = gone.into_iter().collect();
        // Who was back in between has a grace of their own by now, which takes these as well.
        let all_the_while = |timer: &&&Timer| {
            holder(timer).is_some_and(|agent| gone.get(&agent).is_some_and(|left| *left <= timer.since))
        };
        let lost: BTreeSet<(ConversationId, AgentId)> = over
            .iter()
            .filter(all_the_while)
            .filter_map(|timer| Some((timer.subject.into(), holder(timer)?)))
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<ConversationId> = lost.iter().map(|(id, _)| *id).collect();
        let ids: Vec<ConversationId> = ids.into_iter().collect();
        let mut found = store::bulk::lock_conversations(tx, &ids).await?;
        found.retain(|it| it.assignee_id().is_some_and(|holder| lost.contains(&(it.id, holder))));
        self.take_from_absent(tx, found, after, origin, prepared).await
    }

    /// Takes from agents who are offline those of their conversations whose customers wait. The conversations are locked.
    async fn take_from_absent(
        &self,
        tx: &mut Tx,
        mut found: Vec<Conversation>,
        after: Duration,
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        found.retain(|it| it.unanswered().is_some());
        if found.is_empty() {
            return Ok(());
        }
        prepared.holds(found.iter().filter_map(|it| it.team))?;
        let known = Known::of(tx, &found).await?;
        let mut effects = Effects::of(&self.clock, None);
        let items: Vec<Item> = found.iter().map(|it| Item { id: it.id, expected: None }).collect();
        effects.plan(&items, found, |effects, it, _| {
            let Some(holder) = it.assignee_id() else {
                effects.keep(it);
                return Ok(());
            };
            let leaving = Leaving { holder, reason: EventReason::AgentOffline, left: Left { holder, after } };
            match it.team.and_then(|team| known.handles.get_key_value(&team)) {
                Some((team, handle)) => leaving.requeue(effects, it, (*team, handle.as_str()), None),
                None => leaving.unassign(effects, it, &known.supervisors),
            }
            Ok(())
        })?;
        effects.write(self, tx, origin).await.map(drop)
    }
}

async fn grace(tx: &mut Tx) -> Result<Grace, Error> {
    Ok(store::settings::find_decided(tx).await?.settings.offline_grace)
}

/// What has to be known of the teams of conversations, and of those who look after what has none.
struct Known {
    handles: BTreeMap<TeamId, String>,
    supervisors: Vec<Subject>,
}

impl Known {
    async fn of(tx: &mut Tx, all: &[Conversation]) -> Result<Self, Error> {
        let teams: BTreeSet<TeamId> = all.iter().filter_map(|it| it.team).collect();
        let teams: Vec<TeamId> = teams.into_iter().collect();
        let handles = store::unanswered::list_handles(tx, &teams).await?;
        let supervisors = match all.iter().all(|it| it.team.is_some_and(|team| handles.contains_key(&team))) {
            true => Vec::new(),
            false => store::unanswered::list_supervisors(tx, MOST_TOLD).await?,
        };
        Ok(Self { handles, supervisors })
    }
}
