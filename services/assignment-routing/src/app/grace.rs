//! Who goes offline keeps open conversations whose customers wait for as long as the organization's grace, and then loses them (R13).

use std::collections::{BTreeMap, BTreeSet};

use audit::Origin;
use db::Tx;
use kernel::{AgentId, ConversationId, Subject, TeamId, Timestamp};

use super::App;
use super::effects::{Effects, Item};
use super::left_waiting::Leaving;
use super::prepared::Prepared;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Left;
use crate::domain::history::EventReason;
use crate::domain::settings::Grace;
use crate::domain::timer::{Timer, TimerKind};
use crate::error::Error;
use crate::store;

/// Conversations taken back in one transaction.
const TAKEN_AT_ONCE: i64 = 200;

/// Supervisors of the organization who are told of a conversation that nobody has, at most.
pub(super) const MOST_TOLD: i64 = 100;

impl App {
    /// These agents went offline now: their grace begins. Whoever calls holds their presence.
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
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let taken = |it: &Conversation| it.assignee_id().filter(|holder| gone.contains(holder));
        let found: Vec<Conversation> =
            found.into_iter().filter(|it| it.unanswered().is_some() && taken(it).is_some()).collect();
        prepared.holds(found.iter().filter_map(|it| it.team))?;
        let known = Known::of(tx, &found).await?;
        let mut effects = Effects::of(&self.clock, None);
        let items: Vec<Item> = found.iter().map(|it| Item { id: it.id, expected: None }).collect();
        effects.plan(&items, found, |effects, it, _| {
            let Some(holder) = taken(&it) else {
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
