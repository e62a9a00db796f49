//! What the organization decides.

use audit::{Event, Origin};
use db::{DbError, Retry, Tx};
use kernel::Timestamp;
use rpc::Call;
use runtime::AuditTrail;

use super::App;
use crate::NAME;
use crate::domain::{Decided, SettingsChange};
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
    /// [`Error::Database`].
    pub async fn get_settings(&self, call: &Call) -> Result<Decided, Error> {
        let read = self.db.read(&call.caller.org, |tx| Box::pin(store::settings::find_decided(tx)));
        Ok(read.await?)
    }

    /// Changes the organization's settings, from now on. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::Reused`], [`Error::Database`].
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
        write.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// What was done in this service, for admins.
    pub fn audit_trail(&self) -> AuditTrail {
        AuditTrail::new(NAME, self.db.clone(), self.seal.clone())
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
    if !store::settings::save_settings(tx, &settings, before.version, now).await? {
        // Somebody else changed them at this moment: to be tried again.
        return Err(DbError::Busy.into());
    }
    let org = tx.org().map(ToString::to_string).unwrap_or_default();
    audit::record(tx, &origin, &[Event::new("settings.update", org)]).await?;
    Ok(Decided { settings, version: before.version + 1, update_time: Some(now) })
}
