//! Teams, and what `@` resolves.

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{etag, ids_of};
use rpc::update_mask;

use super::agent::person;
use super::{narrow, time};
use crate::app::directory::{Meaning, Resolved};
use crate::domain::handle::Handle;
use crate::domain::team::{NewTeam, RampUp, Team, TeamChange};

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
    }
}

/// A new team.
///
/// # Errors
/// INVALID_FIELD for a handle or a member's id that is none.
pub fn new_team(it: pb::CreateTeamRequest) -> Result<NewTeam, Fault> {
    Ok(NewTeam {
        handle: handle(&it.handle)?,
        members: ids_of("agent_ids", &it.agent_ids)?,
        display_name: it.display_name,
        ramp_up: RampUp { limit: it.ramp_up_limit, seconds: it.ramp_up_seconds },
    })
}

/// A handle.
///
/// # Errors
/// INVALID_FIELD for a text that is none.
fn handle(text: &str) -> Result<Handle, Fault> {
    Handle::parse(text).map_err(|malformed| Fault::invalid("handle", malformed.reason()))
}

/// The changes of a team.
///
/// # Errors
/// UNKNOWN_UPDATE_PATH; INVALID_FIELD for a handle that is none.
pub fn team_change(it: &pb::UpdateTeamRequest) -> Result<TeamChange, Fault> {
    let known = [
        ("handle", !it.handle.is_empty()),
        ("display_name", !it.display_name.is_empty()),
        ("ramp_up_limit", it.ramp_up_limit != 0),
        ("ramp_up_seconds", it.ramp_up_seconds != 0),
    ];
    let paths = update_mask::paths(it.update_mask.as_ref(), &known)?;
    Ok(TeamChange {
        handle: if paths.has("handle") { Some(handle(&it.handle)?) } else { None },
        display_name: paths.take("display_name", it.display_name.clone()),
        ramp_up_limit: paths.take("ramp_up_limit", it.ramp_up_limit),
        ramp_up_seconds: paths.take("ramp_up_seconds", it.ramp_up_seconds),
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
