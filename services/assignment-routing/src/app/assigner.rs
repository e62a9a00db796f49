//! Automatic assignment (R9, R10, R11): one batch of a team's queue under the team's lock, decided purely, written with
//! few statements, all or nothing.
//!
//! The lock makes turns exact; the version of each conversation and the schema's unique open assignment are what holds
//! if the lock were ever lost.

use std::collections::HashMap;

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, OrgId, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use crate::NAME;
use crate::domain::batch::{Batch, anybody, decide, fitting};
use crate::domain::choose::{AgentSnapshot, Rotation};
use crate::domain::history::{EventKind, HistoryEvent};
use crate::error::Error;
use crate::events::Told;
use crate::store;
use crate::store::queue::Part;

/// What a look at a queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Conversations that got an agent.
    pub assigned: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

impl App {
    /// Serves a team's queue once: at most a batch.
    ///
    /// # Errors
    /// [`Error::Raced`] and [`Error::Db`], after which nothing happened and it may be tried again.
    pub async fn serve_queue(&self, org: &OrgId, team: TeamId) -> Result<Served, Error> {
        let app = self.clone();
        self.db.write(org, move |tx| Box::pin(async move { app.serve(tx, team).await })).await
    }

    async fn serve(&self, tx: &mut Tx, team: TeamId) -> Result<Served, Error> {
        store::locks::lock_teams(tx, &[team]).await?;
        let most = self.settings.assign_batch.max(1);
        let mut queue = store::queue::list_next(tx, team, Part::All, i64::from(most)).await?;
        if queue.is_empty() {
            return Ok(Served { assigned: 0, more: false });
        }
        let agents = store::agents::snapshot(tx, team).await?;
        let now = tx.now().await?;
        if !anybody(&agents, now) {
            queue = store::queue::list_next(tx, team, Part::Unexplained, i64::from(most)).await?;
        }
        let fitting = fitting(usize::try_from(most).unwrap_or(usize::MAX), agents.len());
        let full = queue.len() >= fitting;
        queue.truncate(fitting);
        let rotation = Rotation { last: store::queue::find_rotation(tx, team).await? };
        let batch = decide(team, queue, agents.clone(), rotation, now, || self.clock.new_id().into());
        self.write(tx, team, &batch, &agents, now).await?;
        Ok(Served { assigned: batch.given.len(), more: full })
    }

    async fn write(
        &self,
        tx: &mut Tx,
        team: TeamId,
        batch: &Batch,
        agents: &[AgentSnapshot],
        now: Timestamp,
    ) -> Result<(), Error> {
        store::decisions::insert_decisions(tx, &batch.decisions).await?;
        if !batch.waiting.is_empty() {
            store::queue::set_explained(tx, &batch.waiting).await?;
        }
        let Some(last) = batch.rotation.last.filter(|_| !batch.given.is_empty()) else { return Ok(()) };
        let assigned = store::conversations::assign_waiting(tx, &batch.given).await?;
        if usize::try_from(assigned) != Ok(batch.given.len()) {
            return Err(Error::Raced);
        }
        store::assignments::insert_assignments(tx, &batch.given, now).await?;
        let happened = batch.given.iter().map(|given| HistoryEvent {
            agent: Some(given.agent),
            team: Some(team),
            ..HistoryEvent::new(
                self.clock.new_id().into(),
                given.conversation,
                given.time,
                EventKind::Assigned,
            )
        });
        let happened: Vec<_> = happened.collect();
        store::history::insert_events(tx, &happened).await?;
        store::assignments::add_loads(tx, &batch.loads).await?;
        let conversations: Vec<_> = batch.given.iter().map(|given| given.conversation).collect();
        store::queue::leave(tx, &conversations).await?;
        let origin = Origin::system(NAME, "assigner");
        audit::record(tx, &origin, &Event::each("conversation.assign", &conversations)).await?;
        store::queue::save_rotation(tx, team, last).await?;
        let handle = store::teams::find_team_handle(tx, team).await?.unwrap_or_default();
        let subjects: HashMap<AgentId, &str> =
            agents.iter().map(|agent| (agent.agent, agent.subject.as_str())).collect();
        let told = batch.given.iter().filter_map(|given| {
            let told = Told {
                event: self.clock.new_id().into(),
                about: NotificationType::Assigned,
                recipient: (*subjects.get(&given.agent)?).to_owned(),
                reason: format!("It was your turn in team @{handle}: a conversation was assigned to you."),
                conversation: given.conversation,
                actor: None,
                occur_time: now,
            };
            Some(told.event())
        });
        let told: Vec<_> = told.collect();
        Ok(self.outbox.record(tx, &told).await?)
    }

    /// Queues that need a look, of every organization: what lost wake-ups left behind.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn due_queues(&self) -> Result<Vec<(OrgId, TeamId)>, Error> {
        self.db
            .read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    Ok(store::queue::list_due(tx, now).await?)
                })
            })
            .await
    }
}
