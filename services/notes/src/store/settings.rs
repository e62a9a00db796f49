//! What the organization decided; one row, or none while it decided nothing.

use db::{DbError, Tx};
use kernel::Timestamp;

use crate::domain::{ConversationNoteDeletion, Decided, Settings};

#[derive(db::FromRow)]
struct SettingsRow {
    contact_note_requires_conversation: bool,
    conversation_note_deletion: ConversationNoteDeletion,
    internal_messages_enabled: bool,
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
             version, update_time FROM settings WHERE org_id = $1",
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
             internal_messages_enabled, version, update_time) VALUES ($1, $2, $3, $4, $5 + 1, $6) \
             ON CONFLICT (org_id) DO UPDATE SET \
             contact_note_requires_conversation = excluded.contact_note_requires_conversation, \
             conversation_note_deletion = excluded.conversation_note_deletion, \
             internal_messages_enabled = excluded.internal_messages_enabled, \
             version = excluded.version, update_time = excluded.update_time \
             WHERE settings.version = $5",
        )
        .bind(settings.contact_note_requires_conversation)
        .bind(settings.conversation_note_deletion.as_str())
        .bind(settings.internal_messages_enabled)
        .bind(before)
        .bind(update_time)
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

impl From<SettingsRow> for Decided {
    fn from(row: SettingsRow) -> Self {
        Self {
            settings: Settings {
                contact_note_requires_conversation: row.contact_note_requires_conversation,
                conversation_note_deletion: row.conversation_note_deletion,
                internal_messages_enabled: row.internal_messages_enabled,
            },
            version: row.version,
            update_time: Some(row.update_time),
        }
    }
}
