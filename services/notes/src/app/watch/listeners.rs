//! Who in this process follows which changes, and how far they are.
//!
//! Wake-ups reach a stream by themselves. This is for the poller behind them: it asks where the changes end which somebody
//! follows, and only those streams look that are behind, so that a wake-up which did arrive is not followed by a second,
//! idle look.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::watch::{Cursor, Watched};

type ByWatched = HashMap<Watched, Vec<Arc<Place>>>;

/// The streams of this process.
#[derive(Debug, Default, Clone)]
pub struct Listeners(Arc<Mutex<ByWatched>>);

/// How far one stream is.
#[derive(Debug, Default)]
struct Place {
    after: AtomicI64,
    bell: Notify,
}

impl Listeners {
    /// A new listener, at the beginning of the changes. It is forgotten when it is dropped.
    pub fn join(&self, watched: &Watched) -> Listener {
        let place = Arc::new(Place::default());
        self.lock().entry(watched.clone()).or_default().push(Arc::clone(&place));
        Listener { place, watched: watched.clone(), all: self.clone() }
    }

    /// What is followed.
    pub fn watched(&self) -> Vec<Watched> {
        self.lock().keys().cloned().collect()
    }

    /// Wakes the listeners that have not seen the change at `newest`; tells how many.
    pub fn wake_behind(&self, watched: &Watched, newest: i64) -> usize {
        let listeners = self.lock();
        let places = listeners.get(watched).into_iter().flatten();
        let behind = places.filter(|place| place.after.load(Ordering::Relaxed) < newest);
        behind.inspect(|place| place.bell.notify_one()).count()
    }

    fn lock(&self) -> MutexGuard<'_, ByWatched> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream's place among the listeners.
#[derive(Debug)]
pub struct Listener {
    place: Arc<Place>,
    watched: Watched,
    all: Listeners,
}

impl Listener {
    /// The stream has seen everything up to here.
    pub fn seen(&self, at: Cursor) {
        self.place.after.store(at.0, Ordering::Relaxed);
    }

    /// Waits until the poller found that the stream is behind. Safe to drop and call again.
    pub async fn woken(&self) {
        self.place.bell.notified().await;
    }
}

impl Drop for Listener {
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
    use crate::domain::watch::{Cursor, Target, Watched};
    use kernel::{Clock, OrgId};

    fn watched() -> Watched {
        let target = Target::Conversation(Clock::system().new_id().into());
        Watched { org: OrgId::parse("acme").unwrap(), target }
    }

    // N12
    #[tokio::test]
    async fn only_those_who_are_behind_are_woken() {
        let (listeners, one, other) = (Listeners::default(), watched(), watched());
        let (phone, laptop, elsewhere) = (listeners.join(&one), listeners.join(&one), listeners.join(&other));
        phone.seen(Cursor(5));
        laptop.seen(Cursor(6));
        assert_eq!(listeners.wake_behind(&one, 6), 1);
        phone.woken().await;
        assert_eq!(listeners.wake_behind(&watched(), 6), 0);
        drop((phone, laptop));
        assert_eq!(listeners.wake_behind(&one, 9), 0);
        assert_eq!(listeners.watched(), [other]);
        drop(elsewhere);
        assert!(listeners.watched().is_empty());
    }
}
