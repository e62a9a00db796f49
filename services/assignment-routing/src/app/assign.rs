//! Manual assignment (R8): compare-and-set on the etag, under the locks of automatic assignment.

use std::collections::BTreeMap;

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{AgentId, ConversationId, DecisionId, EventId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;
use rpc::Caller;

use super::history::author;
use super::status::{get_locked, rejoined, save};
use super::{App, check_version};
use crate::domain::agent::Person;
use crate::domain::batch::Given;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::decision::{Decision, Outcome};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::message::Author;
use crate::domain::workflow::Strategy;
use crate::error::Error;
use crate::events::Told;
use crate::store;

/// Who is to have a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An agent.
    Agent(AgentId),
    /// A team: the conversation joins its queue.
    Team(TeamId),
    /// Nobody: it is unassigned, and in no queue, until somebody assigns it.
    Nobody,
}

/// A manual assignment with the ids and times it is recorded under.
#[derive(Clone)]
struct Order {
    conversation: ConversationId,
    target: Target,
    /// The version that the caller read.
    expected: Option<i64>,
    by: Person,
    actor: Author,
    origin: Origin,
    decision: DecisionId,
    event: EventId,
    now: Timestamp,
}

impl App {
    /// Gives a conversation to an agent, to a team or to nobody. The assignee is told, unless they did it.
    ///
    /// # Errors
    /// [`Error::Stale`] for who comes second, [`Error::NoSuchConversation`], [`Error::NoSuchAgent`],
    /// [`Error::NoSuchTeam`], [`Error::Resolved`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn assign(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        conversation: ConversationId,
        target: Target,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let by = self.agent_of(caller).await?.person();
        let order = Order {
            conversation,
            target,
            expected,
            by,
            actor: author(caller),
            origin: origin.of_request(retry.request_id),
            decision: self.clock.new_id().into(),
            event: self.clock.new_id().into(),
            now: self.clock.now(),
        };
        let found = self
            .db
            .read(&caller.org, move |tx| Box::pin(store::conversations::find_conversation(tx, conversation)))
            .await?;
        // The teams whose queues it may leave and join. If it changes team before they are locked, its etag does too.
        let mut teams: Vec<TeamId> = found.ok_or(Error::NoSuchConversation)?.team.into_iter().collect();
        if let Target::Team(team) = target {
            teams.push(team);
        }
        let app = self.clone();
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &teams).await?;
                    db::once(tx, &retry, |tx| Box::pin(async move { app.carry_out(tx, order).await })).await
                })
            })
            .await
    }

    async fn carry_out(&self, tx: &mut Tx, order: Order) -> Result<Conversation, Error> {
        let it = get_locked(tx, order.conversation).await?;
        check_version(order.expected, it.version)?;
        if it.status == Status::Resolved {
            return Err(Error::Resolved);
        }
        match order.target {
            Target::Agent(agent) if it.assignee_id() == Some(agent) => Ok(it),
            Target::Agent(agent) => self.to_agent(tx, it, agent, &order).await,
            Target::Team(team) if store::queue::find_team(tx, it.id).await? == Some(team) => Ok(it),
            Target::Team(team) => self.to_team(tx, it, team, &order).await,
            Target::Nobody => to_nobody(tx, it, &order).await,
        }
    }

    async fn to_agent(
        &self,
        tx: &mut Tx,
        mut it: Conversation,
        agent: AgentId,
        order: &Order,
    ) -> Result<Conversation, Error> {
        let people = store::agents::list_people(tx, &[agent]).await?;
        let person = people.into_iter().next().ok_or(Error::NoSuchAgent)?;
        take(tx, &it, Some(agent), order.now).await?;
        let mut happened = order.happened(tx, &mut it, EventKind::Assigned);
        happened.agent = Some(agent);
        let given = Given {
            conversation: it.id,
            version: it.version,
            agent,
            decision: order.decision,
            time: happened.time,
        };
        store::history::insert_events(tx, &[happened]).await?;
        store::assignments::insert_assignments(tx, &[given], order.now).await?;
        let mut decision = order.decided(Outcome::Assigned);
        (decision.chosen, decision.team) = (Some(agent), it.team);
        store::decisions::insert_decisions(tx, &[decision]).await?;
        if person.subject != order.by.subject {
            let told = Told {
                event: order.event,
                about: NotificationType::Assigned,
                recipient: person.subject.to_string(),
                reason: "A conversation was assigned to you.".to_owned(),
                conversation: it.id,
                actor: Some(order.actor.clone()),
                occur_time: order.now,
            };
            self.outbox.record(tx, &[told.event()]).await?;
        }
        it.assignee = Some(person);
        order.record(tx, "conversation.assign").await?;
        save(tx, it).await
    }

    async fn to_team(
        &self,
        tx: &mut Tx,
        mut it: Conversation,
        team: TeamId,
        order: &Order,
    ) -> Result<Conversation, Error> {
        store::teams::find_team_handle(tx, team).await?.ok_or(Error::NoSuchTeam)?;
        take(tx, &it, None, order.now).await?;
        let mut happened = order.happened(tx, &mut it, EventKind::Queued);
        happened.team = Some(team);
        store::history::insert_events(tx, &[happened]).await?;
        (it.assignee, it.team) = (None, Some(team));
        let mut decision = order.decided(Outcome::Queued);
        (decision.team, decision.strategy) = (Some(team), Some(Strategy::RoundRobin));
        store::decisions::insert_decisions(tx, &[decision]).await?;
        // A snoozed one joins when it is open again.
        if it.status == Status::Open {
            let mut place = rejoined(&it, team, order.now);
            place.explained = true;
            store::queue::join(tx, &place).await?;
            self.ring(tx, team);
        }
        order.record(tx, "conversation.queue").await?;
        save(tx, it).await
    }
}

impl Order {
    fn decided(&self, outcome: Outcome) -> Decision {
        Decision::manual(self.decision, self.conversation, self.now, self.by.agent, outcome)
    }

    /// What happens to the conversation, which still has its assignee.
    fn happened(&self, tx: &Tx, it: &mut Conversation, kind: EventKind) -> HistoryEvent {
        let previous = it.assignee_id();
        let id = tx.clock().new_id().into();
        HistoryEvent { previous, ..it.happened(kind, id, self.now, Some(self.actor.clone())) }
    }

    async fn record(&self, tx: &mut Tx, action: &'static str) -> Result<(), Error> {
        Ok(audit::record(tx, &self.origin, &[Event::new(action, self.conversation)]).await?)
    }
}

async fn to_nobody(tx: &mut Tx, mut it: Conversation, order: &Order) -> Result<Conversation, Error> {
    take(tx, &it, None, order.now).await?;
    let happened = order.happened(tx, &mut it, EventKind::Unassigned);
    store::history::insert_events(tx, &[happened]).await?;
    it.assignee = None;
    store::decisions::insert_decisions(tx, &[order.decided(Outcome::Unassigned)]).await?;
    order.record(tx, "conversation.unassign").await?;
    save(tx, it).await
}

/// Takes a conversation out of its queue and from its assignee, and counts it for `to` where it is open.
async fn take(tx: &mut Tx, it: &Conversation, to: Option<AgentId>, now: Timestamp) -> Result<(), Error> {
    store::queue::leave(tx, &[it.id]).await?;
    store::assignments::end_assignment(tx, it.id, now).await?;
    if it.status != Status::Open {
        return Ok(());
    }
    let loads: BTreeMap<AgentId, i64> =
        it.assignee_id().map(|from| (from, -1)).into_iter().chain(to.map(|to| (to, 1))).collect();
    let agents: Vec<AgentId> = loads.keys().copied().collect();
    store::locks::lock_loads(tx, &agents).await?;
    Ok(store::assignments::add_loads(tx, &loads).await?)
}
