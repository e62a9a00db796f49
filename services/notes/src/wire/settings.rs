//! Settings, between the contract and the domain.

use db::Retry;
use proto::notes::v1 as pb;
use rpc::convert::{etag, expected_version, proto_time};
use rpc::{Call, Fault, update_mask};
use zones::Zone;

use crate::app::settings::UpdateSettings;
use crate::domain::{ConversationNoteDeletion, Decided, Retention, Settings, SettingsChange};

const CONTACT_NOTE: &str = "contact_note_requires_conversation";
const DELETION: &str = "conversation_note_deletion";
const INTERNAL: &str = "internal_messages_enabled";
const ZONE: &str = "time_zone";
const NOTES_KEPT: &str = "note_retention_days";
const INTERNAL_KEPT: &str = "internal_message_retention_days";

/// Settings for the wire.
pub fn settings(decided: Decided) -> pb::Settings {
    let Decided { settings, version, update_time } = decided;
    pb::Settings {
        etag: etag(version),
        contact_note_requires_conversation: settings.contact_note_requires_conversation,
        conversation_note_deletion: match settings.conversation_note_deletion {
            ConversationNoteDeletion::Forbidden => pb::ConversationNoteDeletion::Forbidden,
            ConversationNoteDeletion::Tombstone => pb::ConversationNoteDeletion::Tombstone,
        }
        .into(),
        internal_messages_enabled: settings.internal_messages_enabled,
        update_time: update_time.map(proto_time),
        time_zone: settings.time_zone.as_str().to_owned(),
        note_retention_days: settings.note_retention.days(),
        internal_message_retention_days: settings.internal_message_retention.days(),
    }
}

/// A change of settings from the wire. A path that the mask names and whose field is absent goes back to its default.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH, INVALID_FIELD.
pub fn settings_change(
    call: &Call,
    request: pb::UpdateSettingsRequest,
) -> Result<(UpdateSettings, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let deletion = match request.conversation_note_deletion() {
        pb::ConversationNoteDeletion::Forbidden => Some(ConversationNoteDeletion::Forbidden),
        pb::ConversationNoteDeletion::Tombstone => Some(ConversationNoteDeletion::Tombstone),
        pb::ConversationNoteDeletion::Unspecified => None,
    };
    let zone = (!request.time_zone.is_empty()).then(|| Zone::parse(&request.time_zone)).transpose()?;
    let notes_kept = request.note_retention_days.map(Retention::of_days);
    let internal_kept = request.internal_message_retention_days.map(Retention::of_days);
    let known = [
        (CONTACT_NOTE, request.contact_note_requires_conversation.is_some()),
        (DELETION, deletion.is_some()),
        (INTERNAL, request.internal_messages_enabled.is_some()),
        (ZONE, zone.is_some()),
        (NOTES_KEPT, notes_kept.is_some()),
        (INTERNAL_KEPT, internal_kept.is_some()),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let default = Settings::default();
    let requires_conversation =
        request.contact_note_requires_conversation.unwrap_or(default.contact_note_requires_conversation);
    let internal_enabled = request.internal_messages_enabled.unwrap_or(default.internal_messages_enabled);
    let change = SettingsChange {
        contact_note_requires_conversation: paths.take(CONTACT_NOTE, requires_conversation),
        conversation_note_deletion: paths
            .take(DELETION, deletion.unwrap_or(default.conversation_note_deletion)),
        internal_messages_enabled: paths.take(INTERNAL, internal_enabled),
        time_zone: paths.take(ZONE, zone.unwrap_or(default.time_zone)),
        note_retention: paths.take(NOTES_KEPT, notes_kept.unwrap_or(default.note_retention)),
        internal_message_retention: paths
            .take(INTERNAL_KEPT, internal_kept.unwrap_or(default.internal_message_retention)),
    };
    Ok((UpdateSettings { change, expected: expected_version(&request.etag) }, retry))
}
