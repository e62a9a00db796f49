//! Retention (D9): what was read goes after a while, everything else later.

use audit::{Event, Origin};
use db::Db;
use kernel::{OrgId, Timestamp};

use super::Owner;
use crate::NAME;
use crate::domain::Sequence;
use crate::domain::settings::Retention;
use crate::error::Error;
use crate::store::retention::{self, Due};
use crate::store::{heads, plans, settings};

/// Feeds looked at in one round, and entries removed from one in one transaction: short, so that nobody waits behind it.
const FEEDS: i64 = 100;
const ENTRIES: i64 = 500;

impl Due {
    /// What is due now of what is kept for so long.
    #[must_use]
    pub fn of(kept: Retention, now: Timestamp) -> Self {
        Self { read_before: kept.read.before(now), created_before: kept.all.before(now) }
    }
}

/// Removes what is due in every organization, until nothing is: as it decided, or as the service is configured. Tells how many entries
/// went.
///
/// # Errors
/// [`Error::Db`]; what went before stays gone.
pub async fn forget(db: &Db, configured: Retention, now: Timestamp) -> Result<u64, Error> {
    let mut gone = forget_undecided(db, Due::of(configured, now)).await?;
    let decided = db.read_system(|tx| Box::pin(settings::list_decided(tx))).await;
    for (org, settings) in decided.map_err(Error::Db)? {
        gone += forget_in(db, &org, Due::of(settings.retention(configured), now)).await?;
    }
    Ok(gone)
}

/// Removes what is due in organizations that did not decide themselves, until nothing is; tells how many entries went.
///
/// # Errors
/// [`Error::Db`]; what went before stays gone.
pub async fn forget_undecided(db: &Db, due: Due) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let feeds = db.read_system(move |tx| Box::pin(retention::due_feeds(tx, due, FEEDS))).await;
        let feeds = feeds.map_err(Error::Db)?;
        if feeds.is_empty() {
            return Ok(gone);
        }
        for (org, subject) in feeds {
            gone += forget_of(db, Owner { org, subject }, due).await?;
        }
    }
}

async fn forget_in(db: &Db, org: &OrgId, due: Due) -> Result<u64, Error> {
    let mut gone = 0;
    loop {
        let feeds = db.read(org, move |tx| Box::pin(retention::due_feeds_here(tx, due, FEEDS))).await;
        let feeds = feeds.map_err(Error::Db)?;
        if feeds.is_empty() {
            return Ok(gone);
        }
        for subject in feeds {
            gone += forget_of(db, Owner { org: org.clone(), subject }, due).await?;
        }
    }
}

async fn forget_of(db: &Db, Owner { org, subject }: Owner, due: Due) -> Result<u64, Error> {
    let write = db.write(&org, move |tx| {
        Box::pin(async move {
            heads::lock(tx, &subject).await?;
            let now = tx.now().await?;
            let gone = retention::remove_due(tx, &subject, due, ENTRIES).await?;
            plans::remove(tx, &subject, &gone).await?;
            if gone.is_empty() {
                return Ok(0);
            }
            let newest = gone.iter().copied().max().unwrap_or(Sequence::START);
            heads::forget_through(tx, &subject, newest).await?;
            heads::recount_unread(tx, &subject, now).await?;
            let origin = Origin::system(NAME, "retention");
            audit::record(tx, &origin, &[Event::new("feed.forget", &subject)]).await?;
            Ok::<_, Error>(gone.len() as u64)
        })
    });
    write.await
}
