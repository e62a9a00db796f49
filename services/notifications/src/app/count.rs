//! How much of a feed is unread.

use super::{App, Owner};
use crate::error::Error;
use crate::store::heads::{self, Count};

impl App {
    /// Counts a person's unread entries, and tells where the feed ends, both of one moment.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn unread_count(&self, Owner { org, subject }: Owner) -> Result<Count, Error> {
        let read = self.db.read(&org, move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                heads::count(tx, &subject, now).await.map_err(Error::from)
            })
        });
        read.await
    }
}
