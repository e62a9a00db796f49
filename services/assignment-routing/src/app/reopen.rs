//! Opening a conversation again: by hand, because its customer wrote, or because its snooze is over (R6). Who has it then, the
//! organization's policy says.

use std::collections::BTreeMap;

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, ConversationId, EventId, OrgId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;
use rpc::Caller;
use tokio_util::sync::CancellationToken;

use super::App;
use super::effects::Item;
use super::history::author;
use super::prepared::Prepared;
use super::status::{get_locked, save};
use super::waits::Change;
use super::workflow_runs::Occasion;
use crate::NAME;
use crate::domain::choose::Availability;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::Decision;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::load::Load;
use crate::domain::message::Author;
use crate::domain::reopen::{ReopenPolicy, Requeued};
use crate::error::Error;
use crate::events::{Around, Happened, Told};
use crate::store;
use crate::store::queue::Place;
use crate::store::snoozes::Due;

/// Snoozes read at once.
const WOKEN_AT_ONCE: i64 = 200;

/// How and why a conversation is open again.
#[derive(Clone)]
pub(super) struct Reopened {
    /// The event by which its assignee and contacts learn of it.
    pub(super) event: EventId,
    /// Why, as a sentence without its end.
    pub(super) reason: &'static str,
    /// Who opened it, where a person inside did.
    pub(super) by: Option<Author>,
}

impl App {
    /// Opens a conversation again; an open one stays as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Stale`], [`Error::Db`].
    pub async fn reopen(&self, caller: &Caller, origin: Origin, item: Item) -> Result<Conversation, Error> {
        let by = Some(author(caller));
        let why =
            Reopened { event: self.clock.new_id().into(), reason: "Your conversation was reopened", by };
        self.prepared(&caller.org, |prepared| {
            let (app, why, origin) = (self.clone(), why.clone(), origin.clone());
            self.db.write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &prepared.teams()).await?;
                    let it = get_locked(tx, item.id).await?;
                    if it.status == Status::Open {
                        return Ok(it);
                    }
                    item.check(&it)?;
                    app.open_again(tx, it, why, &origin, &prepared).await
                })
            })
        })
        .await
    }

    /// Opens all conversations whose snooze is over, until stopped; says how many it looked at. What fails stays due and keeps nothing else
    /// waiting.
    ///
    /// # Errors
    /// [`Error::Db`] if it cannot be read what is due; otherwise the last of what failed, when everything else is done.
    pub async fn wake_snoozed(&self, stop: &CancellationToken) -> Result<usize, Error> {
        let (mut looked_at, mut failure, mut last) = (0, None, None::<Due>);
        while !stop.is_cancelled() {
            let behind = last.clone();
            let due = self.db.read_system(move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::snoozes::list_due(tx, now, behind.as_ref(), WOKEN_AT_ONCE).await
                })
            });
            let due = due.await?;
            let Some(end) = due.last().cloned() else { break };
            for it in due {
                looked_at += 1;
                if let Err(error) = self.wake_one(&it.org_id, it.conversation_id).await {
                    failure = Some(error);
                }
            }
            last = Some(end);
        }
        failure.map_or(Ok(looked_at), Err)
    }

    async fn wake_one(&self, org: &OrgId, id: ConversationId) -> Result<(), Error> {
        let event = self.clock.new_id().into();
        let why = Reopened { event, reason: "The snooze of your conversation is over", by: None };
        let origin = Origin::system(NAME, "snooze waker");
        self.prepared(org, |prepared| {
            let (app, why, origin) = (self.clone(), why.clone(), origin.clone());
            self.db.write(org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &prepared.teams()).await?;
                    let now = tx.now().await?;
                    let Some(it) = store::conversations::lock_conversation(tx, id).await? else {
                        return Ok(store::snoozes::delete_snooze(tx, id).await?);
                    };
                    // It may have been opened, or put aside for longer, since it was listed.
                    match it.snooze_until {
                        None => Ok(store::snoozes::delete_snooze(tx, id).await?),
                        Some(until) if until > now => Ok(()),
                        Some(_) => app.open_again(tx, it, why, &origin, &prepared).await.map(drop),
                    }
                })
            })
        })
        .await
    }

    async fn open_again(
        &self,
        tx: &mut Tx,
        mut it: Conversation,
        why: Reopened,
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<Conversation, Error> {
        let (was, snoozed) = (it.clone(), it.status == Status::Snoozed);
        it.reopen();
        self.opened(tx, &mut it, snoozed, why).await?;
        audit::record(tx, origin, &[Event::new("conversation.reopen", it.id)]).await?;
        let ruleset = self.rulesets.current(tx).await?;
        ruleset.policies().follow(&mut it, self.clock.now());
        let it = save(tx, it).await?;
        self.ring_inboxes(tx);
        let occasion = Occasion::reopened(self.clock.now());
        let it = self.run_workflows(tx, it, &ruleset, occasion, prepared).await?;
        self.begin_waits(tx, &ruleset, &[Change { was: Some(&was), is: &it }]).await?;
        Ok(it)
    }

    /// What else changes when a conversation is open again: whoever still has it has one more and is told, unless they did it; without
    /// anybody it joins its team's queue again.
    pub(super) async fn opened(
        &self,
        tx: &mut Tx,
        it: &mut Conversation,
        snoozed: bool,
        why: Reopened,
    ) -> Result<(), Error> {
        if snoozed {
            store::snoozes::delete_snooze(tx, it.id).await?;
        }
        let now = self.clock.now();
        let happened = it.happened(EventKind::Reopened, tx.clock().new_id().into(), now, why.by.clone());
        self.remember(tx, &[happened]).await?;
        let team = present_team(tx, it).await?;
        if let Some(requeued) = requeued(tx, it, team, snoozed, why.by.as_ref()).await? {
            self.let_go(tx, it, requeued, now).await?;
        }
        let mut events = Vec::new();
        if !snoozed {
            events.push(Around::of(it, why.event, Happened::Reopened, why.by.clone(), now).event());
        }
        if let Some(person) = &it.assignee {
            let loads = BTreeMap::from([(person.agent, Load::one(it.units))]);
            let shown = tx.now().await?;
            store::loads::add_loads(tx, &loads, shown).await?;
            if why.by.as_ref().is_none_or(|by| by.subject != person.subject) {
                let told = Told {
                    event: why.event,
                    about: NotificationType::Reopened,
                    recipient: person.subject.to_string(),
                    reason: format!("{}.", why.reason),
                    conversation: it.id,
                    actor: why.by,
                    occur_time: now,
                };
                events.push(told.event());
            }
            return Ok(self.outbox.record(tx, &events).await?);
        }
        self.outbox.record(tx, &events).await?;
        it.team = team;
        let Some(team) = team else { return Ok(()) };
        let shown = tx.now().await?;
        store::queue::join_all(tx, &[Place::of(it, team, shown)]).await?;
        self.ring(tx, team);
        Ok(())
    }

    /// Takes a conversation from who had it. While it was not open, it counted for nobody.
    async fn let_go(
        &self,
        tx: &mut Tx,
        it: &mut Conversation,
        requeued: Requeued,
        now: Timestamp,
    ) -> Result<(), Error> {
        store::assignments::end_assignment(tx, it.id, now).await?;
        let happened = HistoryEvent {
            previous: Some(requeued.holder),
            team: it.team,
            ..it.happened(EventKind::Queued, tx.clock().new_id().into(), now, None)
        };
        self.remember(tx, &[happened]).await?;
        let decision = Decision::requeued(self.clock.new_id().into(), it, requeued, now);
        store::decisions::insert_decisions(tx, &[decision]).await?;
        it.assignee = None;
        Ok(())
    }
}

/// The team of a conversation. It may have been deleted while the conversation was resolved.
async fn present_team(tx: &mut Tx, it: &Conversation) -> Result<Option<TeamId>, Error> {
    let Some(team) = it.team else { return Ok(None) };
    Ok(store::teams::find_team_handle(tx, team).await?.map(|_| team))
}

/// Whether a conversation waits again that somebody had, and by which policy. Without a team there is no queue to wait in; who opens
/// what they have keeps it.
async fn requeued(
    tx: &mut Tx,
    it: &Conversation,
    team: Option<TeamId>,
    snoozed: bool,
    by: Option<&Author>,
) -> Result<Option<Requeued>, Error> {
    let Some((holder, _)) = it.assignee.as_ref().zip(team) else { return Ok(None) };
    if by.is_some_and(|by| by.subject == holder.subject) {
        return Ok(None);
    }
    let policy = store::settings::find_decided(tx).await?.settings.reopen_policy;
    let there = match policy {
        ReopenPolicy::Keep => return Ok(None),
        ReopenPolicy::KeepIfAvailable | ReopenPolicy::Requeue => availability(tx, holder.agent).await?,
    };
    let keeps = policy.keeps(snoozed, there);
    Ok((!keeps).then_some(Requeued { policy, holder: holder.agent }))
}

async fn availability(tx: &mut Tx, agent: AgentId) -> Result<Availability, Error> {
    let now = tx.now().await?;
    let presence = store::presence::find_presence(tx, agent).await?;
    Ok(presence.map_or(Availability::Offline, |presence| presence.at(now)))
}
