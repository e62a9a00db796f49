//! What agents answer when they are asked (R12): compare-and-set under the locks of automatic assignment. An answer that was given before
//! is answered the same again, so that a retry is safe.

use std::collections::HashMap;

use audit::{Event, Origin};
use db::Tx;
use kernel::page::limit;
use kernel::{ConversationId, PageSize};
use rpc::Caller;
use uuid::Uuid;

use super::App;
use super::effects::{Effects, Item};
use super::history::author;
use crate::domain::agent::Person;
use crate::domain::batch::Given;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::Decision;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::offer::{Answering, Offer, OfferId, OfferState};
use crate::error::Error;
use crate::store;

/// Page tokens of this list.
const LIST: &str = "routing.offers";

impl App {
    /// Takes what is offered to the caller; the conversation as it is then.
    ///
    /// # Errors
    /// [`Error::NoSuchOffer`], [`Error::NotYourOffer`], [`Error::OfferEnded`], [`Error::Db`].
    pub async fn accept_offer(
        &self,
        caller: &Caller,
        origin: Origin,
        id: OfferId,
    ) -> Result<Conversation, Error> {
        let (person, asked) = self.asked(caller, id).await?;
        let (app, by) = (self.clone(), author(caller));
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let (it, offer) = answerable(tx, &asked, OfferState::Accepted).await?;
                    let Some(offer) = offer else { return Ok(it) };
                    if it.status != Status::Open || it.assignee.is_some() {
                        // Given away by a program that does not know of offers.
                        return Err(ended(&offer, OfferState::TakenBack));
                    }
                    let now = tx.now().await?;
                    store::offers::end_offers(tx, &[offer.id], OfferState::Accepted, now, "").await?;
                    store::loads::count_accepted(tx, offer.agent).await?;
                    let (item, mut effects) =
                        (Item { id: it.id, expected: None }, Effects::of(&app.clock, Some(by)));
                    effects.plan(&[item], vec![it], |effects, it, _| {
                        take(effects, it, &person, &offer);
                        Ok(())
                    })?;
                    // With one answer less to give, they may be asked about the next.
                    app.ring(tx, offer.team);
                    effects.write(&app, tx, &origin).await?.pop().ok_or(Error::Raced)
                })
            })
            .await
    }

    /// Declines what is offered to the caller: the next one is asked.
    ///
    /// # Errors
    /// As [`App::accept_offer`].
    pub async fn reject_offer(
        &self,
        caller: &Caller,
        origin: Origin,
        id: OfferId,
        reason: String,
    ) -> Result<(), Error> {
        let (_, asked) = self.asked(caller, id).await?;
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let (_, offer) = answerable(tx, &asked, OfferState::Rejected).await?;
                    let Some(offer) = offer else { return Ok(()) };
                    audit::record(tx, &origin, &[Event::new("offer.reject", offer.id)]).await?;
                    app.end_offers(tx, &[offer], OfferState::Rejected, &reason).await
                })
            })
            .await
    }

    /// Lists what waits for the caller's answer, oldest first, with the conversations; and the token of the next page.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_offers(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<(Offer, Conversation)>, String), Error> {
        let binding = format!("{} {}", caller.org, caller.subject).into_bytes();
        let after: OfferId = match token {
            "" => OfferId::from_uuid(Uuid::nil()),
            token => self.seal.open(LIST, &binding, token).map_err(Error::BadPageToken)?,
        };
        let agent = self.agent_of(caller).await?.id;
        let read = self.db.read(&caller.org, move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                let mut offers =
                    store::offers::list_open_of(tx, agent, now, after, limit(size.get() + 1)).await?;
                let more = offers.len() > size.get();
                offers.truncate(size.get());
                let next = offers.last().map(|offer| offer.id).filter(|_| more);
                Ok::<_, Error>((with_conversations(tx, offers).await?, next))
            })
        });
        let (offers, next) = read.await?;
        let next = next.map(|last| self.seal.seal(LIST, &binding, &last));
        Ok((offers, next.unwrap_or_default()))
    }

    /// The caller as the agent who is asked, and the offer as it was just now.
    async fn asked(&self, caller: &Caller, id: OfferId) -> Result<(Person, Offer), Error> {
        let person = self.agent_of(caller).await?.person();
        let found = self
            .db
            .read(&caller.org, move |tx| Box::pin(async move { store::offers::find_offer(tx, id).await }));
        let offer = found.await?.ok_or(Error::NoSuchOffer)?;
        if offer.agent == person.agent { Ok((person, offer)) } else { Err(Error::NotYourOffer(id)) }
    }
}

/// Offers with their conversations; one whose conversation is being erased is left out.
pub(in crate::app) async fn with_conversations(
    tx: &mut Tx,
    offers: Vec<Offer>,
) -> Result<Vec<(Offer, Conversation)>, Error> {
    if offers.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ConversationId> = offers.iter().map(|offer| offer.conversation).collect();
    let mut found: HashMap<ConversationId, Conversation> =
        store::conversations::list_by_ids(tx, ids).await?.into_iter().collect();
    let with = |offer: Offer| found.remove(&offer.conversation).map(|it| (offer, it));
    Ok(offers.into_iter().filter_map(with).collect())
}

/// The conversation of an offer, locked, and the offer if it can be answered so now; none: it was answered so before.
async fn answerable(
    tx: &mut Tx,
    asked: &Offer,
    answer: OfferState,
) -> Result<(Conversation, Option<Offer>), Error> {
    store::locks::lock_teams(tx, &[asked.team]).await?;
    let it = store::conversations::lock_conversation(tx, asked.conversation).await?;
    let it = it.ok_or(Error::NoSuchOffer)?;
    let offer = store::offers::find_offer(tx, asked.id).await?.ok_or(Error::NoSuchOffer)?;
    match offer.answering(answer, tx.now().await?) {
        Answering::Now => {
            store::presence::forget_missed(tx, offer.agent).await?;
            Ok((it, Some(offer)))
        }
        Answering::Before => Ok((it, None)),
        Answering::Late(state) => Err(ended(&offer, state)),
    }
}

fn ended(offer: &Offer, state: OfferState) -> Error {
    Error::OfferEnded { offer: offer.id, state }
}

/// The agent has the conversation, and nothing is reserved for it any more.
fn take(effects: &mut Effects, mut it: Conversation, person: &Person, offer: &Offer) {
    effects.take(&it);
    effects.count(Some(person.agent), -offer.reserves());
    let happened = effects.happened(&mut it, EventKind::Assigned);
    let (agent, team) = (Some(person.agent), Some(offer.team));
    let decision = Decision::accepted(effects.id(), offer, effects.now);
    let (version, time) = (it.version, happened.time);
    effects
        .give(&it, Given { conversation: it.id, version, agent: person.agent, decision: decision.id, time });
    effects.remember(HistoryEvent { agent, team, ..happened });
    effects.decide(decision);
    it.assignee = Some(person.clone());
    effects.save(it, "conversation.assign");
}
