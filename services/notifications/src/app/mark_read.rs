//! Some or all entries are read.

use kernel::NotificationId;

use super::{App, Owner};
use crate::domain::Sequence;
use crate::error::Error;
use crate::store::{handling, heads};

impl App {
    /// Marks a person's entries as read, and counts what is still unread. Those that are read already, or gone, or
    /// another's, change nothing.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn mark_read(&self, owner: Owner, ids: Vec<NotificationId>) -> Result<i64, Error> {
        let handled = self.handled(&owner);
        let Owner { org, subject } = owner;
        let write = self.db.write(&org, move |tx| {
            Box::pin(async move {
                let head = heads::lock(tx, &subject).await?;
                let now = tx.now().await?;
                let read = handling::mark_read(tx, &subject, &ids, head.handlings + 1, now).await?;
                if read.any {
                    heads::change_unread(tx, &subject, -read.counted, now).await?;
                    handled.tell(tx);
                }
                Ok::<_, Error>(heads::count(tx, &subject, now).await?.unread)
            })
        });
        write.await
    }

    /// Marks a person's entries up to a place as read, and counts what is still unread. Entries that are snoozed for
    /// now stay as they are.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn mark_all_read(&self, owner: Owner, through: Sequence) -> Result<i64, Error> {
        let handled = self.handled(&owner);
        let Owner { org, subject } = owner;
        let write = self.db.write(&org, move |tx| {
            Box::pin(async move {
                let head = heads::lock(tx, &subject).await?;
                let now = tx.now().await?;
                let handling = head.handlings + 1;
                if handling::mark_read_through(tx, &subject, through, handling, now).await? > 0 {
                    heads::recount_unread(tx, &subject, now).await?;
                    handled.tell(tx);
                }
                Ok::<_, Error>(heads::count(tx, &subject, now).await?.unread)
            })
        });
        write.await
    }
}
