//! Offers of teams that ask first (R12): made by the assigner, and ended by time or because the conversation or the agent went away. Their
//! agents' answers are in [`super::offer_answers`].
//!
//! Who makes an offer or ends it holds the lock of its conversation, so that it ends once; what it reserves is in its agent's load. An
//! agent stops taking work under the locks of the teams that may ask them: no assigner asks somebody who has just gone.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, ConversationId, OrgId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use super::assigner::Asker;
use super::prepared::Prepared;
use crate::NAME;
use crate::domain::batch::Batch;
use crate::domain::load::Load;
use crate::domain::offer::{Offer, OfferState};
use crate::domain::timer::{Timer, TimerKind};
use crate::error::Error;
use crate::events::Told;
use crate::store;

impl App {
    /// Asks those whose turn it is. What that reserves is in their loads already.
    ///
    /// # Errors
    /// [`Error::Raced`] if one of the conversations is offered to somebody, [`Error::Db`].
    pub(super) async fn make_offers(
        &self,
        tx: &mut Tx,
        asker: &Asker<'_>,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !batch.anew.is_empty() {
            store::offers::forget_refusals(tx, &batch.anew).await?;
        }
        let conversations: Vec<ConversationId> = batch.offered.iter().map(|it| it.conversation).collect();
        let marked = store::queue::set_offered(tx, &conversations, true).await?;
        if usize::try_from(marked) != Ok(conversations.len()) {
            return Err(Error::Raced);
        }
        store::offers::insert_offers(tx, &batch.offered).await?;
        let timers: Vec<Timer> = batch.offered.iter().map(timer).collect();
        store::timers::set(tx, &timers).await?;
        let origin = Origin::system(NAME, "assigner");
        audit::record(tx, &origin, &Event::each("conversation.offer", &conversations)).await?;
        let told = batch.offered.iter().filter_map(|offer| {
            let seconds = offer.expire_time.since(now).as_secs();
            let told = Told {
                event: self.clock.new_id().into(),
                about: NotificationType::Offered,
                recipient: (*asker.people.get(&offer.agent)?).to_owned(),
                reason: format!(
                    "A conversation of team @{} is offered to you: accept it within {seconds} seconds.",
                    asker.handle
                ),
                conversation: offer.conversation,
                actor: None,
                occur_time: now,
            };
            Some(told.event())
        });
        let told: Vec<_> = told.collect();
        Ok(self.outbox.record(tx, &told).await?)
    }

    /// Ends those offers of due timers that nobody answered. The conversations are locked.
    ///
    /// # Errors
    /// [`Error::Unprepared`], [`Error::Db`].
    pub(super) async fn fire_offers(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let asked: BTreeSet<ConversationId> =
            due.iter().map(|timer| ConversationId::from_uuid(timer.subject)).collect();
        let asked: Vec<ConversationId> = asked.into_iter().collect();
        let now = tx.now().await?;
        let mut over = store::offers::list_open(tx, &asked).await?;
        over.retain(|offer| offer.at(now) == OfferState::TimedOut);
        let ids: Vec<_> = over.iter().map(|offer| offer.id).collect();
        audit::record(tx, origin, &Event::each("offer.time_out", &ids)).await?;
        let gone = self.count_missed(tx, &over, origin, prepared, now).await?;
        self.end_offers(tx, &over, OfferState::TimedOut, "").await?;
        self.take_back_from(tx, &gone, None).await
    }

    /// Ends offers that are open, whose conversations are locked: what they reserved is free, and the conversations wait for another.
    ///
    /// # Errors
    /// [`Error::Raced`] if one of them is not open, [`Error::Db`].
    pub(super) async fn end_offers(
        &self,
        tx: &mut Tx,
        offers: &[Offer],
        state: OfferState,
        reason: &str,
    ) -> Result<(), Error> {
        if offers.is_empty() {
            return Ok(());
        }
        let now = tx.now().await?;
        let ids: Vec<_> = offers.iter().map(|offer| offer.id).collect();
        let ended = store::offers::end_offers(tx, &ids, state, now, reason).await?;
        if usize::try_from(ended) != Ok(ids.len()) {
            return Err(Error::Raced);
        }
        let conversations: Vec<ConversationId> = offers.iter().map(|offer| offer.conversation).collect();
        store::queue::set_offered(tx, &conversations, false).await?;
        let mut loads: BTreeMap<AgentId, Load> = BTreeMap::new();
        for offer in offers {
            *loads.entry(offer.agent).or_default() += -offer.reserves();
        }
        let agents: Vec<AgentId> = loads.keys().copied().collect();
        store::locks::lock_loads(tx, &agents).await?;
        store::loads::add_loads(tx, &loads, now).await?;
        self.ring_asking(tx, offers.iter().map(|offer| offer.team));
        self.room_made(tx, agents).await
    }

    /// Takes back what was offered of conversations that left their queues, and gives what is to be added to loads, which is less by
    /// that. The conversations are locked.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn take_back(
        &self,
        tx: &mut Tx,
        offered: &[ConversationId],
        mut loads: BTreeMap<AgentId, Load>,
    ) -> Result<BTreeMap<AgentId, Load>, Error> {
        let taken = store::offers::take_back(tx, offered, self.clock.now()).await?;
        for it in &taken {
            *loads.entry(it.agent_id).or_default() += -Load::reserved(it.units);
        }
        self.ring_asking(tx, taken.iter().map(|it| it.team_id));
        Ok(loads)
    }

    /// The teams whose locks somebody needs who lets agents stop taking work.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn asking_teams(&self, org: &OrgId, agents: &[AgentId]) -> Result<Vec<TeamId>, Error> {
        let agents = agents.to_vec();
        let read = self.db.read(org, move |tx| {
            Box::pin(async move { store::offers::list_asking_teams(tx, &agents).await })
        });
        Ok(read.await?)
    }

    /// Takes back what agents are asked who take no more work, or none of a team. The locks of the teams that ask them are held.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn take_back_from(
        &self,
        tx: &mut Tx,
        agents: &[AgentId],
        team: Option<TeamId>,
    ) -> Result<(), Error> {
        let asked = store::offers::list_asked_about(tx, agents, team).await?;
        if asked.is_empty() {
            return Ok(());
        }
        store::bulk::lock_conversations(tx, &asked).await?;
        // Somebody may have ended one while its conversation was waited for.
        let mut open = store::offers::list_open(tx, &asked).await?;
        open.retain(|offer| agents.contains(&offer.agent));
        self.end_offers(tx, &open, OfferState::TakenBack, "").await
    }

    /// What is offered to agents of these teams is another now: their queues may ask again.
    fn ring_asking(&self, tx: &mut Tx, teams: impl Iterator<Item = TeamId>) {
        let teams: BTreeSet<TeamId> = teams.collect();
        if teams.is_empty() {
            return;
        }
        self.ring_inboxes(tx);
        for team in teams {
            self.ring(tx, team);
        }
    }
}

fn timer(offer: &Offer) -> Timer {
    Timer {
        subject: offer.conversation.as_uuid(),
        kind: TimerKind::Offer,
        rule: offer.team.to_string(),
        since: offer.offer_time,
        due: offer.expire_time,
    }
}
