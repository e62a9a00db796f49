//! How teams share work.

use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;

use crate::domain::agent::Skill;
use crate::domain::sharing::{Sharing, Strategy};

/// The field that shares work, as the contract spells it.
const FIELD: &str = "spec.actions.assign_team";

/// The shortest and the longest wait after which less is asked for.
const RELAX_AFTER: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(30 * 24 * 60 * 60);

/// A strategy for the wire.
#[must_use]
pub fn strategy(it: Strategy) -> pb::Strategy {
    match it {
        Strategy::RoundRobin => pb::Strategy::RoundRobin,
        Strategy::Balanced => pb::Strategy::Balanced,
        Strategy::SkillBased => pb::Strategy::SkillBased,
        Strategy::Sticky => pb::Strategy::Sticky,
    }
}

/// Required skills for the wire.
#[must_use]
pub fn required_skills(skills: Vec<Skill>) -> Vec<pb::RequiredSkill> {
    skills.into_iter().map(|it| pb::RequiredSkill { skill: it.name, min_level: it.level }).collect()
}

/// The action that gives to a team which shares so.
#[must_use]
pub fn assign_team(team_id: String, it: Sharing) -> pb::AssignTeam {
    let relax_after = it.relax_after.and_then(|after| prost_types::Duration::try_from(after).ok());
    pb::AssignTeam {
        team_id,
        strategy: strategy(it.strategy).into(),
        required_skills: required_skills(it.required_skills),
        relax_after,
    }
}

/// How a team is to share what an action gives it.
///
/// # Errors
/// INVALID_FIELD for skills or a wait with a strategy that does not look at them, for a strategy that does without any, for
/// a skill that is named twice, and for a wait that is too short or too long.
pub fn sharing(it: &pb::AssignTeam) -> Result<Sharing, Fault> {
    let strategy = match it.strategy() {
        pb::Strategy::Unspecified | pb::Strategy::RoundRobin => Strategy::RoundRobin,
        pb::Strategy::Balanced => Strategy::Balanced,
        pb::Strategy::SkillBased => Strategy::SkillBased,
        pb::Strategy::Sticky => Strategy::Sticky,
    };
    let mut required_skills: Vec<Skill> = it
        .required_skills
        .iter()
        .map(|it| Skill { name: it.skill.clone(), level: it.min_level.max(1) })
        .collect();
    required_skills.sort_by(|one, other| one.name.cmp(&other.name));
    let refused = |field: &str, why: &str| Err(Fault::invalid(format!("{FIELD}.{field}"), why));
    if required_skills.is_empty() && strategy == Strategy::SkillBased {
        return refused("required_skills", "needs at least one skill with SKILL_BASED");
    }
    if !required_skills.is_empty() && strategy != Strategy::SkillBased {
        return refused(
            "required_skills",
            "is for SKILL_BASED only: choose that strategy, or leave the skills out",
        );
    }
    if required_skills.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return refused("required_skills", "names a skill twice");
    }
    let relax_after = match it.relax_after.map(Duration::try_from) {
        None => None,
        Some(_) if strategy != Strategy::SkillBased => {
            return refused("relax_after", "is for SKILL_BASED only: choose that strategy, or leave it out");
        }
        Some(Ok(after)) if RELAX_AFTER.contains(&after) => Some(after),
        Some(_) => return refused("relax_after", "must be from 1 second to 30 days"),
    };
    Ok(Sharing { strategy, required_skills, relax_after })
}
