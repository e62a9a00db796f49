//! Settings, between the contract and the domain.

use db::Retry;
use proto::common::v1::ErrorReason;
use proto::notes::v1 as pb;
use rpc::convert::{etag, expected_version, proto_time};
use rpc::{Call, Fault};
use tonic::Code;

use crate::app::settings::UpdateSettings;
use crate::domain::{ConversationNoteDeletion, Decided, Retention, Settings, SettingsChange, Zone};

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
    let paths = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
    let known = [CONTACT_NOTE, DELETION, INTERNAL, ZONE, NOTES_KEPT, INTERNAL_KEPT];
    if let Some(unknown) = paths.iter().find(|path| !known.contains(&path.as_str())) {
        return Err(unknown_path(unknown));
    }
    let default = Settings::default();
    let zone = (!request.time_zone.is_empty()).then(|| Zone::parse(&request.time_zone)).transpose()?;
    let change = SettingsChange {
        contact_note_requires_conversation: chosen(
            &paths,
            CONTACT_NOTE,
            request.contact_note_requires_conversation,
            default.contact_note_requires_conversation,
        ),
        conversation_note_deletion: chosen(&paths, DELETION, deletion, default.conversation_note_deletion),
        internal_messages_enabled: chosen(
            &paths,
            INTERNAL,
            request.internal_messages_enabled,
            default.internal_messages_enabled,
        ),
        time_zone: chosen(&paths, ZONE, zone, default.time_zone),
        note_retention: chosen(
            &paths,
            NOTES_KEPT,
            request.note_retention_days.map(Retention::of_days),
            default.note_retention,
        ),
        internal_message_retention: chosen(
            &paths,
            INTERNAL_KEPT,
            request.internal_message_retention_days.map(Retention::of_days),
            default.internal_message_retention,
        ),
    };
    Ok((UpdateSettings { change, expected: expected_version(&request.etag) }, retry))
}

/// The new value of a field, if it changes.
fn chosen<T>(paths: &[String], path: &str, given: Option<T>, default: T) -> Option<T> {
    if paths.is_empty() {
        return given;
    }
    paths.iter().any(|named| named == path).then(|| given.unwrap_or(default))
}

fn unknown_path(path: &str) -> Fault {
    let text = format!(
        "the update mask of settings may name {CONTACT_NOTE}, {DELETION}, {INTERNAL}, {ZONE}, {NOTES_KEPT} and {INTERNAL_KEPT}"
    );
    Fault::new(Code::InvalidArgument, ErrorReason::UnknownUpdatePath, text.clone())
        .violation("update_mask", text)
        .with_metadata("path", path)
}
