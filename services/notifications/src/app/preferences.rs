//! Who wants to hear what: what people chose, and what their organization did.

use audit::{Event, Origin};
use db::{DbError, Retry, Tx};
use kernel::{OrgId, Subject, Timestamp};
use rpc::Call;
use serde::{Deserialize, Serialize};

use super::{App, Owner};
use crate::domain::preferences::{Chosen, Defaults, Preferences};
use crate::domain::preferences_change::{DefaultsChange, PreferencesChange};
use crate::error::Error;
use crate::store::preferences;

/// Other preferences.
#[derive(Debug)]
pub struct Update<C> {
    /// What changes.
    pub change: C,
    /// The version that was read; none: whatever it is now.
    pub expected: Option<i64>,
}

/// What a person chose, and what their organization did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Their own.
    pub own: Chosen<Preferences>,
    /// The organization's.
    pub defaults: Defaults,
}

impl App {
    /// Reads a person's preferences.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn preferences(&self, Owner { org, subject }: Owner) -> Result<Held, Error> {
        let read = self.db.read(&org, move |tx| Box::pin(async move { held(tx, &subject).await }));
        read.await.map_err(Error::Db)
    }

    /// Changes the caller's preferences. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn update_preferences(
        &self,
        call: &Call,
        retry: Retry,
        update: Update<PreferencesChange>,
    ) -> Result<Held, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let (origin, subject) = (runtime::origin(call).of_request(request_id), call.caller.subject.clone());
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move { change(tx, &subject, update, now, origin).await })
        });
        write.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// Reads what the organization chose.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn defaults(&self, org: &OrgId) -> Result<Chosen<Defaults>, Error> {
        let read = self.db.read(org, |tx| Box::pin(preferences::find_defaults(tx)));
        read.await.map_err(Error::Db)
    }

    /// Changes what the organization chose. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::Reused`], [`Error::Db`].
    pub async fn update_defaults(
        &self,
        call: &Call,
        retry: Retry,
        update: Update<DefaultsChange>,
    ) -> Result<Chosen<Defaults>, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move { change_defaults(tx, update, now, origin).await })
        });
        write.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn held(tx: &mut Tx, subject: &Subject) -> Result<Held, DbError> {
    let own = preferences::find(tx, subject).await?;
    let defaults = preferences::find_defaults(tx).await?.chosen;
    Ok(Held { own, defaults })
}

async fn change(
    tx: &mut Tx,
    subject: &Subject,
    update: Update<PreferencesChange>,
    now: Timestamp,
    origin: Origin,
) -> Result<Held, Error> {
    let before = held(tx, subject).await?;
    expect(update.expected, before.own.version)?;
    let chosen = update.change.apply(before.own.chosen.clone());
    if chosen == before.own.chosen {
        return Ok(before);
    }
    if !preferences::save(tx, subject, &chosen, before.own.version, now).await? {
        // Somebody else changed them at this moment: to be tried again.
        return Err(DbError::Busy.into());
    }
    audit::record(tx, &origin, &[Event::new("preferences.update", subject)]).await?;
    let own = Chosen { chosen, version: before.own.version + 1, update_time: Some(now) };
    Ok(Held { own, ..before })
}

async fn change_defaults(
    tx: &mut Tx,
    update: Update<DefaultsChange>,
    now: Timestamp,
    origin: Origin,
) -> Result<Chosen<Defaults>, Error> {
    let before = preferences::find_defaults(tx).await?;
    expect(update.expected, before.version)?;
    let chosen = update.change.apply(before.chosen.clone());
    if chosen == before.chosen {
        return Ok(before);
    }
    if !preferences::save_defaults(tx, &chosen, before.version, now).await? {
        return Err(DbError::Busy.into());
    }
    let org = tx.org().map(ToString::to_string).unwrap_or_default();
    audit::record(tx, &origin, &[Event::new("organization_preferences.update", org)]).await?;
    Ok(Chosen { chosen, version: before.version + 1, update_time: Some(now) })
}

fn expect(expected: Option<i64>, current: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != current => Err(Error::StaleVersion { current }),
        _ => Ok(()),
    }
}
