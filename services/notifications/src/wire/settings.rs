//! Settings, between the contract and the domain.

use db::Retry;
use proto::notifications::v1 as pb;
use rpc::convert::{etag, expected_version, proto_time};
use rpc::{Call, Fault, update_mask};

use crate::app::settings::UpdateSettings;
use crate::domain::settings::{Days, Decided, EmailContent, Retention, SettingsChange};

const READ_KEPT: &str = "read_retention_days";
const KEPT: &str = "retention_days";
const CONTENT: &str = "email_content";

/// Settings for the wire, where this is what the service is configured with.
pub(crate) fn settings(decided: Decided, configured: Retention) -> pb::Settings {
    let retention = decided.settings.retention(configured);
    let days = |days: Days| i32::try_from(days.number()).unwrap_or(i32::MAX);
    pb::Settings {
        etag: etag(decided.version),
        read_retention_days: days(retention.read),
        retention_days: days(retention.all),
        update_time: decided.update_time.map(proto_time),
        email_content: email_content(decided.settings.email_content).into(),
    }
}

/// What emails hold, for the wire.
pub(crate) fn email_content(content: EmailContent) -> pb::EmailContent {
    match content {
        EmailContent::None => pb::EmailContent::None,
        EmailContent::Excerpt => pb::EmailContent::Excerpt,
    }
}

/// A change of settings from the wire. A path that the mask names and whose field is absent goes back to its default.
pub(crate) fn change(
    call: &Call,
    request: &pb::UpdateSettingsRequest,
) -> Result<(UpdateSettings, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let days = |days: i32| Days::of(i64::from(days));
    let (read_kept, kept) = (request.read_retention_days.map(days), request.retention_days.map(days));
    let content = match request.email_content() {
        pb::EmailContent::None => Some(EmailContent::None),
        pb::EmailContent::Excerpt => Some(EmailContent::Excerpt),
        pb::EmailContent::Unspecified => None,
    };
    let known = [(READ_KEPT, read_kept.is_some()), (KEPT, kept.is_some()), (CONTENT, content.is_some())];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let change = SettingsChange {
        read_kept: paths.take(READ_KEPT, read_kept),
        kept: paths.take(KEPT, kept),
        email_content: paths.take(CONTENT, content.unwrap_or_default()),
    };
    Ok((UpdateSettings { change, expected: expected_version(&request.etag) }, retry))
}
