//! Targets, and how conversations stand against them.

use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{etag, optional_id_of};
use rpc::update_mask;

use super::agent::person;
use super::{maybe_time, time};
use crate::app::sla_policies::SlaPolicyChange;
use crate::app::sla_reports::Standing;
use crate::domain::sla::breach::ShownBreach;
use crate::domain::sla::{Clock, Metric, SlaPolicy, State};
use crate::store::sla_breaches::Filter;

/// The shortest and the longest target.
const TARGET: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(90 * 24 * 60 * 60);

/// A policy.
#[must_use]
pub fn sla_policy(it: SlaPolicy) -> pb::SlaPolicy {
    pb::SlaPolicy {
        sla_policy_id: it.id.to_string(),
        etag: etag(it.version),
        name: it.name,
        position: it.position,
        disabled: it.disabled,
        condition: it.condition,
        first_response: it.targets.first_response.and_then(span),
        next_response: it.targets.next_response.and_then(span),
        resolution: it.targets.resolution.and_then(span),
        warn_percent: i32::try_from(it.warn_percent).unwrap_or(i32::MAX),
        business_hours_team_id: it.hours_of.map(|team| team.to_string()).unwrap_or_default(),
        create_time: time(it.create_time),
        update_time: time(it.update_time),
    }
}

fn span(it: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(it).ok()
}

/// A new policy.
///
/// # Errors
/// INVALID_FIELD for a target that is too short or too long.
pub fn new_policy(it: pb::SlaPolicySpec) -> Result<SlaPolicyChange, Fault> {
    Ok(SlaPolicyChange {
        first_response: Some(target("first_response", it.first_response)?),
        next_response: Some(target("next_response", it.next_response)?),
        resolution: Some(target("resolution", it.resolution)?),
        position: Some(it.position),
        disabled: Some(it.disabled),
        warn_percent: u32::try_from(it.warn_percent).ok(),
        hours_of: Some(optional_id_of("spec.business_hours_team_id", &it.business_hours_team_id)?),
        name: Some(it.name),
        condition: Some(it.condition),
    })
}

/// The changes of a policy.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH, and as [`new_policy`].
pub fn policy_change(
    it: pb::SlaPolicySpec,
    mask: Option<&prost_types::FieldMask>,
) -> Result<SlaPolicyChange, Fault> {
    let paths = update_mask::paths(
        mask,
        &[
            ("name", !it.name.is_empty()),
            ("position", it.position != 0),
            ("disabled", it.disabled),
            ("condition", !it.condition.is_empty()),
            ("first_response", it.first_response.is_some()),
            ("next_response", it.next_response.is_some()),
            ("resolution", it.resolution.is_some()),
            ("warn_percent", it.warn_percent != 0),
            ("business_hours_team_id", !it.business_hours_team_id.is_empty()),
        ],
    )?;
    let all = new_policy(it)?;
    Ok(SlaPolicyChange {
        name: paths.take("name", all.name).flatten(),
        position: paths.take("position", all.position).flatten(),
        disabled: paths.take("disabled", all.disabled).flatten(),
        condition: paths.take("condition", all.condition).flatten(),
        first_response: paths.take("first_response", all.first_response).flatten(),
        next_response: paths.take("next_response", all.next_response).flatten(),
        resolution: paths.take("resolution", all.resolution).flatten(),
        warn_percent: paths.take("warn_percent", all.warn_percent).flatten(),
        hours_of: paths.take("business_hours_team_id", all.hours_of).flatten(),
    })
}

fn target(field: &str, it: Option<prost_types::Duration>) -> Result<Option<Duration>, Fault> {
    match it.map(Duration::try_from) {
        None => Ok(None),
        Some(Ok(target)) if TARGET.contains(&target) => Ok(Some(target)),
        Some(_) => Err(Fault::invalid(format!("spec.{field}"), "must be from 1 second to 90 days")),
    }
}

/// A metric.
#[must_use]
pub fn metric(it: Metric) -> pb::SlaMetric {
    match it {
        Metric::FirstResponse => pb::SlaMetric::FirstResponse,
        Metric::NextResponse => pb::SlaMetric::NextResponse,
        Metric::Resolution => pb::SlaMetric::Resolution,
    }
}

fn state(it: State) -> pb::SlaState {
    match it {
        State::Pending => pb::SlaState::Pending,
        State::Warned => pb::SlaState::Warned,
        State::Breached => pb::SlaState::Breached,
        State::Met => pb::SlaState::Met,
        State::Paused => pb::SlaState::Paused,
        State::Cancelled => pb::SlaState::Cancelled,
    }
}

/// How a conversation stands.
#[must_use]
pub fn standing(it: Standing) -> pb::ConversationSla {
    let Standing { conversation, tracking, now } = it;
    let latest = Metric::ALL.into_iter().filter_map(|metric| tracking.clock(metric));
    let clocks = latest.map(|clock| self::clock(clock, state(clock.state(now)))).collect();
    let (id, name) = tracking.under.map(|under| (under.id.to_string(), under.name)).unwrap_or_default();
    pb::ConversationSla {
        conversation_id: conversation.to_string(),
        sla_policy_id: id,
        sla_policy_name: name,
        clocks,
    }
}

fn clock(it: &Clock, state: pb::SlaState) -> pb::SlaClock {
    pb::SlaClock {
        metric: metric(it.metric).into(),
        state: state.into(),
        target: span(it.target),
        start_time: time(it.start),
        warn_time: maybe_time(it.warn),
        due_time: maybe_time(it.missed.or(it.due)),
        end_time: maybe_time(it.end.map(|end| end.time)),
        remaining: it.remaining().and_then(span),
    }
}

/// Which missed targets are asked for.
///
/// # Errors
/// INVALID_FIELD for an id that is none.
pub fn filter(it: &pb::ListSlaBreachesRequest) -> Result<Filter, Fault> {
    Ok(Filter { team: optional_id_of("team_id", &it.team_id)?, open_only: it.open_only })
}

/// A target that was missed.
#[must_use]
pub fn breach(it: ShownBreach) -> pb::SlaBreach {
    let ShownBreach { breach, assignee } = it;
    pb::SlaBreach {
        sla_breach_id: breach.id.to_string(),
        conversation_id: breach.conversation.to_string(),
        metric: metric(breach.metric).into(),
        sla_policy_id: breach.policy.id.to_string(),
        sla_policy_name: breach.policy.name,
        team_id: breach.team.map(|team| team.to_string()).unwrap_or_default(),
        assignee: assignee.map(person),
        start_time: time(breach.start),
        due_time: time(breach.due),
        end_time: maybe_time(breach.end),
    }
}
