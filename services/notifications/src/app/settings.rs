//! What the organization decides.

use audit::{Event, Origin};
use db::{DbError, Retry, Tx};
use kernel::{OrgId, Timestamp};
use rpc::Call;

use super::App;
use crate::domain::settings::{Decided, SettingsChange};
use crate::error::Error;
use crate::store;

/// Other settings.
#[derive(Debug)]
pub struct UpdateSettings {
    /// What changes.
    pub change: SettingsChange,
    /// The version that was read; none: whatever it is now.
    pub expected: Option<i64>,
}

impl App {
    /// Reads the organization's settings.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn get_settings(&self, org: &OrgId) -> Result<Decided, Error> {
        let read = self.db.read(org, |tx| Box::pin(store::settings::find_decided(tx)));
        read.await.map_err(Error::Db)
    }

    /// Changes the organization's settings, from now on. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn update_settings(
        &self,
        call: &Call,
        retry: Retry,
        update: UpdateSettings,
    ) -> Result<Decided, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write =
            self.db.write_once(&call.caller.org, retry, move |tx| Box::pin(change(tx, update, now, origin)));
        let decided: Decided = write.await.map_err(|error: Error| error.of_request(request_id))?;
        // Read again: the answer to a retry may be of yesterday.
        let now = self.get_settings(&call.caller.org).await?;
        self.excerpts_decided(&call.caller.org, now.settings.email_content).await?;
        Ok(decided)
    }
}

async fn change(
    tx: &mut Tx,
    update: UpdateSettings,
    now: Timestamp,
    origin: Origin,
) -> Result<Decided, Error> {
    let before = store::settings::find_decided(tx).await?;
    if update.expected.is_some_and(|expected| expected != before.version) {
        return Err(Error::StaleVersion { current: before.version });
    }
    let settings = update.change.apply(before.settings);
    if settings == before.settings {
        return Ok(before);
    }
    if !store::settings::save_settings(tx, settings, before.version, now).await? {
        // Somebody else changed them at this moment: to be tried again.
        return Err(DbError::Busy.into());
    }
    let org = tx.org().map(ToString::to_string).unwrap_or_default();
    audit::record(tx, &origin, &[Event::new("settings.update", org)]).await?;
    Ok(Decided { settings, version: before.version + 1, update_time: Some(now) })
}
