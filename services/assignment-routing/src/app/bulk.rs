//! The same for many conversations (R20): all of them change, or none, and each that cannot says why.

use std::collections::BTreeSet;

use audit::Origin;
use db::{Retry, Tx};
use kernel::{ConversationId, Timestamp};
use rpc::Caller;

use super::App;
use super::effects::{Effects, Item};
use super::handover::Handover;
use super::history::author;
use super::prepared::Prepared;
use super::status::Closing;
use crate::domain::conversation::{Conversation, ConversationChange, MOST_TAGS};
use crate::error::Error;
use crate::store;

/// What became of conversations.
#[derive(Debug)]
pub enum Batched {
    /// All of them are so now.
    Applied(Vec<Conversation>),
    /// None changed: these are the errors of those that cannot, in their places.
    Refused(Vec<Option<Error>>),
}

/// Tags to be added and taken off.
#[derive(Debug, Clone, Default)]
pub struct TagChange {
    /// What each conversation has from then on.
    pub add: BTreeSet<String>,
    /// What none has from then on, unless it is added.
    pub remove: BTreeSet<String>,
}

/// What is done to many conversations.
#[derive(Debug, Clone)]
enum Work {
    Close(Closing),
    Tag(TagChange),
}

impl App {
    /// Gives conversations to an agent, to a team or to nobody.
    ///
    /// # Errors
    /// As [`App::assign`], of whoever gets them.
    pub async fn assign_all(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
        handover: Handover,
    ) -> Result<Batched, Error> {
        batched(self.hand_over(caller, origin, retry, items, handover, Ok).await)
    }

    /// Marks conversations as resolved.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn resolve_all(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
    ) -> Result<Batched, Error> {
        self.work(caller, origin, retry, items, Work::Close(Closing::Resolve)).await
    }

    /// Puts conversations aside until a time.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time that is past or too far, and as [`App::resolve_all`].
    pub async fn snooze_all(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
        until: Timestamp,
    ) -> Result<Batched, Error> {
        let closing = self.snooze_until(until)?;
        self.work(caller, origin, retry, items, Work::Close(closing)).await
    }

    /// Adds tags to conversations and takes tags off them.
    ///
    /// # Errors
    /// As [`App::resolve_all`].
    pub async fn tag_all(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
        change: TagChange,
    ) -> Result<Batched, Error> {
        self.work(caller, origin, retry, items, Work::Tag(change)).await
    }

    async fn work(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
        work: Work,
    ) -> Result<Batched, Error> {
        let (by, origin) = (author(caller), origin.of_request(retry.request_id));
        let teams = self.teams_of(caller, &items).await?;
        let done = self.prepared(&caller.org, |mut prepared| {
            // An assigner of these teams locks conversations in another order.
            prepared.hold(teams.iter().copied());
            let (app, by, origin, retry) = (self.clone(), by.clone(), origin.clone(), retry.clone());
            let (items, work) = (items.clone(), work.clone());
            self.db.write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &prepared.teams()).await?;
                    db::once(tx, &retry, move |tx| {
                        Box::pin(async move {
                            match work {
                                Work::Close(closing) => app.close(tx, &items, closing, by, &origin).await,
                                Work::Tag(change) => app.tag(tx, &items, change, &origin, &prepared).await,
                            }
                        })
                    })
                    .await
                })
            })
        });
        batched(done.await)
    }

    async fn tag(
        &self,
        tx: &mut Tx,
        items: &[Item],
        change: TagChange,
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<Vec<Conversation>, Error> {
        let ids: Vec<ConversationId> = items.iter().map(|item| item.id).collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let added = found.iter().map(|it| (it.id, change.add.difference(&it.tags).cloned().collect()));
        let added = added.filter(|(_, tags): &(_, BTreeSet<String>)| !tags.is_empty()).collect();
        let mut effects = Effects::of(&self.clock, None);
        effects.plan(items, found, |effects, it, item| tag(effects, it, item, &change))?;
        let tagged = effects.write(self, tx, origin).await?;
        self.run_for_tags(tx, tagged, added, prepared).await
    }
}

fn tag(effects: &mut Effects, mut it: Conversation, item: Item, change: &TagChange) -> Result<(), Error> {
    item.check(&it)?;
    let kept = it.tags.difference(&change.remove).cloned();
    let tags: BTreeSet<String> = kept.chain(change.add.iter().cloned()).collect();
    if tags.len() > MOST_TAGS {
        let reason = format!("would make {} tags: a conversation has at most {MOST_TAGS}", tags.len());
        return Err(Error::Invalid { field: "add_tags", reason });
    }
    let change = ConversationChange { tags: Some(tags), ..ConversationChange::default() };
    match change.apply(&mut it) {
        true => effects.save(it, "conversation.update"),
        false => effects.keep(it),
    }
    Ok(())
}

fn batched(done: Result<Vec<Conversation>, Error>) -> Result<Batched, Error> {
    match done {
        Ok(all) => Ok(Batched::Applied(all)),
        Err(Error::Refused(errors)) => Ok(Batched::Refused(errors)),
        Err(error) => Err(error),
    }
}
