//! Settings.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::etag;
use rpc::update_mask;

use super::{maybe_time, zone};
use crate::domain::reopen::ReopenPolicy;
use crate::domain::settings::{Decided, Grace, Settings, SettingsChange};

/// Settings for the wire.
#[must_use]
pub fn settings(it: Decided) -> pb::Settings {
    let Decided { settings, version, update_time } = it;
    let Settings { default_capacity_units, channel_units, time_zone, handoffs, reopen_policy, offline_grace } =
        settings;
    pb::Settings {
        etag: etag(version),
        update_time: maybe_time(update_time),
        default_capacity_units,
        time_zone: time_zone.as_str().to_owned(),
        channel_units: channel_units
            .into_iter()
            .map(|(channel, units)| pb::ChannelUnits { channel, units })
            .collect(),
        reassign_requires_handoff: handoffs.reassign,
        escalate_requires_handoff: handoffs.escalate,
        reopen_policy: self::reopen_policy(reopen_policy).into(),
        offline_grace: prost_types::Duration::try_from(offline_grace.0).ok(),
    }
}

/// A change of settings. A path that the mask names and whose field is absent goes back to its default.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH; INVALID_FIELD for a channel that is named twice, or a grace that is too long.
pub fn settings_change(it: &pb::UpdateSettingsRequest) -> Result<SettingsChange, Fault> {
    let paths = update_mask::paths(
        it.update_mask.as_ref(),
        &[
            ("default_capacity_units", it.default_capacity_units.is_some()),
            ("channel_units", !it.channel_units.is_empty()),
            ("time_zone", !it.time_zone.is_empty()),
            ("reassign_requires_handoff", it.reassign_requires_handoff.is_some()),
            ("escalate_requires_handoff", it.escalate_requires_handoff.is_some()),
            ("reopen_policy", it.reopen_policy != 0),
            ("offline_grace", it.offline_grace.is_some()),
        ],
    )?;
    Ok(SettingsChange {
        default_capacity_units: paths
            .take("default_capacity_units", it.default_capacity_units.unwrap_or_default()),
        channel_units: paths.take("channel_units", channel_units(&it.channel_units)?),
        time_zone: paths.take("time_zone", zone(&it.time_zone)?),
        reassign_requires_handoff: paths
            .take("reassign_requires_handoff", it.reassign_requires_handoff.unwrap_or_default()),
        escalate_requires_handoff: paths
            .take("escalate_requires_handoff", it.escalate_requires_handoff.unwrap_or_default()),
        reopen_policy: paths.take("reopen_policy", policy_of(it.reopen_policy())),
        offline_grace: paths.take("offline_grace", grace_of(it.offline_grace)?),
    })
}

fn reopen_policy(it: ReopenPolicy) -> pb::ReopenPolicy {
    match it {
        ReopenPolicy::Keep => pb::ReopenPolicy::Keep,
        ReopenPolicy::KeepIfAvailable => pb::ReopenPolicy::KeepIfAvailable,
        ReopenPolicy::Requeue => pb::ReopenPolicy::Requeue,
    }
}

/// A policy from the wire; the default where it is not said.
fn policy_of(said: pb::ReopenPolicy) -> ReopenPolicy {
    match said {
        pb::ReopenPolicy::Unspecified => ReopenPolicy::default(),
        pb::ReopenPolicy::Keep => ReopenPolicy::Keep,
        pb::ReopenPolicy::KeepIfAvailable => ReopenPolicy::KeepIfAvailable,
        pb::ReopenPolicy::Requeue => ReopenPolicy::Requeue,
    }
}

/// A grace from the wire; the default where it is not said.
fn grace_of(said: Option<prost_types::Duration>) -> Result<Grace, Fault> {
    let Some(said) = said else { return Ok(Grace::default()) };
    match Duration::try_from(said) {
        Ok(grace) if grace <= Grace::LONGEST && grace.subsec_nanos() == 0 => Ok(Grace(grace)),
        _ => Err(Fault::invalid("offline_grace", "must be from 0 seconds to 24 hours, in whole seconds")),
    }
}

fn channel_units(all: &[pb::ChannelUnits]) -> Result<BTreeMap<String, i32>, Fault> {
    let units: BTreeMap<String, i32> = all.iter().map(|it| (it.channel.clone(), it.units)).collect();
    if units.len() < all.len() {
        return Err(Fault::invalid("channel_units", "names a channel twice"));
    }
    Ok(units)
}
