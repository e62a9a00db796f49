//! What is known when workflows run, as their conditions ask for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::{Context, Value};
use kernel::{TeamId, Timestamp};

use super::condition::ENVIRONMENT;
use super::conversation::{Conversation, Status};
use super::hours::Hours;
use super::priority::Priority;
use zones::{LocalTime, WallClock};

/// What is asked of the contacts service.
pub(super) const CONTACT: &str = "contact";

/// What clocks and calendars are read for.
pub(super) const TIME: &str = "time";

/// What a condition may ask about.
pub(super) const FACTS: &[(&str, &[&str])] = &[
    (
        "conversation",
        &[
            "source",
            "channel",
            "subject",
            "tags",
            "priority",
            "status",
            "team_id",
            "assigned",
            "message_count",
            "added_tags",
        ],
    ),
    (CONTACT, &["tags", "language", "attributes"]),
    ("message", &["text"]),
    (TIME, &["hour", "minute", "weekday", "date", "in_business_hours", "closed_teams"]),
];

/// A custom attribute of a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A text, a link, a choice, or a day such as `2026-02-28`.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

/// A customer, as conditions ask for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactFacts {
    /// The tags they carry.
    pub tags: BTreeSet<String>,
    /// Their language, a BCP 47 tag; empty: not known.
    pub language: String,
    /// Their custom attributes, by key.
    pub attributes: BTreeMap<String, Attribute>,
}

/// What is known of a conversation when its workflows run.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The line of business or inbox it came from.
    pub source: String,
    /// The channel.
    pub channel: String,
    /// What it is about.
    pub subject: String,
    /// Its tags, as earlier workflows left them.
    pub tags: BTreeSet<String>,
    /// The tags because of which workflows run.
    pub added_tags: BTreeSet<String>,
    /// Its priority, as earlier workflows set it.
    pub priority: Priority,
    /// Where it stands.
    pub status: Status,
    /// Its team, as earlier workflows set it.
    pub team: Option<TeamId>,
    /// Whether an agent has it.
    pub assigned: bool,
    /// Messages in it.
    pub message_count: i64,
    /// Its contact; none: the contacts service did not answer, or nobody asks.
    pub contact: Option<ContactFacts>,
    /// The text of the message that came in; empty: none did.
    pub text: String,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            source: String::new(),
            channel: String::new(),
            subject: String::new(),
            tags: BTreeSet::new(),
            added_tags: BTreeSet::new(),
            priority: Priority::default(),
            status: Status::Open,
            team: None,
            assigned: false,
            message_count: 0,
            contact: None,
            text: String::new(),
        }
    }
}

impl Facts {
    /// What a conversation itself says.
    #[must_use]
    pub fn of(it: &Conversation) -> Self {
        Self {
            source: it.source.clone(),
            channel: it.channel.clone(),
            subject: it.subject.clone(),
            tags: it.tags.clone(),
            priority: it.priority,
            status: it.status,
            team: it.team,
            assigned: it.assignee.is_some(),
            message_count: it.message_count,
            ..Self::default()
        }
    }
}

/// Whose clocks conditions read, and when teams work.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// The organization's clocks.
    pub clock: WallClock,
    /// The teams with hours: the handle and the hours of each.
    pub teams: BTreeMap<TeamId, (String, Hours)>,
}

/// What a calendar shows at a moment.
#[derive(Debug, Clone)]
pub struct Moment {
    shown: LocalTime,
    closed: BTreeMap<TeamId, String>,
}

impl Calendar {
    /// What it shows.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Moment {
        let closed = self.teams.iter().filter(|(_, (_, hours))| !hours.open_at(time));
        let closed = closed.map(|(team, (handle, _))| (*team, handle.clone())).collect();
        Moment { shown: self.clock.shows(time), closed }
    }
}

/// Facts as conditions read them: written once for all conditions that see the same.
pub struct Sheet {
    pub(super) context: Context<'static, 'static>,
    pub(super) contact_known: bool,
}

impl Sheet {
    /// Writes facts down. Without a moment nobody may ask for the time.
    #[must_use]
    pub fn of(facts: &Facts, moment: Option<&Moment>) -> Self {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("conversation", conversation(facts));
        context
            .add_variable_from_value("message", HashMap::from([("text", Value::from(facts.text.as_str()))]));
        if let Some(known) = &facts.contact {
            context.add_variable_from_value(CONTACT, contact(known));
        }
        if let Some(moment) = moment {
            context.add_variable_from_value(TIME, time(moment, facts.team));
        }
        Self { context, contact_known: facts.contact.is_some() }
    }
}

fn conversation(facts: &Facts) -> Value {
    Value::from(HashMap::from([
        ("source", Value::from(facts.source.as_str())),
        ("channel", Value::from(facts.channel.as_str())),
        ("subject", Value::from(facts.subject.as_str())),
        ("tags", list(&facts.tags)),
        ("added_tags", list(&facts.added_tags)),
        ("priority", Value::from(facts.priority.as_str())),
        ("status", Value::from(facts.status.as_str())),
        ("team_id", Value::from(facts.team.map(|team| team.to_string()).unwrap_or_default())),
        ("assigned", Value::Bool(facts.assigned)),
        ("message_count", Value::Int(facts.message_count)),
    ]))
}

fn contact(known: &ContactFacts) -> Value {
    let attributes: HashMap<String, Value> = known
        .attributes
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Attribute::Text(text) => Value::from(text.as_str()),
                Attribute::Number(number) => Value::Float(*number),
                Attribute::Boolean(yes) => Value::Bool(*yes),
            };
            (key.clone(), value)
        })
        .collect();
    Value::from(HashMap::from([
        ("tags", list(&known.tags)),
        ("language", Value::from(known.language.as_str())),
        ("attributes", Value::from(attributes)),
    ]))
}

fn time(moment: &Moment, team: Option<TeamId>) -> Value {
    let LocalTime { day, weekday, minute } = moment.shown;
    let open = team.is_none_or(|team| !moment.closed.contains_key(&team));
    let closed = moment.closed.values().map(|handle| Value::from(handle.as_str())).collect::<Vec<_>>();
    Value::from(HashMap::from([
        ("hour", Value::Int(i64::from(minute / 60))),
        ("minute", Value::Int(i64::from(minute % 60))),
        ("weekday", Value::Int(i64::from(weekday))),
        ("date", Value::from(day.to_string())),
        ("in_business_hours", Value::Bool(open)),
        ("closed_teams", Value::from(closed)),
    ]))
}

fn list(texts: &BTreeSet<String>) -> Value {
    Value::from(texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>())
}
