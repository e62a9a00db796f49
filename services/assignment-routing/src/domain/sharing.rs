//! How a team shares work: by which strategy, and what it asks of whoever takes a conversation (R10).

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::agent::Skill;

/// How a team shares work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// Strict turns.
    #[default]
    RoundRobin,
    /// To who has the fewest units open; of several, to who is idle for longest.
    Balanced,
    /// As [`Strategy::Balanced`], among those who have the required skills.
    SkillBased,
    /// To the contact's last agent, or else by turns.
    Sticky,
}

impl Strategy {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "ROUND_ROBIN",
            Self::Balanced => "BALANCED",
            Self::SkillBased => "SKILL_BASED",
            Self::Sticky => "STICKY",
        }
    }
}

/// What of the required skills is no longer asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Relaxation {
    /// All of it is asked for.
    #[default]
    Nothing,
    /// The levels: any level is enough.
    Levels,
    /// The skills: anybody is.
    Skills,
}

impl Relaxation {
    /// Whether all is asked for: what is stored leaves it out then.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// How a team shares a conversation. [`Sharing::default`]: by turns, among all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// By which strategy.
    pub strategy: Strategy,
    /// Skills with their least levels, sorted by name; with [`Strategy::SkillBased`] only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_skills: Vec<Skill>,
    /// After how long the levels are no longer asked for, and after twice that the skills; `None`: they always are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relax_after: Option<Duration>,
}

impl Sharing {
    /// What is no longer asked for after a wait.
    #[must_use]
    pub fn relaxation(&self, waited: Duration) -> Relaxation {
        match self.relax_after.filter(|_| !self.required_skills.is_empty()) {
            Some(after) if waited >= after.saturating_mul(2) => Relaxation::Skills,
            Some(after) if waited >= after => Relaxation::Levels,
            _ => Relaxation::Nothing,
        }
    }

    /// When less is asked for of one that waits since `queued`; `None`: never, from `now` on.
    #[must_use]
    pub fn relax_time(&self, queued: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let after = self.relax_after.filter(|_| !self.required_skills.is_empty())?;
        match self.relaxation(now.since(queued)) {
            Relaxation::Nothing => Some(queued.plus(after)),
            Relaxation::Levels => Some(queued.plus(after.saturating_mul(2))),
            Relaxation::Skills => None,
        }
    }

    /// What a conversation of so many units asks of whoever takes it, after a wait.
    #[must_use]
    pub fn demand(&self, units: i64, waited: Duration) -> Demand {
        let skills = match self.relaxation(waited) {
            Relaxation::Nothing => self.required_skills.clone(),
            Relaxation::Levels => {
                self.required_skills.iter().map(|it| Skill { name: it.name.clone(), level: 1 }).collect()
            }
            Relaxation::Skills => Vec::new(),
        };
        Demand { units, skills }
    }
}

/// What a conversation asks of whoever takes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Demand {
    /// Units of capacity that are free.
    pub units: i64,
    /// Skills with their least levels, sorted by name.
    pub skills: Vec<Skill>,
}

impl Demand {
    /// A word that is the same for all who ask for the same; empty for one unit and no skill. The names of skills have
    /// neither of its separators.
    #[must_use]
    pub fn key(&self) -> String {
        if self.units == 1 && self.skills.is_empty() {
            return String::new();
        }
        let skills: Vec<String> =
            self.skills.iter().map(|skill| format!("{}:{}", skill.name, skill.level)).collect();
        format!("{};{}", self.units, skills.join(","))
    }

    /// Reads what [`Demand::key`] wrote.
    #[must_use]
    pub fn read(key: &str) -> Option<Self> {
        if key.is_empty() {
            return Some(Self { units: 1, skills: Vec::new() });
        }
        let (units, skills) = key.split_once(';')?;
        let skill = |text: &str| {
            let (name, level) = text.split_once(':')?;
            Some(Skill { name: name.to_owned(), level: level.parse().ok()? })
        };
        let skills = skills.split(',').filter(|text| !text.is_empty()).map(skill).collect::<Option<_>>()?;
        Some(Self { units: units.parse().ok()?, skills })
    }

    /// Whether somebody with these skills has all that are asked for.
    #[must_use]
    pub fn is_met_by(&self, skills: &[Skill]) -> bool {
        self.skills
            .iter()
            .all(|asked| skills.iter().any(|has| has.name == asked.name && has.level >= asked.level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, level: i32) -> Skill {
        Skill { name: name.into(), level }
    }

    fn sharing() -> Sharing {
        Sharing {
            strategy: Strategy::SkillBased,
            required_skills: vec![skill("billing", 3), skill("spoken german", 2)],
            relax_after: Some(Duration::from_secs(10)),
        }
    }

    // R10
    #[test]
    fn after_a_wait_the_levels_and_after_twice_that_the_skills_are_no_longer_asked_for() {
        let (it, queued) = (sharing(), Timestamp::from_micros(0));
        let after = |seconds| queued.plus(Duration::from_secs(seconds));
        let asked = |seconds| it.demand(1, Duration::from_secs(seconds)).key();
        assert_eq!(asked(9), "1;billing:3,spoken german:2");
        assert_eq!(asked(10), "1;billing:1,spoken german:1");
        assert_eq!(asked(20), "");
        let next = |seconds| it.relax_time(queued, after(seconds));
        assert_eq!([next(9), next(10), next(20)], [Some(after(10)), Some(after(20)), None]);
        assert_eq!(Sharing { relax_after: None, ..it }.relaxation(Duration::MAX), Relaxation::Nothing);
    }

    // R10
    #[test]
    fn the_word_of_a_demand_reads_back_and_what_is_no_such_word_does_not() {
        for demand in [
            Demand { units: 1, skills: vec![] },
            Demand { units: 3, skills: vec![] },
            sharing().demand(2, Duration::ZERO),
        ] {
            assert_eq!(Demand::read(&demand.key()), Some(demand));
        }
        assert_eq!(
            [Demand::read("x"), Demand::read("1;billing"), Demand::read("1;billing:x")],
            [None, None, None]
        );
    }

    // R10
    #[test]
    fn a_demand_is_met_by_who_has_every_skill_at_its_level() {
        let demand = sharing().demand(1, Duration::ZERO);
        assert!(demand.is_met_by(&[skill("billing", 3), skill("french", 1), skill("spoken german", 5)]));
        assert!(!demand.is_met_by(&[skill("billing", 2), skill("spoken german", 5)]));
        assert!(!demand.is_met_by(&[skill("billing", 5)]));
    }

    // Rolling updates: what was stored before there were skills.
    #[test]
    fn a_strategy_alone_reads_as_one_without_skills() {
        let read: Sharing = serde_json::from_str(r#"{"strategy":"ROUND_ROBIN"}"#).unwrap();
        assert_eq!(read, Sharing::default());
    }
}
