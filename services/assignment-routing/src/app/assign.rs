//! Giving conversations to somebody by hand (R8, R14, R20): compare-and-set on the etags, under the locks of automatic assignment.

use audit::Origin;
use db::{Retry, Tx};
use kernel::{ConversationId, Role, TeamId};
use rpc::Caller;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::App;
use super::effects::{Effects, Item};
use super::handover::{Handover, Known, Order};
use super::history::author;
use crate::domain::conversation::Conversation;
use crate::domain::handoff::Giving;
use crate::domain::target::Target;
use crate::error::Error;
use crate::store;

impl App {
    /// Gives a conversation to an agent, to a team or to nobody. The assignee is told, unless they did it.
    ///
    /// # Errors
    /// [`Error::Stale`] for who comes second, [`Error::NoSuchConversation`], [`Error::NoSuchAgent`],
    /// [`Error::NoSuchTeam`], [`Error::Resolved`], [`Error::Handoff`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn assign(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        item: Item,
        handover: Handover,
    ) -> Result<Conversation, Error> {
        let alone = |mut all: Vec<Conversation>| all.pop().ok_or(Error::NoSuchConversation);
        self.hand_over(caller, origin, retry, vec![item], handover, alone).await.map_err(Error::alone)
    }

    /// Gives conversations away, all or none of them, and remembers for retries what `answer` makes of them.
    ///
    /// # Errors
    /// [`Error::Refused`] with the error of each that cannot be given, and as [`App::assign`].
    pub(super) async fn hand_over<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        items: Vec<Item>,
        handover: Handover,
        answer: fn(Vec<Conversation>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let by = self.agent_of(caller).await?.person();
        let origin = origin.of_request(retry.request_id);
        let order = Order { handover, by, actor: author(caller) };
        let mut teams = self.teams_of(caller, &items).await?;
        if let Target::Team(team) = order.handover.target {
            teams.push(team);
        }
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &teams).await?;
                    db::once(tx, &retry, move |tx| {
                        Box::pin(async move { answer(app.carry_out(tx, items, order, &origin).await?) })
                    })
                    .await
                })
            })
            .await
    }

    /// The teams whose queues conversations may leave. If one changes team before they are locked, its etag does too.
    pub(super) async fn teams_of(&self, caller: &Caller, items: &[Item]) -> Result<Vec<TeamId>, Error> {
        let ids: Vec<ConversationId> = items.iter().map(|item| item.id).collect();
        let teams = self
            .db
            .read(&caller.org, move |tx| Box::pin(async move { store::bulk::list_teams(tx, &ids).await }));
        Ok(teams.await?)
    }

    async fn carry_out(
        &self,
        tx: &mut Tx,
        items: Vec<Item>,
        order: Order,
        origin: &Origin,
    ) -> Result<Vec<Conversation>, Error> {
        let ids: Vec<ConversationId> = items.iter().map(|item| item.id).collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let mut known = look_up(tx, &order, &ids).await?;
        let mut effects = Effects::of(&self.clock, Some(order.actor.clone()));
        effects.plan(&items, found, |effects, it, item| {
            item.check(&it)?;
            order.plan(effects, &mut known, it)
        })?;
        effects.write(self, tx, origin).await
    }
}

/// One statement or two for each kind of receiver, however many conversations there are.
async fn look_up(tx: &mut Tx, order: &Order, ids: &[ConversationId]) -> Result<Known, Error> {
    let escalating = order.handover.giving == Giving::Escalating;
    let mut known = Known::default();
    match order.handover.target {
        Target::Nobody => return Ok(known),
        Target::Agent(agent) => {
            let found = store::agents::find_agent(tx, agent).await?.ok_or(Error::NoSuchAgent)?;
            if escalating && !matches!(found.profile.role, Role::Supervisor | Role::Admin) {
                let reason = "must be a supervisor or an admin".to_owned();
                return Err(Error::Invalid { field: "supervisor_id", reason });
            }
            known.room = store::loads::find_room(tx, agent, ids).await?;
            known.person = Some(found.person());
        }
        Target::Team(team) => {
            known.handle = store::teams::find_team_handle(tx, team).await?.ok_or(Error::NoSuchTeam)?;
            known.queues = store::bulk::list_queues(tx, ids).await?.into_iter().collect();
            if escalating {
                known.supervisors = store::teams::list_supervisors(tx, team).await?;
            }
        }
    }
    known.rules = store::settings::find_decided(tx).await?.settings.handoffs;
    if known.rules.reassign && !escalating {
        known.left = store::history::list_left(tx, ids).await?.into_iter().collect();
    }
    Ok(known)
}
