//! Compiled workflows, kept until the organization's set changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use db::Tx;
use kernel::OrgId;

use crate::domain::workflow::Ruleset;
use crate::error::Error;
use crate::store;

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
        let Some(org) = tx.org().cloned() else { return Ok(Ruleset::default()) };
        if let Some((_, ruleset)) = self.kept().get(&org).filter(|(kept, _)| *kept == revision) {
            return Ok(ruleset.clone());
        }
        let ruleset = Ruleset::compile(store::workflows::list_all(tx).await?);
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
