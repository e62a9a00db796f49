//! Teams, and what `@` resolves.

use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{etag, ids_of};
use rpc::update_mask;

use super::agent::person;
use super::{narrow, offer, time};
use crate::app::directory::{Meaning, Resolved};
use crate::domain::handle::Handle;
use crate::domain::offer::Offering;
use crate::domain::reply_limit::{LimitAction, ReplyLimit};
use crate::domain::team::{NewTeam, RampUp, Team, TeamChange};
use crate::domain::workflow::WAITS;

/// A team.
#[must_use]
pub fn team(it: Team) -> pb::Team {
    pb::Team {
        team_id: it.id.to_string(),
        etag: etag(it.version),
        handle: it.handle.to_string(),
        display_name: it.display_name,
        member_count: narrow(it.members),
        queued_conversation_count: narrow(it.queued),
        create_time: time(it.create_time),
        update_time: time(it.update_time),
        ramp_up_limit: it.ramp_up.limit,
        ramp_up_seconds: it.ramp_up.seconds,
        assignment_mode: offer::mode(it.offering.mode).into(),
        offer_timeout: offer::timeout(it.offering.timeout),
        reply_limit: it.reply_limit.map(reply_limit),
    }
}

/// A new team.
///
/// # Errors
/// INVALID_FIELD for a handle or a member's id that is none, or a limit that is out of its range.
pub fn new_team(it: pb::CreateTeamRequest) -> Result<NewTeam, Fault> {
    let offering = Offering {
        mode: offer::mode_of(it.assignment_mode()),
        timeout: offer::timeout_of(it.offer_timeout)?,
    };
    Ok(NewTeam {
        handle: handle(&it.handle)?,
        members: ids_of("agent_ids", &it.agent_ids)?,
        display_name: it.display_name,
        ramp_up: RampUp { limit: it.ramp_up_limit, seconds: it.ramp_up_seconds },
        offering,
        reply_limit: it.reply_limit.as_ref().map(limit_of).transpose()?,
    })
}

/// A handle.
///
/// # Errors
/// INVALID_FIELD for a text that is none.
fn handle(text: &str) -> Result<Handle, Fault> {
    Handle::parse(text).map_err(|malformed| Fault::invalid("handle", malformed.reason()))
}

fn reply_limit(it: ReplyLimit) -> pb::ReplyLimit {
    let then = match it.then {
        LimitAction::Requeue => pb::ReplyLimitAction::Requeue,
        LimitAction::NextAgent => pb::ReplyLimitAction::NextAgent,
        LimitAction::NotifySupervisor => pb::ReplyLimitAction::NotifySupervisor,
    };
    pb::ReplyLimit { limit: prost_types::Duration::try_from(it.limit).ok(), then: then.into() }
}

/// A limit.
///
/// # Errors
/// INVALID_FIELD for one that is too short or too long.
fn limit_of(it: &pb::ReplyLimit) -> Result<ReplyLimit, Fault> {
    let then = match it.then() {
        pb::ReplyLimitAction::Unspecified | pb::ReplyLimitAction::Requeue => LimitAction::Requeue,
        pb::ReplyLimitAction::NextAgent => LimitAction::NextAgent,
        pb::ReplyLimitAction::NotifySupervisor => LimitAction::NotifySupervisor,
    };
    let limit = it.limit.and_then(|limit| Duration::try_from(limit).ok());
    match limit.filter(|limit| WAITS.contains(limit) && limit.subsec_nanos() == 0) {
        Some(limit) => Ok(ReplyLimit { limit, then }),
        None => {
            Err(Fault::invalid("reply_limit.limit", "must be from 10 seconds to 30 days, in whole seconds"))
        }
    }
}

/// The changes of a team.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH; INVALID_FIELD for a handle that is none, or a limit that is out of its range.
pub fn team_change(it: &pb::UpdateTeamRequest) -> Result<TeamChange, Fault> {
    let known = [
        ("handle", !it.handle.is_empty()),
        ("display_name", !it.display_name.is_empty()),
        ("ramp_up_limit", it.ramp_up_limit != 0),
        ("ramp_up_seconds", it.ramp_up_seconds != 0),
        ("assignment_mode", it.assignment_mode != 0),
        ("offer_timeout", it.offer_timeout.is_some()),
        ("reply_limit", it.reply_limit.is_some()),
    ];
    let paths = update_mask::paths(it.update_mask.as_ref(), &known)?;
    Ok(TeamChange {
        handle: if paths.has("handle") { Some(handle(&it.handle)?) } else { None },
        display_name: paths.take("display_name", it.display_name.clone()),
        ramp_up_limit: paths.take("ramp_up_limit", it.ramp_up_limit),
        ramp_up_seconds: paths.take("ramp_up_seconds", it.ramp_up_seconds),
        mode: paths.take("assignment_mode", offer::mode_of(it.assignment_mode())),
        offer_timeout: paths.take("offer_timeout", offer::timeout_of(it.offer_timeout)?),
        reply_limit: paths.take("reply_limit", it.reply_limit.as_ref().map(limit_of).transpose()?),
    })
}

/// What a handle names.
#[must_use]
pub fn resolved(it: Resolved) -> pb::ResolvedHandle {
    let (kind, team, people) = match it.meaning {
        Meaning::Nothing => (pb::HandleKind::Unspecified, None, Vec::new()),
        Meaning::Agent(one) => (pb::HandleKind::Agent, None, vec![one]),
        Meaning::Team(team, members) => (pb::HandleKind::Team, Some(team), members),
    };
    pb::ResolvedHandle {
        handle: it.handle,
        kind: kind.into(),
        team_id: team.map(|team| team.to_string()).unwrap_or_default(),
        people: people.into_iter().map(person).collect(),
    }
}
