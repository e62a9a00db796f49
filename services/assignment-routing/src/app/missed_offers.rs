//! Who lets one offer after the other pass is not there, whatever they said (R12): they are away from then on, so that customers do not
//! wait for their answers.

use std::collections::BTreeMap;

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, ConversationId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use super::prepared::Prepared;
use crate::domain::offer::{MOST_MISSED, Offer};
use crate::error::Error;
use crate::events::Told;
use crate::store;

impl App {
    /// Counts offers that were not answered in time, and takes for away who missed so many in a row. Nothing is offered to them then. The
    /// conversations are locked.
    ///
    /// # Errors
    /// [`Error::Unprepared`], [`Error::Db`].
    pub(super) async fn count_missed(
        &self,
        tx: &mut Tx,
        missed: &[Offer],
        origin: &Origin,
        prepared: &Prepared,
        now: Timestamp,
    ) -> Result<Vec<AgentId>, Error> {
        let mut counts: BTreeMap<AgentId, (i64, ConversationId)> = BTreeMap::new();
        for offer in missed {
            counts.entry(offer.agent).or_insert((0, offer.conversation)).0 += 1;
        }
        let more: Vec<(AgentId, i64)> = counts.iter().map(|(agent, (more, _))| (*agent, *more)).collect();
        let agents: Vec<AgentId> = counts.keys().copied().collect();
        store::presence::lock_all(tx, &agents).await?;
        let missed = store::presence::add_missed(tx, &more).await?;
        let too_many = missed.into_iter().filter(|(_, missed)| *missed >= MOST_MISSED);
        let gone: Vec<AgentId> = too_many.map(|(agent, _)| agent).collect();
        prepared.holds(store::offers::list_asking_teams(tx, &gone).await?)?;
        let gone = store::presence::go_away(tx, &gone, now).await?;
        audit::record(tx, origin, &Event::each("agent.go_away", &gone)).await?;
        let people = store::agents::list_people(tx, &gone).await?;
        let told = people.into_iter().filter_map(|person| {
            let (_, conversation) = counts.get(&person.agent)?;
            let told = Told {
                event: self.clock.new_id().into(),
                about: NotificationType::NoReply,
                recipient: person.subject.to_string(),
                reason: format!(
                    "You did not answer {MOST_MISSED} offers in a row: you are away now, and nothing is offered to you until you \
                     say that you are there."
                ),
                conversation: *conversation,
                actor: None,
                occur_time: now,
            };
            Some(told.event())
        });
        let told: Vec<_> = told.collect();
        self.outbox.record(tx, &told).await?;
        Ok(gone)
    }
}
