//! Agents, people, availability.

use kernel::{Role, Timestamp};
use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{etag, proto_role, role_of};
use rpc::update_mask;

use super::{maybe_time, narrow, time};
use crate::domain::agent::{Agent, Found, Person, Profile, ProfileChange, Reach, Skill, WorkingHours};
use crate::domain::choose::Availability;
use crate::domain::handle::Handle;
use crate::domain::presence::Presence;

/// An agent as they are at `now`: whose lease is over is offline.
#[must_use]
pub fn agent(it: Agent, now: Timestamp) -> pb::Agent {
    let profile = it.profile;
    pb::Agent {
        agent_id: it.id.to_string(),
        etag: etag(it.version),
        subject: it.subject.to_string(),
        username: profile.username.to_string(),
        display_name: profile.display_name,
        email: profile.email,
        role: proto_role(profile.role).into(),
        team_ids: it.teams.iter().map(ToString::to_string).collect(),
        languages: profile.languages,
        skills: profile.skills.into_iter().map(|it| pb::Skill { name: it.name, level: it.level }).collect(),
        time_zone: profile.time_zone,
        working_hours: profile.working_hours.into_iter().map(hours).collect(),
        availability: availability(it.presence.at(now)).into(),
        availability_pinned: it.presence.pinned,
        lease_expire_time: maybe_time(it.presence.lease_expire_time.filter(|until| *until > now)),
        open_conversation_count: narrow(it.open),
        create_time: time(it.create_time),
        update_time: time(it.update_time),
        capacity_units: profile.capacity_units,
        open_units: narrow(it.open_units),
    }
}

/// A person.
#[must_use]
pub fn person(it: Person) -> pb::Person {
    pb::Person {
        agent_id: it.agent.to_string(),
        subject: it.subject.to_string(),
        username: it.username,
        display_name: it.display_name,
    }
}

/// How to reach a person.
#[must_use]
pub fn reach(it: Reach) -> pb::PersonProfile {
    pb::PersonProfile {
        person: Some(person(it.person)),
        email: it.email,
        languages: it.languages,
        time_zone: it.time_zone,
    }
}

/// A person whom a search found, as they are at `now`.
#[must_use]
pub fn found(it: Found, now: Timestamp) -> pb::FoundPerson {
    pb::FoundPerson {
        person: Some(person(it.person)),
        role: proto_role(it.role).into(),
        availability: availability(it.presence.at(now)).into(),
    }
}

/// What a heartbeat came to.
#[must_use]
pub fn beaten(it: Presence) -> pb::SendHeartbeatResponse {
    pb::SendHeartbeatResponse {
        availability: availability(it.availability).into(),
        lease_expire_time: maybe_time(it.lease_expire_time),
    }
}

/// Availability for the wire.
#[must_use]
pub fn availability(it: Availability) -> pb::Availability {
    match it {
        Availability::Online => pb::Availability::Online,
        Availability::Away => pb::Availability::Away,
        Availability::Offline => pb::Availability::Offline,
    }
}

/// Availability from the wire; `None`: not said.
#[must_use]
pub fn availability_of(it: pb::Availability) -> Option<Availability> {
    match it {
        pb::Availability::Online => Some(Availability::Online),
        pb::Availability::Away => Some(Availability::Away),
        pb::Availability::Offline => Some(Availability::Offline),
        pb::Availability::Unspecified => None,
    }
}

/// A new agent's profile.
///
/// # Errors
/// INVALID_FIELD for a profile without username, or with working hours that end before they begin.
pub fn profile(it: pb::AgentProfile) -> Result<Profile, Fault> {
    Ok(Profile {
        username: username(&it.username)?,
        role: role(it.role)?,
        skills: skills(&it.skills)?,
        working_hours: working_hours(&it.working_hours)?,
        display_name: it.display_name,
        email: it.email,
        languages: it.languages,
        time_zone: it.time_zone,
        capacity_units: it.capacity_units,
    })
}

/// The changes of a profile.
///
/// # Errors
/// As [`profile`], and UNKNOWN_UPDATE_PATH.
pub fn profile_change(
    it: pb::AgentProfile,
    mask: Option<&prost_types::FieldMask>,
) -> Result<ProfileChange, Fault> {
    let paths = update_mask::paths(
        mask,
        &[
            ("username", !it.username.is_empty()),
            ("display_name", !it.display_name.is_empty()),
            ("email", !it.email.is_empty()),
            ("role", it.role != 0),
            ("languages", !it.languages.is_empty()),
            ("skills", !it.skills.is_empty()),
            ("time_zone", !it.time_zone.is_empty()),
            ("working_hours", !it.working_hours.is_empty()),
            ("capacity_units", it.capacity_units != 0),
        ],
    )?;
    Ok(ProfileChange {
        username: if paths.has("username") { Some(username(&it.username)?) } else { None },
        role: if paths.has("role") { Some(role(it.role)?) } else { None },
        skills: paths.take("skills", skills(&it.skills)?),
        working_hours: paths.take("working_hours", working_hours(&it.working_hours)?),
        display_name: paths.take("display_name", it.display_name),
        email: paths.take("email", it.email),
        languages: paths.take("languages", it.languages),
        time_zone: paths.take("time_zone", it.time_zone),
        capacity_units: paths.take("capacity_units", it.capacity_units),
    })
}

fn username(text: &str) -> Result<Handle, Fault> {
    Handle::parse(text).map_err(|malformed| Fault::invalid("profile.username", malformed.reason()))
}

/// Not said is AGENT.
fn role(role: i32) -> Result<Role, Fault> {
    if role == 0 { Ok(Role::Agent) } else { role_of("profile.role", role) }
}

fn skills(all: &[pb::Skill]) -> Result<Vec<Skill>, Fault> {
    let mut skills: Vec<Skill> =
        all.iter().map(|it| Skill { name: it.name.clone(), level: it.level }).collect();
    skills.sort_by(|one, other| one.name.cmp(&other.name));
    if skills.windows(2).any(|pair| pair.first().map(|it| &it.name) == pair.last().map(|it| &it.name)) {
        return Err(Fault::invalid("profile.skills", "names a skill twice"));
    }
    Ok(skills)
}

fn working_hours(all: &[pb::WorkingHours]) -> Result<Vec<WorkingHours>, Fault> {
    all.iter()
        .map(|it| {
            let pb::WorkingHours { weekday, start_minute, end_minute } = *it;
            if start_minute >= end_minute {
                return Err(Fault::invalid("profile.working_hours", "must end after they begin"));
            }
            Ok(WorkingHours { weekday, start_minute, end_minute })
        })
        .collect()
}

fn hours(it: WorkingHours) -> pb::WorkingHours {
    pb::WorkingHours { weekday: it.weekday, start_minute: it.start_minute, end_minute: it.end_minute }
}
