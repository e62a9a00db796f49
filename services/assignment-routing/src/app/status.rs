//! Resolve, reopen, snooze, and waking by itself (R6). Each checks under the conversation's lock.

use std::collections::BTreeMap;
use std::time::Duration;

use audit::{Event, Origin};
use db::Tx;
use kernel::{ConversationId, EventId, OrgId, Timestamp};
use proto::notifications::v1::NotificationType;
use rpc::Caller;

use super::history::author;
use super::{App, check_version};
use crate::NAME;
use crate::domain::conversation::{Conversation, Status, Turn};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::message::Author;
use crate::domain::workflow::Strategy;
use crate::error::Error;
use crate::events::{Around, Happened, Told};
use crate::store;
use crate::store::queue::Place;

/// How long a conversation may be put aside.
const LONGEST_SNOOZE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Snoozes ended in one sweep of all organizations.
const WOKEN_AT_ONCE: i64 = 200;

/// How and why a conversation is open again.
pub(super) struct Reopened {
    /// The event by which its assignee and contacts learn of it.
    pub(super) event: EventId,
    /// Why, as a sentence without its end.
    pub(super) reason: &'static str,
    /// Who opened it, where a person inside did.
    pub(super) by: Option<Author>,
}

impl App {
    /// Marks a conversation as resolved; a resolved one stays as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Stale`], [`Error::Db`].
    pub async fn resolve(
        &self,
        caller: &Caller,
        origin: Origin,
        id: ConversationId,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let now = self.clock.now();
        let (app, event, by) = (self.clone(), self.clock.new_id().into(), Some(author(caller)));
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let mut it = get_locked(tx, id).await?;
                    if it.status == Status::Resolved {
                        return Ok(it);
                    }
                    check_version(expected, it.version)?;
                    match it.resolve(now) {
                        Turn::Closed => closed(tx, &it).await?,
                        _ => store::snoozes::delete_snooze(tx, id).await?,
                    }
                    let happened =
                        it.happened(EventKind::Resolved, tx.clock().new_id().into(), now, by.clone());
                    store::history::insert_events(tx, &[happened]).await?;
                    audit::record(tx, &origin, &[Event::new("conversation.resolve", id)]).await?;
                    let around = Around::of(&it, event, Happened::Resolved, by, now);
                    app.outbox.record(tx, &[around.event()]).await?;
                    save(tx, it).await
                })
            })
            .await
    }

    /// Opens a conversation again; an open one stays as it is.
    ///
    /// # Errors
    /// As [`App::resolve`].
    pub async fn reopen(
        &self,
        caller: &Caller,
        origin: Origin,
        id: ConversationId,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let app = self.clone();
        let by = Some(author(caller));
        let why =
            Reopened { event: self.clock.new_id().into(), reason: "Your conversation was reopened", by };
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let it = get_locked(tx, id).await?;
                    if it.status == Status::Open {
                        return Ok(it);
                    }
                    check_version(expected, it.version)?;
                    app.open_again(tx, it, why, &origin).await
                })
            })
            .await
    }

    /// Puts a conversation aside until a time.
    ///
    /// # Errors
    /// [`Error::Resolved`], [`Error::Invalid`] for a time that is past or too far, and as [`App::resolve`].
    pub async fn snooze(
        &self,
        caller: &Caller,
        origin: Origin,
        id: ConversationId,
        until: Timestamp,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let (now, by) = (self.clock.now(), Some(author(caller)));
        if until <= now || until > now.plus(LONGEST_SNOOZE) {
            let reason = "must be in the future, at most a year".to_owned();
            return Err(Error::Invalid { field: "snooze_until_time", reason });
        }
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let mut it = get_locked(tx, id).await?;
                    if it.snooze_until == Some(until) {
                        return Ok(it);
                    }
                    check_version(expected, it.version)?;
                    if it.status == Status::Resolved {
                        return Err(Error::Resolved);
                    }
                    if it.snooze(until) == Turn::Closed {
                        closed(tx, &it).await?;
                    }
                    store::snoozes::save_snooze(tx, id, until).await?;
                    let happened = HistoryEvent {
                        snooze_until: Some(until),
                        ..it.happened(EventKind::Snoozed, tx.clock().new_id().into(), now, by)
                    };
                    store::history::insert_events(tx, &[happened]).await?;
                    audit::record(tx, &origin, &[Event::new("conversation.snooze", id)]).await?;
                    save(tx, it).await
                })
            })
            .await
    }

    /// Opens the conversations whose snooze is over; says how many it looked at.
    ///
    /// # Errors
    /// [`Error::Db`]; those opened before stay open.
    pub async fn wake_snoozed(&self) -> Result<usize, Error> {
        let due: Vec<(OrgId, ConversationId)> = self
            .db
            .read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::snoozes::list_due(tx, now, WOKEN_AT_ONCE).await
                })
            })
            .await?;
        let looked_at = due.len();
        for (org, id) in due {
            self.wake_one(&org, id).await?;
        }
        Ok(looked_at)
    }

    async fn wake_one(&self, org: &OrgId, id: ConversationId) -> Result<(), Error> {
        let app = self.clone();
        let event = self.clock.new_id().into();
        let why = Reopened { event, reason: "The snooze of your conversation is over", by: None };
        let origin = Origin::system(NAME, "snooze waker");
        self.db
            .write(org, move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    let Some(it) = store::conversations::lock_conversation(tx, id).await? else {
                        return Ok(store::snoozes::delete_snooze(tx, id).await?);
                    };
                    // It may have been opened, or put aside for longer, since it was listed.
                    match it.snooze_until {
                        None => Ok(store::snoozes::delete_snooze(tx, id).await?),
                        Some(until) if until > now => Ok(()),
                        Some(_) => app.open_again(tx, it, why, &origin).await.map(drop),
                    }
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
    ) -> Result<Conversation, Error> {
        let snoozed = it.status == Status::Snoozed;
        it.reopen();
        self.opened(tx, &mut it, snoozed, why).await?;
        audit::record(tx, origin, &[Event::new("conversation.reopen", it.id)]).await?;
        save(tx, it).await
    }

    /// What else changes when a conversation is open again (KEEP): its assignee has one more and is told, unless they
    /// did it; without one it joins its team's queue again.
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
        store::history::insert_events(tx, &[happened]).await?;
        let mut events = Vec::new();
        if !snoozed {
            events.push(Around::of(it, why.event, Happened::Reopened, why.by.clone(), now).event());
        }
        if let Some(person) = &it.assignee {
            store::assignments::add_loads(tx, &BTreeMap::from([(person.agent, 1)])).await?;
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
        let Some(team) = it.team else { return Ok(()) };
        if store::teams::find_team_handle(tx, team).await?.is_none() {
            // The team was deleted while the conversation was resolved.
            it.team = None;
            return Ok(());
        }
        store::queue::join(tx, &rejoined(it, team, now)).await?;
        self.ring(tx, team);
        Ok(())
    }
}

/// A place at the end of a team's queue, which no workflow led to.
pub(super) fn rejoined(it: &Conversation, team: kernel::TeamId, queue_time: Timestamp) -> Place {
    Place {
        conversation: it.id,
        team,
        strategy: Strategy::RoundRobin,
        workflow: None,
        traces: Vec::new(),
        priority: it.priority,
        queue_time,
        explained: false,
    }
}

/// What else changes when a conversation is not open any more.
async fn closed(tx: &mut Tx, it: &Conversation) -> Result<(), Error> {
    match it.assignee_id() {
        Some(agent) => store::assignments::add_loads(tx, &BTreeMap::from([(agent, -1)])).await?,
        None => store::queue::leave(tx, &[it.id]).await?,
    }
    Ok(())
}

/// A conversation that is about to change.
pub(super) async fn get_locked(tx: &mut Tx, id: ConversationId) -> Result<Conversation, Error> {
    store::conversations::lock_conversation(tx, id).await?.ok_or(Error::NoSuchConversation)
}

/// Writes a conversation that was read under its lock.
pub(super) async fn save(tx: &mut Tx, mut it: Conversation) -> Result<Conversation, Error> {
    if store::conversations::save_conversation(tx, &mut it).await? { Ok(it) } else { Err(Error::Raced) }
}
