//! What the organization decided; one row, or none while it decided nothing.

use db::{DbError, Tx};
use kernel::Timestamp;

use crate::domain::{Days, Decided, Settings};

#[derive(db::FromRow)]
struct SettingsRow {
    activity_retention_days: Days,
    version: i64,
    update_time: Timestamp,
}

impl From<SettingsRow> for Decided {
    fn from(row: SettingsRow) -> Self {
        let settings = Settings { activity_retention: row.activity_retention_days };
        Self { settings, version: row.version, update_time: Some(row.update_time) }
    }
}

/// The organization's settings: the defaults if it never changed one.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx) -> Result<Decided, DbError> {
    const SQL: &str = "SELECT activity_retention_days, version, update_time FROM settings WHERE org_id = $1";
    let row: Option<SettingsRow> = tx.query(SQL).fetch_optional(tx).await?;
    Ok(row.map(Decided::from).unwrap_or_default())
}

/// Stores settings that were decided over those of version `before`; false if they are not those any more.
///
/// # Errors
/// As for every statement.
pub async fn save(
    tx: &mut Tx,
    settings: &Settings,
    before: i64,
    update_time: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO settings (org_id, activity_retention_days, version, update_time)
        VALUES ($1, $2, $3 + 1, $4)
        ON CONFLICT (org_id) DO UPDATE SET activity_retention_days = excluded.activity_retention_days,
            version = excluded.version, update_time = excluded.update_time
        WHERE settings.version = $3";
    let days = i64::from(settings.activity_retention.number());
    let saved = tx.query(SQL).bind(days).bind(before).bind(update_time).execute(tx).await?;
    Ok(saved == 1)
}
