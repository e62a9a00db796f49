//! Who leaves a waiting customer without a reply for longer than the limit of the conversation's team loses it, or supervisors are told
//! (R13).

use std::collections::{BTreeMap, HashMap};

use audit::Origin;
use db::Tx;
use kernel::{ConversationId, Subject, TeamId, Timestamp};
use uuid::Uuid;

use super::App;
use super::effects::{Effects, Item};
use super::grace::MOST_TOLD;
use super::left_waiting::Leaving;
use super::prepared::Prepared;
use crate::domain::batch::Given;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Left;
use crate::domain::history::EventReason;
use crate::domain::reply_limit::{LimitAction, ReplyLimit};
use crate::domain::ruleset::Ruleset;
use crate::domain::timer::{Timer, TimerKind};
use crate::error::Error;
use crate::store;

/// What a timer finds.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// Nobody is left without a reply, or somebody else's wait it is.
    Nothing,
    /// It is too early: this is when to look.
    Early(Timestamp),
    /// The limit is over.
    Over(ReplyLimit),
}

impl App {
    /// A team's queue gave conversations whose customers may wait: by its limit they are looked at again.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn limit_replies(
        &self,
        tx: &mut Tx,
        team: TeamId,
        limit: Option<ReplyLimit>,
        given: &[Given],
    ) -> Result<(), Error> {
        let Some(ReplyLimit { limit, .. }) = limit else { return Ok(()) };
        let now = tx.now().await?;
        let timer = |given: &Given| {
            Timer::after(limit, given.conversation.as_uuid(), TimerKind::ReplyLimit, team, now)
        };
        let timers: Vec<Timer> = given.iter().map(timer).collect();
        Ok(store::timers::set(tx, &timers).await?)
    }

    /// Does what teams say of conversations that were left without a reply.
    ///
    /// # Errors
    /// [`Error::Raced`], [`Error::Db`].
    pub(super) async fn fire_reply_limits(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let (ruleset, now) = (self.rulesets.current(tx).await?, tx.now().await?);
        let ids: Vec<ConversationId> = due.iter().map(|timer| timer.subject.into()).collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let by_id: HashMap<Uuid, &Conversation> = found.iter().map(|it| (it.id.as_uuid(), it)).collect();
        let (mut over, mut again) = (BTreeMap::new(), Vec::new());
        for timer in due {
            let Some(it) = by_id.get(&timer.subject) else { continue };
            match found_by(timer, it, &ruleset, now) {
                Finding::Nothing => {}
                Finding::Early(time) => again.push(timer.clone().later(time)),
                Finding::Over(limit) => {
                    over.insert(it.id, limit);
                }
            }
        }
        store::timers::set(tx, &again).await?;
        let found: Vec<Conversation> = found.into_iter().filter(|it| over.contains_key(&it.id)).collect();
        prepared.holds(found.iter().filter_map(|it| it.team))?;
        self.left_without_reply(tx, found, &over, origin).await
    }

    async fn left_without_reply(
        &self,
        tx: &mut Tx,
        found: Vec<Conversation>,
        over: &BTreeMap<ConversationId, ReplyLimit>,
        origin: &Origin,
    ) -> Result<(), Error> {
        if found.is_empty() {
            return Ok(());
        }
        let teams: Vec<TeamId> = found.iter().filter_map(|it| it.team).collect();
        let handles = store::unanswered::list_handles(tx, &teams).await?;
        let mut supervisors: BTreeMap<TeamId, Vec<Subject>> = BTreeMap::new();
        for (team, subject) in store::teams::list_supervisors_of(tx, &teams).await? {
            supervisors.entry(team).or_default().push(subject);
        }
        if teams.iter().any(|team| !supervisors.contains_key(team)) {
            let all = store::unanswered::list_supervisors(tx, MOST_TOLD).await?;
            for team in teams {
                supervisors.entry(team).or_insert_with(|| all.clone());
            }
        }
        let mut effects = Effects::of(&self.clock, None);
        let items: Vec<Item> = found.iter().map(|it| Item { id: it.id, expected: None }).collect();
        effects.plan(&items, found, |effects, it, _| {
            let known =
                it.team.and_then(|team| Some((team, handles.get(&team)?.as_str(), supervisors.get(&team)?)));
            let (Some(limit), Some(holder), Some((team, handle, supervisors))) =
                (over.get(&it.id), it.assignee_id(), known)
            else {
                effects.keep(it);
                return Ok(());
            };
            let left = Left { holder, after: limit.limit };
            let leaving = Leaving { holder, reason: EventReason::NoReply, left };
            match limit.then {
                LimitAction::Requeue => leaving.requeue(effects, it, (team, handle), None),
                LimitAction::NextAgent => leaving.requeue(effects, it, (team, handle), Some(holder)),
                LimitAction::NotifySupervisor => leaving.report(effects, it, supervisors),
            }
            Ok(())
        })?;
        effects.write(self, tx, origin).await.map(drop)
    }
}

/// What a timer finds. A conversation that belongs to another team by now has a timer of that one, if that one has a limit.
fn found_by(timer: &Timer, it: &Conversation, ruleset: &Ruleset, now: Timestamp) -> Finding {
    let team = it.team.filter(|team| team.to_string() == timer.rule);
    let limit = team.filter(|_| it.assignee.is_some()).and_then(|team| ruleset.reply_limit(team));
    let Some(limit) = limit.filter(|_| it.unanswered().is_some()) else { return Finding::Nothing };
    let over = timer.since.plus(limit.limit);
    if over > now { Finding::Early(over) } else { Finding::Over(limit) }
}
