//! What the organization decides (P11).

use audit::{Event, Origin};
use db::{DbError, Retry, Tx};
use kernel::{OrgId, Timestamp};

use super::App;
use crate::Error;
use crate::domain::{Decided, SettingsChange};
use crate::store::settings;

/// Other settings.
#[derive(Debug, Clone)]
pub struct UpdateSettings {
    /// What changes.
    pub change: SettingsChange,
    /// The version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
    /// The request, for its retries.
    pub retry: Retry,
}

impl App {
    /// Reads the organization's settings.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn get_settings(&self, org: &OrgId) -> Result<Decided, Error> {
        let found = self.db.read(org, |tx| Box::pin(settings::find(tx)));
        found.await.map_err(Error::Database)
    }

    /// Changes the organization's settings, from now on. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::RequestIdReused`].
    pub async fn update_settings(
        &self,
        org: &OrgId,
        origin: Origin,
        update: UpdateSettings,
    ) -> Result<Decided, Error> {
        let (retry, now) = (update.retry.clone(), self.clock.now());
        let request_id = retry.request_id;
        let origin = origin.of_request(request_id);
        let updated = self.db.write_once(org, retry, move |tx| Box::pin(change(tx, update, now, origin)));
        updated.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn change(
    tx: &mut Tx,
    update: UpdateSettings,
    now: Timestamp,
    origin: Origin,
) -> Result<Decided, Error> {
    let before = settings::find(tx).await?;
    if update.version.is_some_and(|version| version != before.version) {
        return Err(Error::StaleVersion { current: before.version });
    }
    let after = update.change.apply(before.settings);
    if after == before.settings {
        return Ok(before);
    }
    if !settings::save(tx, &after, before.version, now).await? {
        // Somebody else changed them at this moment: to be tried again.
        return Err(DbError::Busy.into());
    }
    let org = tx.org().map(ToString::to_string).unwrap_or_default();
    audit::record(tx, &origin, &[Event::new("settings.update", org)]).await?;
    Ok(Decided { settings: after, version: before.version + 1, update_time: Some(now) })
}
