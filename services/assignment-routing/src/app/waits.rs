//! What begins to wait when conversations change. It is looked at later: timers for it are set in the transaction of the change, all of
//! them by one statement.

use db::Tx;

use super::App;
use crate::domain::conversation::Conversation;
use crate::domain::ruleset::Ruleset;
use crate::domain::timer::Timer;
use crate::error::Error;
use crate::store;

/// A conversation as it was before a transaction changed it, and as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    /// Before; `None`: it has just begun.
    pub(super) was: Option<&'a Conversation>,
    /// Now, as it is written.
    pub(super) is: &'a Conversation,
}

impl App {
    /// Sets the timers of all that begins to wait with these changes, whose conversations are locked: once a transaction, when all of it
    /// is written. Without anything that an organization wants to have looked at, and without a customer who begins to wait for an agent,
    /// no statement. Spans count from the database's time, whatever the clock of this process shows.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn begin_waits(
        &self,
        tx: &mut Tx,
        ruleset: &Ruleset,
        changes: &[Change<'_>],
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut timers: Vec<Timer> =
            changes.iter().flat_map(|it| ruleset.timers(it.was, it.is, now)).collect();
        timers.extend(self.absences(tx, changes, now).await?);
        if timers.is_empty() {
            return Ok(());
        }
        let shown = tx.now().await?;
        let timers: Vec<Timer> = timers.into_iter().map(|timer| timer.shown_by(now, shown)).collect();
        Ok(store::timers::set(tx, &timers).await?)
    }
}
