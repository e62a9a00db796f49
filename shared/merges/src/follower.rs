//! Applying what contacts tells, and moving rows in steps.

use std::sync::Arc;
use std::time::Duration;

use audit::Origin;
use db::{BoxFuture, Db, DbError, Tx};
use kernel::{ContactId, EventId, MergeId, OrgId};
use proto::common::v1::EventOutcome;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::heard::{Heard, What, outcome};
use crate::moves::{Move, Phase};
use crate::{alias, hold_home, moved, moves, remember};

/// After a merge's rows moved: when to look for those that were being written meanwhile. Longer than a call may take, and the
/// transaction at its end.
pub const LATE: Duration = Duration::from_secs(60);

/// Between two looks for what is due, where nobody rings.
const POLL: Duration = Duration::from_millis(500);

/// Merges looked at in one round, each for one step.
const IN_A_ROUND: i64 = 20;

/// The rows of a service that name contacts.
pub trait Rows: Send + Sync + 'static {
    /// What the audit trail calls it when one changes hands, such as `conversation.move`.
    fn action(&self) -> &'static str;

    /// Rows that one transaction moves.
    fn at_once(&self) -> u16;

    /// Rows of the contact, at most `limit`; until the transaction ends, nobody else changes them.
    fn list<'t>(
        &'t self,
        tx: &'t mut Tx,
        contact: ContactId,
        limit: i64,
    ) -> BoxFuture<'t, Result<Vec<Uuid>, DbError>>;

    /// Gives those of these rows that are `from`'s to `to`; the others, and those that are no more, are left alone.
    fn give<'t>(
        &'t self,
        tx: &'t mut Tx,
        rows: &'t [Uuid],
        from: ContactId,
        to: ContactId,
    ) -> BoxFuture<'t, Result<(), DbError>>;
}

/// Lets a service's rows follow merges. Cheap to clone.
#[derive(Clone)]
pub struct Follower {
    service: &'static str,
    db: Db,
    rows: Arc<dyn Rows>,
    bell: Arc<Notify>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Follower {
    /// The rows of this service follow.
    pub fn new(service: &'static str, db: Db, rows: impl Rows) -> Self {
        Self { service, db, rows: Arc::new(rows), bell: Arc::default() }
    }

    /// Applies events, each once: one outcome for each, in order. The rows move afterwards.
    ///
    /// # Errors
    /// [`DbError`]; then none took effect.
    // Not `async fn`, like everything that many crates await: see `db::Db::open`.
    pub fn apply<'a>(
        &'a self,
        org: &'a OrgId,
        origin: Origin,
        events: Vec<Heard>,
    ) -> BoxFuture<'a, Result<Vec<EventOutcome>, DbError>> {
        let bell = Arc::clone(&self.bell);
        Box::pin(self.db.write(org, move |tx| {
            tx.after_commit(move || bell.notify_one());
            Box::pin(apply(tx, events, origin))
        }))
    }

    /// Moves rows until `stop`: as they become due, a step of each merge at a time.
    pub fn work(self, stop: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while !stop.is_cancelled() {
                match self.round().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "no look for merged contacts; tried again soon"),
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.bell.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        })
    }

    /// Takes a step of each merge that is due; tells whether any was taken.
    ///
    /// # Errors
    /// [`DbError`] of the look for them. What fails in a step is logged, and the step is due again.
    pub async fn round(&self) -> Result<bool, DbError> {
        let due = self.db.read_system(|tx| Box::pin(moves::list_due(tx, IN_A_ROUND))).await?;
        let mut done = false;
        for (org, merge) in due {
            let step = Step { merge, service: self.service, rows: Arc::clone(&self.rows) };
            match self.db.write(&org, move |tx| Box::pin(step.take(tx))).await {
                Ok(()) => done = true,
                // The others go on.
                Err(error) => {
                    tracing::warn!(%merge, %error, "a merged contact's rows not moved; tried again soon")
                }
            }
        }
        Ok(done)
    }
}

async fn apply(tx: &mut Tx, events: Vec<Heard>, origin: Origin) -> Result<Vec<EventOutcome>, DbError> {
    let ids: Vec<EventId> = events.iter().map(|heard| heard.event).collect();
    let mut new = outbox::first_time(tx, &ids).await?;
    audit::record(tx, &origin, &audit::Event::each("event.apply", &new)).await?;
    let mut outcomes = Vec::with_capacity(events.len());
    for heard in events {
        let first = new.remove(&heard.event);
        if first {
            take_effect(tx, &heard).await?;
        }
        outcomes.push(outcome(heard.event, first));
    }
    Ok(outcomes)
}

async fn take_effect(tx: &mut Tx, heard: &Heard) -> Result<(), DbError> {
    match heard.what {
        What::Merged => {
            // Nothing, where it is known that the merge was taken back: an event that was given up came again late.
            if moves::begin(tx, heard).await? {
                alias::insert(tx, heard).await?;
            }
            Ok(())
        }
        What::Unmerged => {
            moves::take_back(tx, heard).await?;
            alias::remove(tx, heard).await
        }
    }
}

/// One transaction's part of a merge.
struct Step {
    merge: MergeId,
    service: &'static str,
    rows: Arc<dyn Rows>,
}

impl Step {
    async fn take(self, tx: &mut Tx) -> Result<(), DbError> {
        let Some(it) = moves::lock(tx, self.merge).await? else { return Ok(()) };
        let now = tx.now().await?;
        // Another process may have done it meanwhile.
        if it.due_time.is_none_or(|due| due > now) {
            return Ok(());
        }
        match it.phase {
            Phase::Moving if self.follow(tx, &it).await? => {
                moves::reach(tx, self.merge, Phase::Settling, Some(now.plus(LATE))).await
            }
            Phase::Settling if self.follow(tx, &it).await? => {
                moves::reach(tx, self.merge, Phase::Moved, None).await
            }
            Phase::Returning if self.give_back(tx, &it).await? => {
                moves::reach(tx, self.merge, Phase::Returned, None).await
            }
            Phase::Moving | Phase::Settling | Phase::Returning => Ok(()),
            Phase::Moved | Phase::Returned => moves::reach(tx, self.merge, it.phase, None).await,
        }
    }

    /// Moves some rows of the contact that went to whoever stands for it; tells whether that were all.
    async fn follow(&self, tx: &mut Tx, it: &Move) -> Result<bool, DbError> {
        let home = hold_home(tx, it.from).await?;
        if home.contact_id == it.from {
            return Ok(true);
        }
        let rows = self.rows.list(tx, it.from, self.limit()).await?;
        if !rows.is_empty() {
            self.rows.give(tx, &rows, it.from, home.contact_id).await?;
            remember(tx, &home.merges, &rows).await?;
            self.record(tx, &rows).await?;
        }
        Ok(rows.len() < usize::from(self.rows.at_once()))
    }

    /// Gives some rows back to the contact that had gone, or to whoever stands for it by now; tells whether that were all.
    async fn give_back(&self, tx: &mut Tx, it: &Move) -> Result<bool, DbError> {
        let rows = moved::list(tx, self.merge, self.limit()).await?;
        if !rows.is_empty() {
            let home = hold_home(tx, it.from).await?;
            moved::forget(tx, self.merge, &rows).await?;
            remember(tx, &home.merges, &rows).await?;
            // Merged into it once more meanwhile, they stay.
            if home.contact_id != it.into {
                self.rows.give(tx, &rows, it.into, home.contact_id).await?;
                self.record(tx, &rows).await?;
            }
        }
        Ok(rows.len() < usize::from(self.rows.at_once()))
    }

    fn limit(&self) -> i64 {
        i64::from(self.rows.at_once())
    }

    async fn record(&self, tx: &mut Tx, rows: &[Uuid]) -> Result<(), DbError> {
        let origin = Origin::system(self.service, "contact mover");
        audit::record(tx, &origin, &audit::Event::each(self.rows.action(), rows)).await
    }
}
