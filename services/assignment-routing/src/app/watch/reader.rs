//! How a stream reads on: from its hub's ring, or from the log where the ring does not reach back.

use std::sync::Arc;

use db::Db;
use kernel::OrgId;
use kernel::page::limit as rows;
use tokio::time::Instant;

use super::hub::{Hub, Next};
use crate::domain::inbox_log::{Change, Changed, Place, Seen};
use crate::domain::interest::Concern;
use crate::error::Error;
use crate::store;
use crate::store::inbox_log::Log;

/// Changes read from the log at once.
const AT_ONCE: usize = 128;

/// Where a stream is.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    /// In the log: what resume tokens hold.
    pub(super) place: Arc<Place>,
    /// Which comes next in the ring; `None`: read on from the log.
    pub(super) ring: Option<u64>,
}

impl Cursor {
    /// At a place in the log.
    pub(super) fn at(place: Place) -> Self {
        Self { place: Arc::new(place), ring: None }
    }
}

/// A change that concerns the reader, and where they are behind it.
#[derive(Debug)]
pub(super) struct Concerned {
    pub(super) cursor: Cursor,
    pub(super) concern: Concern,
}

/// Why a reader cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// What may come next is forgotten. The log as it is.
    Lost(Log),
    /// Something failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads an organization's log for one stream.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) db: Db,
    pub(super) org: OrgId,
    pub(super) hub: Arc<Hub>,
}

impl Reader {
    /// The end of the log, as of now.
    pub(super) async fn end(&self) -> Result<Cursor, Error> {
        self.hub.look(Instant::now()).await?;
        let (index, place) = self.hub.end().ok_or(Error::Raced)?;
        Ok(Cursor { place, ring: Some(index) })
    }

    /// At least `limit` changes behind a place that concern somebody, or all there are, and where that leads.
    pub(super) async fn read(
        &self,
        after: &Cursor,
        limit: usize,
        concern: &(dyn Fn(&Changed) -> Concern + Sync),
    ) -> Result<(Vec<Concerned>, Cursor), Stop> {
        let (mut at, mut found) = (after.clone(), Vec::new());
        loop {
            if let Some(index) = at.ring
                && self.read_ring(&mut at, index, limit, concern, &mut found)
            {
                return Ok((found, at));
            }
            at = self.read_log(&at.place, concern, &mut found).await?;
            if found.len() >= limit {
                return Ok((found, at));
            }
        }
    }

    /// Reads from the ring, to its end or as much as is wanted; false: the ring does not reach back so far.
    fn read_ring(
        &self,
        at: &mut Cursor,
        mut index: u64,
        limit: usize,
        concern: &(dyn Fn(&Changed) -> Concern + Sync),
        found: &mut Vec<Concerned>,
    ) -> bool {
        loop {
            match self.hub.next(index) {
                Next::Gone => return false,
                Next::End(place) => {
                    *at = Cursor { place, ring: Some(index) };
                    return true;
                }
                Next::Change(heard) => {
                    index += 1;
                    *at = Cursor { place: Arc::clone(&heard.place), ring: Some(index) };
                    note(found, at, concern(&heard.change.what));
                    if found.len() >= limit {
                        return true;
                    }
                }
            }
        }
    }

    /// Reads some of the log behind a place: to the end of what the place is within, or else to where the ring goes on.
    async fn read_log(
        &self,
        place: &Arc<Place>,
        concern: &(dyn Fn(&Changed) -> Concern + Sync),
        found: &mut Vec<Concerned>,
    ) -> Result<Cursor, Stop> {
        let (until, ring) = match &place.within {
            Some(within) => (within.until.clone(), None),
            None => {
                let (index, end) = self.hub.end().ok_or(Error::Raced)?;
                (end.seen.clone(), Some(index))
            }
        };
        let changes = self.list(Arc::clone(place), until.clone()).await?;
        let behind = |change: &Change| Cursor::at(Place::at(&place.seen, &until, change));
        for change in &changes {
            note(found, &behind(change), concern(&change.what));
        }
        Ok(match changes.last().filter(|_| changes.len() >= AT_ONCE) {
            Some(last) => behind(last),
            None => Cursor { place: Arc::new(Place::behind(until)), ring },
        })
    }

    async fn list(&self, place: Arc<Place>, until: Seen) -> Result<Vec<Change>, Stop> {
        let read = self.db.read(&self.org, move |tx| {
            Box::pin(async move {
                let log = store::inbox_log::look(tx).await?;
                if place.is_lost(&log.seen, log.forgotten_before) {
                    return Ok::<_, Error>(Err(log));
                }
                Ok(Ok(store::inbox_log::list_changes(tx, &place, &until, rows(AT_ONCE)).await?))
            })
        });
        read.await?.map_err(Stop::Lost)
    }
}

fn note(found: &mut Vec<Concerned>, behind: &Cursor, concern: Concern) {
    if concern != Concern::None {
        found.push(Concerned { cursor: behind.clone(), concern });
    }
}
