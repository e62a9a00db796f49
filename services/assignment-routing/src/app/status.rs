//! Resolve and snooze (R6), one conversation or many of them (R20): all or none. Each is checked under the conversation's lock.

use std::time::Duration;

use audit::Origin;
use db::Tx;
use kernel::{ConversationId, Timestamp};
use rpc::Caller;

use super::App;
use super::effects::{Effects, Item};
use super::history::author;
use crate::domain::conversation::{Conversation, Status, Turn};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::load::Load;
use crate::domain::message::Author;
use crate::error::Error;
use crate::events::{Around, Happened};
use crate::store;

/// How long a conversation may be put aside.
const LONGEST_SNOOZE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How conversations stop being open.
#[derive(Debug, Clone, Copy)]
pub enum Closing {
    /// They are done.
    Resolve,
    /// They are put aside until a time.
    Snooze(Timestamp),
}

impl App {
    /// Marks a conversation as resolved; a resolved one stays as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Stale`], [`Error::Db`].
    pub async fn resolve(&self, caller: &Caller, origin: Origin, item: Item) -> Result<Conversation, Error> {
        self.close_one(caller, origin, item, Closing::Resolve).await
    }

    /// Puts a conversation aside until a time.
    ///
    /// # Errors
    /// [`Error::Resolved`], [`Error::Invalid`] for a time that is past or too far, and as [`App::resolve`].
    pub async fn snooze(
        &self,
        caller: &Caller,
        origin: Origin,
        item: Item,
        until: Timestamp,
    ) -> Result<Conversation, Error> {
        self.close_one(caller, origin, item, self.snooze_until(until)?).await
    }

    /// A snooze until then.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time that is past or too far.
    pub(super) fn snooze_until(&self, until: Timestamp) -> Result<Closing, Error> {
        let now = self.clock.now();
        if until <= now || until > now.plus(LONGEST_SNOOZE) {
            let reason = "must be in the future, at most a year".to_owned();
            return Err(Error::Invalid { field: "snooze_until_time", reason });
        }
        Ok(Closing::Snooze(until))
    }

    async fn close_one(
        &self,
        caller: &Caller,
        origin: Origin,
        item: Item,
        closing: Closing,
    ) -> Result<Conversation, Error> {
        let (app, by) = (self.clone(), author(caller));
        let closed = self.db.write(&caller.org, move |tx| {
            Box::pin(async move { app.close(tx, &[item], closing, by, &origin).await })
        });
        closed.await.map_err(Error::alone)?.pop().ok_or(Error::NoSuchConversation)
    }

    /// Closes conversations, all or none of them.
    pub(super) async fn close(
        &self,
        tx: &mut Tx,
        items: &[Item],
        closing: Closing,
        by: Author,
        origin: &Origin,
    ) -> Result<Vec<Conversation>, Error> {
        let ids: Vec<ConversationId> = items.iter().map(|item| item.id).collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let mut effects = Effects::of(&self.clock, Some(by.clone()));
        effects.plan(items, found, |effects, it, item| match closing {
            Closing::Resolve => resolve(effects, it, item, &by),
            Closing::Snooze(until) => snooze(effects, it, item, until),
        })?;
        effects.write(self, tx, origin).await
    }
}

fn resolve(effects: &mut Effects, mut it: Conversation, item: Item, by: &Author) -> Result<(), Error> {
    if it.status == Status::Resolved {
        effects.keep(it);
        return Ok(());
    }
    item.check(&it)?;
    match it.resolve(effects.now) {
        Turn::Closed => closed(effects, &it),
        _ => effects.wake(&it),
    }
    let happened = effects.happened(&mut it, EventKind::Resolved);
    effects.remember(happened);
    let around = Around::of(&it, effects.id(), Happened::Resolved, Some(by.clone()), effects.now);
    effects.tell(around.event());
    effects.save(it, "conversation.resolve");
    Ok(())
}

fn snooze(effects: &mut Effects, mut it: Conversation, item: Item, until: Timestamp) -> Result<(), Error> {
    if it.snooze_until == Some(until) {
        effects.keep(it);
        return Ok(());
    }
    item.check(&it)?;
    if it.status == Status::Resolved {
        return Err(Error::Resolved);
    }
    if it.snooze(until) == Turn::Closed {
        closed(effects, &it);
    }
    effects.snooze(&it, until);
    let happened =
        HistoryEvent { snooze_until: Some(until), ..effects.happened(&mut it, EventKind::Snoozed) };
    effects.remember(happened);
    effects.save(it, "conversation.snooze");
    Ok(())
}

/// What else changes when a conversation is not open any more: who had it has less, and may have room for another; it waits in no
/// queue.
fn closed(effects: &mut Effects, it: &Conversation) {
    match it.assignee_id() {
        Some(agent) => effects.count(Some(agent), -Load::one(it.units)),
        None => effects.leave(it),
    }
}

/// A conversation that is about to change.
pub(super) async fn get_locked(tx: &mut Tx, id: ConversationId) -> Result<Conversation, Error> {
    store::conversations::lock_conversation(tx, id).await?.ok_or(Error::NoSuchConversation)
}

/// Writes a conversation that was read under its lock.
pub(super) async fn save(tx: &mut Tx, mut it: Conversation) -> Result<Conversation, Error> {
    if store::conversations::save_conversation(tx, &mut it).await? { Ok(it) } else { Err(Error::Raced) }
}
