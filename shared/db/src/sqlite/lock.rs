//! One process at a time on a SQLite file.
//!
//! SQLite itself would let two in. But queues, timers and live streams are told of a commit inside their process, and
//! the second one would wake nobody. The lock is the system's own on a file beside the database: it ends with the
//! process, however that ends, and the file may stay.

use crate::DbError;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What this process holds, and how many of its databases are open on it: the lock is the process's.
static HELD: Mutex<BTreeMap<PathBuf, (File, usize)>> = Mutex::new(BTreeMap::new());

/// A share in this process's lock; given back when dropped.
pub(super) struct Lock(PathBuf);

impl Lock {
    /// Takes the lock of a database file, in a folder that is there.
    ///
    /// # Errors
    /// [`DbError::Unusable`] when another process has it, or the file cannot be made.
    pub(super) fn take(database: &Path) -> Result<Self, DbError> {
        let path = database.with_extension("lock");
        let failed = |error: std::io::Error| DbError::Unusable(format!("{}: {error}", path.display()));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // However the folder was named: one file, one entry.
        let place = path.canonicalize().map_err(failed)?;
        let mut held = held();
        if let Some((_, shares)) = held.get_mut(&place) {
            *shares += 1;
            return Ok(Self(place));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DbError::Unusable(format!(
                    "{} is in use by another process, and only one may serve from it; stop that one, or choose another \
                     folder with --data",
                    database.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        held.insert(place.clone(), (file, 1));
        Ok(Self(place))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = held();
        let last = held.get_mut(&self.0).is_some_and(|(_, shares)| {
            *shares -= 1;
            *shares == 0
        });
        if last && let Some((file, _)) = held.remove(&self.0) {
            // Not left to closing: a child that is just being started still has a copy of the descriptor.
            let _ = file.unlock();
        }
    }
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, (File, usize)>> {
    // A panic under the lock leaves the map whole: each change is one call.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
