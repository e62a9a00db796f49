//! Settings.

use proto::contacts::v1 as pb;
use rpc::convert::{etag, expected_version, proto_time};
use rpc::{Call, Fault, update_mask};

use super::Broken;
use crate::app::UpdateSettings;
use crate::domain::{Days, Decided, Settings, SettingsChange};

const RETENTION: &str = "activity_retention_days";

pub(crate) fn settings(decided: Decided) -> pb::Settings {
    let Decided { settings, version, update_time } = decided;
    pb::Settings {
        etag: etag(version),
        activity_retention_days: settings.activity_retention.number(),
        update_time: update_time.map(proto_time),
    }
}

/// A change of settings. A path that the mask names and whose field is absent goes back to its default.
pub(crate) fn change(call: &Call, request: &pb::UpdateSettingsRequest) -> Result<UpdateSettings, Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let paths = update_mask::paths(
        request.update_mask.as_ref(),
        &[(RETENTION, request.activity_retention_days != 0)],
    )?;
    if !paths.has(RETENTION) {
        // Zero, which says nothing: whoever means "for ever" or "not at all" shall not take an OK for it.
        let range = format!("must be 1 to {} days: 0 changes nothing", Days::MOST);
        let default = Settings::default().activity_retention.number();
        let way = format!("to go back to the default of {default}, name it in update_mask");
        return Err(Fault::invalid(RETENTION, format!("{range}; {way}")));
    }
    let mut broken = Broken::default();
    let days = match request.activity_retention_days {
        0 => Some(Settings::default().activity_retention),
        days => broken.keep(RETENTION, Days::of(days)),
    };
    broken.refuse()?;
    let change = SettingsChange { activity_retention: days };
    Ok(UpdateSettings { change, version: expected_version(&request.etag), retry })
}
