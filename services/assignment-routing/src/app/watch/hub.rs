//! One reader of an organization's log for all streams of this process.
//!
//! A stream does not read the log itself: with hundreds of them, each change would be read hundreds of times. It asks the hub to look,
//! which one of those who ask at the same time does for all, and takes what is new from the hub's ring. Who opens a stream behind the
//! ring, or is too slow for it, reads the log by itself up to where the hub is, and goes on from there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use db::{Db, DbError, Tx};
use kernel::OrgId;
use kernel::page::limit;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use crate::domain::inbox_log::{Change, Place, Seen};
use crate::domain::ring::Ring;
use crate::domain::view::View;
use crate::store;

/// Changes that a hub keeps: a second of a very busy organization.
const KEPT: usize = 4_096;

/// The hubs of this process. Each lives as long as somebody holds it.
#[derive(Debug, Default)]
pub struct Hubs(Mutex<HashMap<OrgId, Weak<Hub>>>);

impl Hubs {
    /// The organization's hub.
    pub fn of(&self, db: &Db, org: &OrgId) -> Arc<Hub> {
        let mut hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hub) = hubs.get(org).and_then(Weak::upgrade) {
            return hub;
        }
        hubs.retain(|_, hub| hub.strong_count() > 0);
        let hub = Arc::new(Hub::new(db.clone(), org.clone()));
        hubs.insert(org.clone(), Arc::downgrade(&hub));
        hub
    }
}

/// A change, and where a reader is behind it.
#[derive(Debug)]
pub struct Heard {
    /// What changed.
    pub change: Change,
    /// Behind it.
    pub place: Arc<Place>,
}

/// What comes at an index of a hub's ring.
#[derive(Debug)]
pub enum Next {
    /// A change.
    Change(Arc<Heard>),
    /// Nothing more; the log was here when somebody looked last.
    End(Arc<Place>),
    /// The ring does not keep it any more.
    Gone,
}

/// The newest changes of an organization.
pub struct Hub {
    db: Db,
    org: OrgId,
    /// When the latest look began and ended. Held while one is made.
    looked: Turn<Option<Looked>>,
    heard: Mutex<Option<Newest>>,
    /// The sizes of views that are the same for all, with when they were counted.
    counts: Turn<HashMap<View, (Instant, i64)>>,
}

struct Newest {
    ring: Ring<Arc<Heard>>,
    /// Behind all of it.
    place: Arc<Place>,
}

/// When somebody looked at the log.
#[derive(Debug, Clone, Copy)]
struct Looked {
    begin: Instant,
    end: Instant,
}

/// What a look found: how far the log is, and what is new; nothing if that is more than a ring keeps.
type Found = (Seen, Option<Vec<Change>>);

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("org", &self.org).finish_non_exhaustive()
    }
}

impl Hub {
    fn new(db: Db, org: OrgId) -> Self {
        Self { db, org, looked: Turn::default(), heard: Mutex::default(), counts: Turn::default() }
    }

    /// Makes sure that somebody looked at the log since `since`; says when the latest look was over. Safe to drop: what a look found
    /// is taken over at once or not at all.
    ///
    /// # Errors
    /// [`DbError`] of the read.
    pub async fn look(&self, since: Instant) -> Result<Instant, DbError> {
        let mut looked = self.looked.lock().await;
        if let Some(latest) = looked.filter(|latest| latest.begin >= since) {
            return Ok(latest.end);
        }
        let begin = Instant::now();
        let before = self.heard().as_ref().map(|newest| Arc::clone(&newest.place));
        let found = self.db.read(&self.org, move |tx| Box::pin(look(tx, before))).await?;
        self.take_over(found);
        let end = Instant::now();
        *looked = Some(Looked { begin, end });
        Ok(end)
    }

    fn take_over(&self, (until, changes): Found) {
        let mut heard = self.heard();
        let newest = heard.get_or_insert_with(|| Newest {
            ring: Ring::new(KEPT),
            place: Arc::new(Place::behind(until.clone())),
        });
        match changes {
            None => newest.ring.skip(),
            Some(changes) => {
                for change in changes {
                    let place = Arc::new(Place::at(&newest.place.seen, &until, &change));
                    newest.ring.push(Arc::new(Heard { change, place }));
                }
            }
        }
        newest.place = Arc::new(Place::behind(until));
    }

    /// The end of the ring: the index that the next change will have, and where the log was then. Nothing before the first look.
    pub fn end(&self) -> Option<(u64, Arc<Place>)> {
        self.heard().as_ref().map(|newest| (newest.ring.end(), Arc::clone(&newest.place)))
    }

    /// What comes from an index on: the next change, or where the log is behind the last.
    pub fn next(&self, index: u64) -> Next {
        let heard = self.heard();
        match heard.as_ref().filter(|newest| newest.ring.keeps(index)) {
            None => Next::Gone,
            Some(newest) => match newest.ring.get(index) {
                Some(change) => Next::Change(change),
                None => Next::End(Arc::clone(&newest.place)),
            },
        }
    }

    /// The sizes of these views, which are the same for all, as they were at `since` or later.
    ///
    /// # Errors
    /// [`DbError`] of the read.
    pub async fn count(&self, views: &[View], since: Instant) -> Result<Vec<(View, i64)>, DbError> {
        let mut counts = self.counts.lock().await;
        let stale = |view: &View| counts.get(view).is_none_or(|(counted, _)| *counted < since);
        let missing: Vec<View> = views.iter().copied().filter(stale).collect();
        if !missing.is_empty() {
            let begin = Instant::now();
            let asked = missing.clone();
            let counted = self.db.read(&self.org, move |tx| {
                Box::pin(async move { store::counts::count_shared_views(tx, &asked).await })
            });
            for (view, count) in counted.await? {
                counts.insert(view, (begin, count));
            }
        }
        Ok(views.iter().filter_map(|view| counts.get(view).map(|(_, count)| (*view, *count))).collect())
    }

    fn heard(&self) -> MutexGuard<'_, Option<Newest>> {
        // A panic under the lock leaves a shorter ring at worst, whose readers find the rest in the log.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(tx: &mut Tx, before: Option<Arc<Place>>) -> Result<Found, DbError> {
    let log = store::inbox_log::look(tx).await?;
    let Some(before) = before.filter(|before| !before.seen.is_as_far_as(&log.seen)) else {
        return Ok((log.seen, Some(Vec::new())));
    };
    let changes = store::inbox_log::list_changes(tx, &before, &log.seen, limit(KEPT + 1)).await?;
    let kept = (changes.len() <= KEPT).then_some(changes);
    Ok((log.seen, kept))
}
