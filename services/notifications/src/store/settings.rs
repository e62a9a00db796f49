//! What organizations decided; one row, or none while they decided nothing.

use db::{DbError, Tx};
use kernel::{OrgId, Timestamp};

use crate::domain::settings::{Days, Decided, EmailContent, Settings};

#[derive(db::FromRow)]
struct SettingsRow {
    read_kept_days: Option<Days>,
    kept_days: Option<Days>,
    email_content: EmailContent,
    version: i64,
    update_time: Timestamp,
}

/// The organization's settings: the defaults if it never changed one.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find_decided(tx: &mut Tx) -> Result<Decided, DbError> {
    let row: Option<SettingsRow> = tx
        .query(
            "SELECT read_kept_days, kept_days, email_content, version, update_time FROM feed_settings
             WHERE org_id = $1",
        )
        .fetch_optional(tx)
        .await?;
    let decided = |row: SettingsRow| Decided {
        settings: Settings {
            read_kept: row.read_kept_days,
            kept: row.kept_days,
            email_content: row.email_content,
        },
        version: row.version,
        update_time: Some(row.update_time),
    };
    Ok(row.map(decided).unwrap_or_default())
}

/// Stores settings that were decided over those of version `before`; false if they are not those any more.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn save_settings(
    tx: &mut Tx,
    settings: Settings,
    before: i64,
    update_time: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO feed_settings (org_id, read_kept_days, kept_days, version, update_time, email_content)
             VALUES ($1, $2, $3, $4 + 1, $5, $6)
             ON CONFLICT (org_id) DO UPDATE SET
                 read_kept_days = excluded.read_kept_days, kept_days = excluded.kept_days,
                 email_content = excluded.email_content, version = excluded.version, update_time = excluded.update_time
             WHERE feed_settings.version = $4",
        )
        .bind(settings.read_kept)
        .bind(settings.kept)
        .bind(before)
        .bind(update_time)
        .bind(settings.email_content.as_str())
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// What each organization decided that decided anything (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list_decided(tx: &mut Tx) -> Result<Vec<(OrgId, Settings)>, DbError> {
    let rows: Vec<(OrgId, Option<Days>, Option<Days>)> =
        tx.query("SELECT org_id, read_kept_days, kept_days FROM feed_settings").fetch_all(tx).await?;
    let settings = |(org, read_kept, kept)| (org, Settings { read_kept, kept, ..Settings::default() });
    Ok(rows.into_iter().map(settings).collect())
}
