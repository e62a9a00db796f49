//! Retention: what was read goes after a while, everything else later.

use audit::{Event, Origin};

use super::{App, Owner};
use crate::NAME;
use crate::domain::Sequence;
use crate::error::Error;
use crate::store::heads;
use crate::store::retention::{self, Due};

/// Feeds looked at in one round, and entries removed from one in one transaction: short, so that nobody waits behind it.
const FEEDS: i64 = 100;
const ENTRIES: i64 = 500;

impl App {
    /// Removes what is due, until nothing is; tells how many entries went.
    ///
    /// # Errors
    /// [`Error::Db`]; what went before stays gone.
    pub async fn forget(&self, due: Due) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let feeds = self.db.read_system(move |tx| Box::pin(retention::due_feeds(tx, due, FEEDS))).await;
            let feeds = feeds.map_err(Error::Db)?;
            if feeds.is_empty() {
                return Ok(gone);
            }
            for (org, subject) in feeds {
                gone += self.forget_of(Owner { org, subject }, due).await?;
            }
        }
    }

    async fn forget_of(&self, Owner { org, subject }: Owner, due: Due) -> Result<u64, Error> {
        let write = self.db.write(&org, move |tx| {
            Box::pin(async move {
                heads::lock(tx, &subject).await?;
                let gone = retention::remove_due(tx, &subject, due, ENTRIES).await?;
                let newest = gone.iter().copied().max().unwrap_or(Sequence::START);
                heads::forget_through(tx, &subject, newest).await?;
                heads::recount_unread(tx, &subject).await?;
                if !gone.is_empty() {
                    let origin = Origin::system(NAME, "retention");
                    audit::record(tx, &origin, &[Event::new("feed.forget", &subject)]).await?;
                }
                Ok::<_, Error>(gone.len() as u64)
            })
        });
        write.await
    }
}
