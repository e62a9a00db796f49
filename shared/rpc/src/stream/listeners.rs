//! Who in this process follows which feed, and how far they are.
//!
//! Wake-ups reach a stream by themselves. This is for the poller behind them: it asks where the feeds end that somebody
//! follows, and only those streams look that are elsewhere, so that a wake-up which did arrive is not followed by a second,
//! idle look. Where the poller cannot ask, the streams try for themselves, and end if they cannot either.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// For so long a poller's looks may fail before the streams learn that nobody looks for them.
const BLIND: Duration = Duration::from_secs(20);

/// So many are woken at once: where it is all of them, after an outage, they would hold up every other call.
const AT_ONCE: usize = 250;
/// Then the next ones.
const BETWEEN: Duration = Duration::from_millis(100);

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

    /// Wakes the listeners that are not at the ends of their feeds, behind them or, where one was removed, beyond; tells how many.
    pub async fn wake_elsewhere<'a>(&self, ends: impl IntoIterator<Item = (&'a K, i64)>) -> usize
    where
        K: 'a,
    {
        let elsewhere = {
            let listeners = self.lock();
            let at = |(watched, end)| {
                let places = listeners.get(watched).into_iter().flatten();
                places.filter(move |place| place.after.load(Ordering::Relaxed) != end).cloned()
            };
            ends.into_iter().flat_map(at).collect()
        };
        ring(elsewhere).await
    }

    /// Wakes them all; tells how many.
    async fn wake_all(&self) -> usize {
        let all = self.lock().values().flatten().cloned().collect();
        ring(all).await
    }

    fn lock(&self) -> MutexGuard<'_, ByWatched<K>> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rings for these, some at a time.
async fn ring(places: Vec<Arc<Place>>) -> usize {
    for (number, some) in places.chunks(AT_ONCE).enumerate() {
        if number > 0 {
            tokio::time::sleep(BETWEEN).await;
        }
        some.iter().for_each(|place| place.bell.notify_one());
    }
    places.len()
}

/// Whether a poller's looks fail, and since when.
#[derive(Debug, Default)]
pub struct Outage(Option<Instant>);

impl Outage {
    /// A look was done, or there was nobody to look for.
    pub fn ends(&mut self) {
        self.0 = None;
    }

    /// A look failed. If they all have for 20 s, the listeners are woken, and once more if they do for as long again: each looks for
    /// itself, and a stream that cannot read ends and says so, instead of a silence that looks as if nothing happened.
    pub async fn goes_on<K: Clone + Eq + Hash>(&mut self, listeners: &Listeners<K>) {
        let since = *self.0.get_or_insert_with(Instant::now);
        if since.elapsed() >= BLIND {
            self.0 = None;
            let woken = listeners.wake_all().await;
            tracing::warn!(woken, "streams look for themselves, as nobody can look for them");
        }
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

    /// Waits until the stream is to look. Safe to drop and call again.
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
    use futures::FutureExt;
    use tokio::time::advance;

    use super::*;

    // N12 D3
    #[tokio::test]
    async fn only_those_who_are_not_at_the_end_are_woken() {
        let listeners = Listeners::default();
        let (phone, laptop, other) = (listeners.join(&"ana"), listeners.join(&"ana"), listeners.join(&"ben"));
        phone.seen(5);
        laptop.seen(6);
        assert_eq!(listeners.wake_elsewhere([(&"ana", 6)]).await, 1);
        phone.woken().await;
        assert_eq!(listeners.wake_elsewhere([(&"eve", 6)]).await, 0);
        drop((phone, laptop));
        assert_eq!(listeners.wake_elsewhere([(&"ana", 9)]).await, 0);
        assert_eq!(listeners.watched(), ["ben"]);
        assert!(!listeners.is_empty());
        drop(other);
        assert!(listeners.is_empty() && listeners.watched().is_empty());
    }

    // N12 P12
    #[tokio::test]
    async fn who_is_beyond_the_end_of_a_feed_that_was_removed_is_woken() {
        let listeners = Listeners::default();
        let (reader, new) = (listeners.join(&"ana"), listeners.join(&"ana"));
        reader.seen(5);
        assert_eq!(listeners.wake_elsewhere([(&"ana", 0)]).await, 1);
        assert!(reader.woken().now_or_never().is_some() && new.woken().now_or_never().is_none());
    }

    // P14, fault 3
    #[tokio::test(start_paused = true)]
    async fn very_many_are_not_woken_all_at_once() {
        let listeners = Listeners::default();
        let readers: Vec<_> = (0..1_000).map(|_| listeners.join(&"ana")).collect();
        let begin = Instant::now();
        assert_eq!(listeners.wake_elsewhere([(&"ana", 1)]).await, 1_000);
        assert_eq!(begin.elapsed(), BETWEEN * 3);
        assert!(readers.iter().all(|reader| reader.woken().now_or_never().is_some()));
    }

    // P14, fault 3
    #[tokio::test(start_paused = true)]
    async fn who_is_not_looked_for_any_more_is_woken_after_twenty_seconds_and_again_after_as_long() {
        let (listeners, mut outage) = (Listeners::default(), Outage::default());
        let reader = listeners.join(&"ana");
        let mut woken = Vec::new();
        for second in 0..60 {
            outage.goes_on(&listeners).await;
            if reader.woken().now_or_never().is_some() {
                woken.push(second);
            }
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(woken, [20, 41]);
        outage.ends();
        outage.goes_on(&listeners).await;
        assert!(reader.woken().now_or_never().is_none(), "a look was done in between");
    }
}
