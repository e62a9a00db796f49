//! Who in this process follows which feed, and how far they are.
//!
//! Wake-ups reach a stream by themselves. This is for the poller behind them: it asks where the feeds end that somebody
//! follows, and only those streams look that are behind, so that a wake-up which did arrive is not followed by a second,
//! idle look.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

type ByWatched<K> = HashMap<K, Vec<Arc<Place>>>;

/// The streams of this process, by the feed they follow. Clones share them.
#[derive(Debug)]
pub struct Listeners<K>(Arc<Mutex<ByWatched<K>>>);

impl<K> Clone for Listeners<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Listeners<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// How far one stream is.
#[derive(Debug, Default)]
struct Place {
    after: AtomicI64,
    bell: Notify,
}

impl<K: Clone + Eq + Hash> Listeners<K> {
    /// A new listener, at the beginning of its feed. It is forgotten when it is dropped.
    pub fn join(&self, watched: &K) -> Listener<K> {
        let place = Arc::new(Place::default());
        self.lock().entry(watched.clone()).or_default().push(Arc::clone(&place));
        Listener { place, watched: watched.clone(), all: self.clone() }
    }

    /// What is followed.
    pub fn watched(&self) -> Vec<K> {
        self.lock().keys().cloned().collect()
    }

    /// True if nobody listens.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Wakes the listeners that have not seen the entry at `newest`; tells how many.
    pub fn wake_behind(&self, watched: &K, newest: i64) -> usize {
        let listeners = self.lock();
        let places = listeners.get(watched).into_iter().flatten();
        let behind = places.filter(|place| place.after.load(Ordering::Relaxed) < newest);
        behind.inspect(|place| place.bell.notify_one()).count()
    }

    fn lock(&self) -> MutexGuard<'_, ByWatched<K>> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream's place among the listeners.
#[derive(Debug)]
pub struct Listener<K: Clone + Eq + Hash> {
    place: Arc<Place>,
    watched: K,
    all: Listeners<K>,
}

impl<K: Clone + Eq + Hash> Listener<K> {
    /// The stream has seen everything up to here.
    pub fn seen(&self, at: i64) {
        self.place.after.store(at, Ordering::Relaxed);
    }

    /// Waits until the poller found that the stream is behind. Safe to drop and call again.
    pub async fn woken(&self) {
        self.place.bell.notified().await;
    }
}

impl<K: Clone + Eq + Hash> Drop for Listener<K> {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(places) = all.get_mut(&self.watched) else { return };
        places.retain(|other| !Arc::ptr_eq(other, &self.place));
        if places.is_empty() {
            all.remove(&self.watched);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Listeners;

    // N12 D3
    #[tokio::test]
    async fn only_those_who_are_behind_are_woken() {
        let listeners = Listeners::default();
        let (phone, laptop, other) = (listeners.join(&"ana"), listeners.join(&"ana"), listeners.join(&"ben"));
        phone.seen(5);
        laptop.seen(6);
        assert_eq!(listeners.wake_behind(&"ana", 6), 1);
        phone.woken().await;
        assert_eq!(listeners.wake_behind(&"eve", 6), 0);
        drop((phone, laptop));
        assert_eq!(listeners.wake_behind(&"ana", 9), 0);
        assert_eq!(listeners.watched(), ["ben"]);
        assert!(!listeners.is_empty());
        drop(other);
        assert!(listeners.is_empty() && listeners.watched().is_empty());
    }
}
