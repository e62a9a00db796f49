//! What the organization decided; one row, or none while it decided nothing.

use db::{DbError, Tx};
use kernel::{OrgId, Timestamp};

use zones::Zone;

use crate::domain::{ConversationNoteDeletion, Decided, Retention, Settings};

#[derive(db::FromRow)]
struct SettingsRow {
    contact_note_requires_conversation: bool,
    conversation_note_deletion: ConversationNoteDeletion,
    internal_messages_enabled: bool,
    time_zone: String,
    note_retention_days: i64,
    internal_message_retention_days: i64,
    version: i64,
    update_time: Timestamp,
}

/// The organization's settings: the defaults if it never changed one.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_settings(tx: &mut Tx) -> Result<Settings, DbError> {
    Ok(find_decided(tx).await?.settings)
}

/// The same, with their version.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_decided(tx: &mut Tx) -> Result<Decided, DbError> {
    let row: Option<SettingsRow> = tx
        .query(
            "SELECT contact_note_requires_conversation, conversation_note_deletion, internal_messages_enabled, \
             time_zone, note_retention_days, internal_message_retention_days, version, update_time FROM settings WHERE org_id = $1",
        )
        .fetch_optional(tx)
        .await?;
    Ok(row.map(Decided::from).unwrap_or_default())
}

/// Stores settings that were decided over those of version `before`; false if they are not those any more.
///
/// # Errors
/// [`DbError`] of the write.
pub async fn save_settings(
    tx: &mut Tx,
    settings: &Settings,
    before: i64,
    update_time: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO settings (org_id, contact_note_requires_conversation, conversation_note_deletion, \
             internal_messages_enabled, version, update_time, time_zone, note_retention_days, \
             internal_message_retention_days) VALUES ($1, $2, $3, $4, $5 + 1, $6, $7, $8, $9) \
             ON CONFLICT (org_id) DO UPDATE SET \
             contact_note_requires_conversation = excluded.contact_note_requires_conversation, \
             conversation_note_deletion = excluded.conversation_note_deletion, \
             internal_messages_enabled = excluded.internal_messages_enabled, \
             version = excluded.version, update_time = excluded.update_time, time_zone = excluded.time_zone, \
             note_retention_days = excluded.note_retention_days, \
             internal_message_retention_days = excluded.internal_message_retention_days \
             WHERE settings.version = $5",
        )
        .bind(settings.contact_note_requires_conversation)
        .bind(settings.conversation_note_deletion.as_str())
        .bind(settings.internal_messages_enabled)
        .bind(before)
        .bind(update_time)
        .bind(settings.time_zone.as_str())
        .bind(i64::from(settings.note_retention.days()))
        .bind(i64::from(settings.internal_message_retention.days()))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

fn stored(days: i64) -> Retention {
    Retention::of_days(i32::try_from(days).unwrap_or_default())
}

#[derive(db::FromRow)]
struct KeptRow {
    org_id: OrgId,
    note_retention_days: i64,
    internal_message_retention_days: i64,
}

/// Organizations that do not keep everything: how long each keeps notes, and internal messages (system scope).
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_retentions(tx: &mut Tx) -> Result<Vec<(OrgId, Retention, Retention)>, DbError> {
    let rows: Vec<KeptRow> = tx
        .query(
            "SELECT org_id, note_retention_days, internal_message_retention_days FROM settings \
             WHERE note_retention_days > 0 OR internal_message_retention_days > 0",
        )
        .fetch_all(tx)
        .await?;
    let kept = |row: KeptRow| {
        (row.org_id, stored(row.note_retention_days), stored(row.internal_message_retention_days))
    };
    Ok(rows.into_iter().map(kept).collect())
}

impl From<SettingsRow> for Decided {
    fn from(row: SettingsRow) -> Self {
        Self {
            settings: Settings {
                contact_note_requires_conversation: row.contact_note_requires_conversation,
                conversation_note_deletion: row.conversation_note_deletion,
                internal_messages_enabled: row.internal_messages_enabled,
                time_zone: Zone::stored(&row.time_zone),
                note_retention: stored(row.note_retention_days),
                internal_message_retention: stored(row.internal_message_retention_days),
            },
            version: row.version,
            update_time: Some(row.update_time),
        }
    }
}
