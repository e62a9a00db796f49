//! What the organization decides.

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::Timestamp;
use rpc::Caller;

use super::{App, check_version};
use crate::domain::settings::{Decided, SettingsChange};
use crate::error::Error;
use crate::store;

/// Graces that begin by one statement.
const GRACES_AT_ONCE: usize = 500;

impl App {
    /// Reads the organization's settings.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn get_settings(&self, caller: &Caller) -> Result<Decided, Error> {
        self.db.read(&caller.org, |tx| Box::pin(find(tx))).await
    }

    /// Changes the organization's settings, from now on. What changes nothing leaves the version as it is. With another
    /// capacity, whoever has room gets what waits. With a grace for the first time, it begins now for whoever is offline.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn update_settings(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        change: SettingsChange,
        expected: Option<i64>,
    ) -> Result<Decided, Error> {
        let now = self.clock.now();
        let (app, origin) = (self.clone(), origin.of_request(retry.request_id));
        self.db
            .write_once(&caller.org, retry, move |tx| {
                Box::pin(async move { app.decide_settings(tx, change, expected, now, origin).await })
            })
            .await
    }

    async fn decide_settings(
        &self,
        tx: &mut Tx,
        change: SettingsChange,
        expected: Option<i64>,
        now: Timestamp,
        origin: Origin,
    ) -> Result<Decided, Error> {
        if change.time_zone.is_some() {
            // Compiled workflows hold it, and are read anew.
            store::workflows::bump_revision(tx).await?;
        }
        let before = find(tx).await?;
        check_version(expected, before.version)?;
        let settings = change.apply(before.settings.clone());
        if settings == before.settings {
            return Ok(before);
        }
        if !store::settings::save_settings(tx, &settings, before.version, now).await? {
            return Err(Error::Raced);
        }
        if settings.channel_units != before.settings.channel_units {
            store::settings::delete_channel_units(tx).await?;
            store::settings::insert_channel_units(tx, &settings.channel_units).await?;
        }
        if settings.default_capacity_units != before.settings.default_capacity_units {
            let teams = store::settings::list_waiting_teams(tx).await?;
            self.ring_all(tx, &teams);
        }
        if before.settings.offline_grace.length().is_none() {
            // Until now whoever was offline kept everything.
            let awaited = store::unanswered::list_awaited(tx).await?;
            let now = tx.now().await?;
            for some in awaited.chunks(GRACES_AT_ONCE) {
                self.begin_graces(tx, some, now).await?;
            }
        }
        let org = tx.org().map(ToString::to_string).unwrap_or_default();
        audit::record(tx, &origin, &[Event::new("settings.update", org)]).await?;
        Ok(Decided { settings, version: before.version + 1, update_time: Some(now) })
    }
}

async fn find(tx: &mut Tx) -> Result<Decided, Error> {
    let mut decided = store::settings::find_decided(tx).await?;
    decided.settings.channel_units = store::settings::list_channel_units(tx).await?;
    Ok(decided)
}
