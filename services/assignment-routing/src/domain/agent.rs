//! People inside.

use kernel::{AgentId, Role, Subject, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::handle::Handle;
use super::presence::Presence;

/// A person inside, as others need to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The agent.
    pub agent: AgentId,
    /// The `sub` of their tokens.
    pub subject: Subject,
    /// What `@` resolves.
    pub username: String,
    /// What to call them.
    pub display_name: String,
}

impl Person {
    /// The name people know them by.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.display_name.is_empty() { &self.username } else { &self.display_name }
    }
}

/// How to reach a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who.
    pub person: Person,
    /// Where they get email; empty: nowhere.
    pub email: String,
    /// BCP 47 tags.
    pub languages: Vec<String>,
    /// IANA time zone; empty: not said.
    pub time_zone: String,
}

/// A person whom a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub person: Person,
    /// AGENT, SUPERVISOR or ADMIN.
    pub role: Role,
    /// Whether they are there.
    pub presence: Presence,
}

/// Something an agent is good at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Skill {
    /// Its name, lowercase.
    pub name: String,
    /// From 1 (knows of it) to 5 (expert).
    pub level: i32,
}

/// A stretch of working time in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// 1 is Monday, 7 is Sunday.
    pub weekday: i32,
    /// Minutes after midnight at which it begins.
    pub start_minute: i32,
    /// Minutes after midnight at which it ends.
    pub end_minute: i32,
}

/// What an admin says of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What `@` resolves.
    pub username: Handle,
    /// What to call them.
    pub display_name: String,
    /// Where they get email.
    pub email: String,
    /// AGENT, SUPERVISOR or ADMIN.
    pub role: Role,
    /// BCP 47 tags.
    pub languages: Vec<String>,
    /// What they are good at.
    pub skills: Vec<Skill>,
    /// IANA time zone.
    pub time_zone: String,
    /// When they work, in their time zone.
    pub working_hours: Vec<WorkingHours>,
    /// Units of work they get at once; 0: the organization's default.
    #[serde(default)]
    pub capacity_units: i32,
}

/// New values for some fields of a profile.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// What `@` resolves.
    pub username: Option<Handle>,
    /// What to call them.
    pub display_name: Option<String>,
    /// Where they get email.
    pub email: Option<String>,
    /// AGENT, SUPERVISOR or ADMIN.
    pub role: Option<Role>,
    /// BCP 47 tags; they replace the old ones.
    pub languages: Option<Vec<String>>,
    /// What they are good at; they replace the old ones.
    pub skills: Option<Vec<Skill>>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// When they work; they replace the old ones.
    pub working_hours: Option<Vec<WorkingHours>>,
    /// Units of work they get at once.
    pub capacity_units: Option<i32>,
}

impl ProfileChange {
    /// The profile with the new values.
    #[must_use]
    pub fn apply(self, to: Profile) -> Profile {
        Profile {
            username: self.username.unwrap_or(to.username),
            display_name: self.display_name.unwrap_or(to.display_name),
            email: self.email.unwrap_or(to.email),
            role: self.role.unwrap_or(to.role),
            languages: self.languages.unwrap_or(to.languages),
            skills: self.skills.unwrap_or(to.skills),
            time_zone: self.time_zone.unwrap_or(to.time_zone),
            working_hours: self.working_hours.unwrap_or(to.working_hours),
            capacity_units: self.capacity_units.unwrap_or(to.capacity_units),
        }
    }
}

/// A person who works on conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The agent.
    pub id: AgentId,
    /// Grows by one with every change of the profile.
    pub version: i64,
    /// The `sub` of their tokens.
    pub subject: Subject,
    /// What is known of them.
    pub profile: Profile,
    /// Whether they take work.
    pub presence: Presence,
    /// Open conversations assigned to them.
    pub open: i64,
    /// What these cost, in units.
    #[serde(default)]
    pub open_units: i64,
    /// The teams they belong to.
    pub teams: Vec<TeamId>,
    /// When the agent was made.
    pub create_time: Timestamp,
    /// When the profile last changed.
    pub update_time: Timestamp,
}

impl Agent {
    /// The agent as others need to know them.
    #[must_use]
    pub fn person(&self) -> Person {
        Person {
            agent: self.id,
            subject: self.subject.clone(),
            username: self.profile.username.to_string(),
            display_name: self.profile.display_name.clone(),
        }
    }
}
