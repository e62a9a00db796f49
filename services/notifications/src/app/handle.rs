//! Archive and snooze.

use kernel::{NotificationId, Subject, Timestamp};

use super::read_state::HandledWake;
use super::{App, Owner};
use crate::domain::notification::Handling;
use crate::domain::{Notification, SnoozeUntil};
use crate::error::Error;
use crate::store::{entries, handling, heads};

impl App {
    /// Takes an entry out of the person's list.
    ///
    /// # Errors
    /// [`Error::NoSuchNotification`], [`Error::Db`].
    pub async fn archive(&self, owner: Owner, id: NotificationId) -> Result<Notification, Error> {
        self.handle(owner, id, |handling, now| Ok(handling.archived(now))).await
    }

    /// Hides an entry until a time, after which it is unread.
    ///
    /// # Errors
    /// [`Error::NoSuchNotification`], [`Error::BadSnooze`], [`Error::Db`].
    pub async fn snooze(
        &self,
        owner: Owner,
        id: NotificationId,
        until: Timestamp,
    ) -> Result<Notification, Error> {
        let snooze = move |handling: Handling, now| {
            SnoozeUntil::of(until, now).map(|until| handling.snoozed(until)).map_err(Error::BadSnooze)
        };
        self.handle(owner, id, snooze).await
    }

    async fn handle<F>(&self, owner: Owner, id: NotificationId, decide: F) -> Result<Notification, Error>
    where
        F: FnOnce(Handling, Timestamp) -> Result<Handling, Error> + Send + 'static,
    {
        let handled = self.handled(&owner);
        let Owner { org, subject } = owner;
        let write = self
            .db
            .write(&org, move |tx| Box::pin(async move { handle(tx, &subject, id, decide, handled).await }));
        write.await
    }
}

async fn handle<F>(
    tx: &mut db::Tx,
    subject: &Subject,
    id: NotificationId,
    decide: F,
    handled: HandledWake,
) -> Result<Notification, Error>
where
    F: FnOnce(Handling, Timestamp) -> Result<Handling, Error> + Send,
{
    let head = heads::lock(tx, subject).await?;
    let found = entries::find(tx, subject, id).await?.ok_or(Error::NoSuchNotification)?;
    let now = tx.now().await?;
    let handling = decide(found.handling, now)?;
    if handling != found.handling {
        handling::put(tx, subject, found.sequence, &handling, head.handlings + 1).await?;
        let change = handling.unread() - found.handling.unread();
        heads::change_unread(tx, subject, change, now).await?;
        handled.tell(tx);
    }
    Ok(Notification { handling, ..found })
}
