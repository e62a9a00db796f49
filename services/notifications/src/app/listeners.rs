//! Who in this process follows which feed, and how far they are.
//!
//! Wake-ups reach a stream by themselves. This is for the poller behind them: it learns which feeds grew, and only those
//! streams look that are behind, so that a wake-up which did arrive is not followed by a second, idle look.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Owner;
use crate::domain::Sequence;

type ByOwner = HashMap<Owner, Vec<Arc<Place>>>;

/// The streams of this process.
#[derive(Debug, Default, Clone)]
pub struct Listeners(Arc<Mutex<ByOwner>>);

/// How far one stream is.
#[derive(Debug, Default)]
struct Place {
    after: AtomicI64,
    bell: Notify,
}

impl Listeners {
    /// A new listener to a feed, at its beginning. It is forgotten when it is dropped.
    pub fn join(&self, owner: &Owner) -> Listener {
        let place = Arc::new(Place::default());
        self.lock().entry(owner.clone()).or_default().push(Arc::clone(&place));
        Listener { place, owner: owner.clone(), all: self.clone() }
    }

    /// True if nobody listens.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Wakes the listeners to a feed that have not seen the entry at `newest`; tells how many.
    pub fn wake_behind(&self, owner: &Owner, newest: Sequence) -> usize {
        let listeners = self.lock();
        let places = listeners.get(owner).into_iter().flatten();
        let behind = places.filter(|place| place.after.load(Ordering::Relaxed) < newest.number());
        behind.inspect(|place| place.bell.notify_one()).count()
    }

    fn lock(&self) -> MutexGuard<'_, ByOwner> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream's place among the listeners.
#[derive(Debug)]
pub struct Listener {
    place: Arc<Place>,
    owner: Owner,
    all: Listeners,
}

impl Listener {
    /// The stream has seen everything up to here.
    pub fn seen(&self, after: Sequence) {
        self.place.after.store(after.number(), Ordering::Relaxed);
    }

    /// Waits until the poller found that the stream is behind. Safe to drop and call again.
    pub async fn woken(&self) {
        self.place.bell.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(places) = all.get_mut(&self.owner) else { return };
        places.retain(|other| !Arc::ptr_eq(other, &self.place));
        if places.is_empty() {
            all.remove(&self.owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{OrgId, Subject};

    fn owner(subject: &str) -> Owner {
        Owner { org: OrgId::parse("acme").unwrap(), subject: Subject::parse(subject).unwrap() }
    }

    #[tokio::test]
    async fn only_those_who_are_behind_are_woken() {
        let listeners = Listeners::default();
        let (phone, laptop, other) =
            (listeners.join(&owner("ana")), listeners.join(&owner("ana")), listeners.join(&owner("ben")));
        phone.seen(Sequence::new(5));
        laptop.seen(Sequence::new(6));
        assert_eq!(listeners.wake_behind(&owner("ana"), Sequence::new(6)), 1);
        phone.woken().await;
        assert_eq!(listeners.wake_behind(&owner("eve"), Sequence::new(6)), 0);
        drop((phone, laptop));
        assert_eq!(listeners.wake_behind(&owner("ana"), Sequence::new(9)), 0);
        assert!(!listeners.is_empty());
        drop(other);
        assert!(listeners.is_empty());
    }
}
