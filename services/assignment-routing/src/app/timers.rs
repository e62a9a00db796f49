//! Timers that are due are fired: each once, in a transaction of its organization and kind, together with all that comes of it.
//!
//! What a kind does is in a file of its own: `timed_workflows`, `reply_limit`, `grace`. It finds the conversations locked, and reads
//! them; what waits no longer, or waits since another time, it drops. What it finds too early it sets again.

use std::collections::{BTreeMap, BTreeSet};

use audit::Origin;
use db::Tx;
use kernel::{ConversationId, OrgId, TeamId};
use uuid::Uuid;

use super::App;
use super::prepared::Prepared;
use crate::NAME;
use crate::domain::timer::{Timer, TimerKind};
use crate::error::Error;
use crate::store;

/// Timers looked at in one look at all organizations.
const DUE_AT_ONCE: i64 = 500;

/// Timers fired in one transaction.
const FIRED_AT_ONCE: usize = 50;

impl App {
    /// Fires what is due, of every organization, and says how many fired: at most so many that the next look comes soon. What fails stays
    /// due and keeps nothing else waiting.
    ///
    /// # Errors
    /// [`Error::Db`] if it cannot be read what is due; otherwise the last of what failed, when everything else is done.
    pub async fn fire_due(&self) -> Result<usize, Error> {
        let due: Vec<(OrgId, Timer)> = self
            .db
            .read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::timers::list_due(tx, now, DUE_AT_ONCE).await
                })
            })
            .await?;
        let mut grouped: BTreeMap<(OrgId, TimerKind), Vec<Timer>> = BTreeMap::new();
        for (org, timer) in due {
            grouped.entry((org, timer.kind)).or_default().push(timer);
        }
        let (mut fired, mut failure) = (0, None);
        for ((org, kind), timers) in grouped {
            for some in timers.chunks(FIRED_AT_ONCE) {
                match self.fire_each(&org, kind, some).await {
                    Ok(count) => fired += count,
                    Err(error) => failure = Some(error),
                }
            }
        }
        failure.map_or(Ok(fired), Err)
    }

    /// Fires timers together, or, where that fails, one by one, so that one of them keeps no other waiting.
    async fn fire_each(&self, org: &OrgId, kind: TimerKind, timers: &[Timer]) -> Result<usize, Error> {
        let failure = match self.fire(org, kind, timers.to_vec()).await {
            Ok(fired) => return Ok(fired),
            Err(error) => error,
        };
        let (mut fired, mut last) = (0, failure);
        if timers.len() > 1 {
            for timer in timers {
                match self.fire(org, kind, vec![timer.clone()]).await {
                    Ok(count) => fired += count,
                    Err(error) => last = error,
                }
            }
        }
        if fired == timers.len() { Ok(fired) } else { Err(last) }
    }

    async fn fire(&self, org: &OrgId, kind: TimerKind, timers: Vec<Timer>) -> Result<usize, Error> {
        let known = known_teams(kind, &timers);
        self.prepared(org, |mut prepared| {
            prepared.hold(known.iter().copied());
            let (app, timers) = (self.clone(), timers.clone());
            self.db.write(org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &prepared.teams()).await?;
                    let due = claim(tx, kind, timers).await?;
                    if !due.is_empty() {
                        app.fire_claimed(tx, kind, &due, &prepared).await?;
                    }
                    Ok(due.len())
                })
            })
        })
        .await
    }

    /// What comes of timers of one kind that this transaction has claimed. The locks of `prepared` are held, and those of the
    /// conversations. A kind that needs the lock of another team says so with [`Prepared::holds`]: then nothing has happened, and it
    /// is fired anew.
    async fn fire_claimed(
        &self,
        tx: &mut Tx,
        kind: TimerKind,
        due: &[Timer],
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let origin = Origin::system(NAME, "timers");
        match kind {
            TimerKind::Workflow => self.fire_workflows(tx, due, prepared).await,
            TimerKind::ReplyLimit => self.fire_reply_limits(tx, due, &origin, prepared).await,
            TimerKind::Grace => self.fire_graces(tx, due, &origin, prepared).await,
            TimerKind::Absence => self.fire_absences(tx, due, &origin, prepared).await,
            TimerKind::Offer => self.fire_offers(tx, due, &origin, prepared).await,
            TimerKind::Sla => self.fire_slas(tx, due, &origin, prepared).await,
        }
    }
}

/// The teams whose locks a kind needs in any case: those its timers name as their rule.
fn known_teams(kind: TimerKind, timers: &[Timer]) -> Vec<TeamId> {
    match kind {
        TimerKind::ReplyLimit | TimerKind::Offer => {
            timers.iter().filter_map(|timer| TeamId::parse(&timer.rule).ok()).collect()
        }
        TimerKind::Workflow | TimerKind::Grace | TimerKind::Absence | TimerKind::Sla => Vec::new(),
    }
}

/// Takes those of these timers that still are due and whose conversations nobody else holds at this moment, and locks these.
async fn claim(tx: &mut Tx, kind: TimerKind, mut timers: Vec<Timer>) -> Result<Vec<Timer>, Error> {
    if kind == TimerKind::Grace {
        return Ok(store::timers::claim(tx, &timers).await?);
    }
    let subjects: BTreeSet<Uuid> = timers.iter().map(|timer| timer.subject).collect();
    let subjects: Vec<Uuid> = subjects.into_iter().collect();
    let free = store::timers::lock_subjects(tx, &subjects).await?;
    if free.len() < subjects.len() {
        let busy: Vec<ConversationId> =
            subjects.iter().filter(|id| !free.contains(id)).map(|id| ConversationId::from(*id)).collect();
        let there = store::conversations::list_existing(tx, &busy).await?;
        let gone: Vec<Uuid> = busy.iter().filter(|id| !there.contains(id)).map(|id| id.as_uuid()).collect();
        store::timers::forget(tx, &gone).await?;
        timers.retain(|timer| free.contains(&timer.subject));
    }
    Ok(store::timers::claim(tx, &timers).await?)
}
