//! Callers of this process who want the same thing made: one makes it, and the others wait without holding anything of the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Place, OwnedMutexGuard};

/// Places beyond which those that nobody is at are looked for.
const ROOM: usize = 1_024;

/// Who is making what.
#[derive(Debug)]
pub(super) struct Turns<K>(Arc<Mutex<HashMap<K, Arc<Place<()>>>>>);

/// A turn; the next one begins when it is dropped.
pub(super) struct Turn<K: Eq + Hash> {
    turns: Turns<K>,
    key: K,
    waited: bool,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K> Clone for Turns<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Waits until nobody else makes this.
    pub(super) async fn take(&self, key: K) -> Turn<K> {
        let place = self.place(&key);
        let (held, waited) = match Arc::clone(&place).try_lock_owned() {
            Ok(held) => (held, false),
            Err(_) => (place.lock_owned().await, true),
        };
        Turn { turns: self.clone(), key, waited, held: Some(held) }
    }

    fn place(&self, key: &K) -> Arc<Place<()>> {
        let mut places = self.places();
        if places.len() >= ROOM {
            // Who goes away while they wait leaves a place behind.
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(key.clone()).or_default())
    }
}

impl<K> Turns<K> {
    fn places(&self) -> MutexGuard<'_, HashMap<K, Arc<Place<()>>>> {
        // Nothing under the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Turn<K> {
    /// Whether somebody else had the turn before, and may have made it.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        let mut places = self.turns.places();
        self.held.take();
        if places.get(&self.key).is_some_and(|place| Arc::strong_count(place) == 1) {
            places.remove(&self.key);
        }
    }
}
