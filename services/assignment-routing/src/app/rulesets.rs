//! Compiled workflows, kept until the organization's set changes, or the hours and clocks that its conditions ask for, or the
//! limits of its teams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use db::Tx;
use kernel::OrgId;

use crate::domain::facts::Calendar;
use crate::domain::hours::Hours;
use crate::domain::ruleset::Ruleset;
use crate::domain::sla::policies::Policies;
use crate::domain::workflow::Workflow;
use crate::error::Error;
use crate::store;
use crate::store::workflows::Stored;

/// Organizations whose sets are kept; beyond that all are compiled anew, as they are asked for.
const ROOM: usize = 1_000;

/// A set, and the revision it was compiled from.
type Kept = HashMap<OrgId, (i64, Ruleset)>;

/// The compiled sets of this process. Clones share them.
#[derive(Clone, Default)]
pub struct Rulesets(Arc<Mutex<Kept>>);

impl Rulesets {
    /// The set as it is in this transaction: one statement, unless it changed since it was last asked for.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn current(&self, tx: &mut Tx) -> Result<Ruleset, Error> {
        let revision = store::workflows::find_revision(tx).await?;
        self.of_revision(tx, revision).await
    }

    /// The set of a revision that was just read: no statement, unless it changed since it was last asked for.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn of_revision(&self, tx: &mut Tx, revision: i64) -> Result<Ruleset, Error> {
        if revision == 0 {
            return Ok(Ruleset::default());
        }
        let Some(org) = tx.org().cloned() else { return Ok(Ruleset::default()) };
        if let Some((_, ruleset)) = self.kept().get(&org).filter(|(kept, _)| *kept == revision) {
            return Ok(ruleset.clone());
        }
        let workflows = known(store::workflows::list_all(tx).await?);
        let reply_limits = store::teams::list_reply_limits(tx).await?;
        let calendar = calendar(tx).await?;
        let hours = calendar.teams.iter().map(|(team, (_, hours))| (*team, hours.clone())).collect();
        let policies = Policies::compile(store::sla_policies::list_all(tx).await?, hours);
        let ruleset = Ruleset::compile(workflows, calendar, reply_limits).with_policies(policies);
        // On PostgreSQL the set may have changed between the two statements: kept is only what surely belongs together.
        if store::workflows::find_revision(tx).await? == revision {
            let mut kept = self.kept();
            if kept.len() >= ROOM {
                kept.clear();
            }
            kept.insert(org, (revision, ruleset.clone()));
        }
        Ok(ruleset)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // A panic under the lock leaves the map whole: each change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The workflows that this program knows. Those of a newer one run where that is at work.
fn known(all: Vec<Stored>) -> Vec<Workflow> {
    let count = all.len();
    let known = |stored| match stored {
        Stored::Known(workflow) => Some(*workflow),
        Stored::Newer(_) => None,
    };
    let known: Vec<Workflow> = all.into_iter().filter_map(known).collect();
    if known.len() < count {
        tracing::warn!(left_out = count - known.len(), "workflows of a newer program are left out");
    }
    known
}

/// Whose clocks conditions read, and when teams work.
pub(super) async fn calendar(tx: &mut Tx) -> Result<Calendar, Error> {
    let zone = store::hours::find_time_zone(tx).await?;
    let teams = store::hours::list_all(tx).await?;
    let teams = teams.into_iter().map(|(team, handle, week)| (team, (handle, Hours::of(week)))).collect();
    Ok(Calendar { clock: zone.clock(), teams })
}
