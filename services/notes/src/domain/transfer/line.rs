//! One line, read and written.

use std::borrow::Cow;

use kernel::json::{NotJson, read_once};
use kernel::{Malformed, Timestamp};
use serde_json::Value as Json;
use uuid::Uuid;

use super::format::{Kind, kind_named};
use super::value::Value;

/// A line that could be read: what it is about, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is.
    pub kind: &'static Kind,
    /// What its fields say, in the order of the kind; none for those that are left out.
    pub cells: Vec<Option<Value>>,
}

/// Why a line is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no JSON object, or too long.
    Unreadable,
    /// Nothing here has such a kind, or such a version of it.
    UnknownKind,
    /// A field breaks a rule.
    InvalidValue,
    /// What it is about is there and says something else.
    Conflict,
    /// What it belongs to is not there.
    NotFound,
    /// What it is about was erased.
    Erased,
}

/// A line that is left out: why, and what is wrong with which field, or with the line where no field is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The fields, none for the line as a whole, and what is wrong. At least one.
    pub violations: Vec<(Option<Cow<'static, str>>, Cow<'static, str>)>,
}

impl Rejection {
    /// Of the line as a whole.
    pub fn whole(reason: Reason, description: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, violations: vec![(None, description.into())] }
    }

    /// Of one field.
    pub fn of_field(reason: Reason, field: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, violations: vec![(Some(field.into()), description.into())] }
    }

    /// Of all that is malformed.
    pub fn malformed(reason: Reason, all: &[Malformed]) -> Self {
        let told = |one: &Malformed| (one.field().map(Cow::Borrowed), one.reason().to_owned().into());
        Self { reason, violations: all.iter().map(told).collect() }
    }
}

/// Longest name of an unknown field that is told back, in characters.
const LONGEST_TOLD: usize = 40;

/// The name of a member that a line has and its kind has not.
fn told(name: &str) -> Cow<'static, str> {
    name.chars().take(LONGEST_TOLD).collect::<String>().into()
}

impl Line {
    /// Reads a line: its kind, then every field, then what they are to each other; all that is wrong is told at once.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Rejection> {
        let json = read_once(bytes).map_err(|not| match not {
            NotJson::Unreadable(error) => {
                // The rest of what serde says may repeat the line.
                let text = format!("is not JSON in UTF-8, from its byte {} on", error.column());
                Rejection::whole(Reason::Unreadable, text)
            }
            NotJson::Twice(name) => Rejection {
                reason: Reason::InvalidValue,
                violations: vec![(Some(told(&name)), "is there twice".into())],
            },
        })?;
        let Json::Object(mut members) = json else {
            return Err(Rejection::whole(Reason::Unreadable, "must be a JSON object"));
        };
        let kind =
            members.remove("kind").as_ref().and_then(Json::as_str).and_then(kind_named).ok_or_else(|| {
                Rejection::of_field(
                    Reason::UnknownKind,
                    "kind",
                    "must be a kind of line that the format names",
                )
            })?;
        if members.remove("version").as_ref().and_then(Json::as_i64) != Some(kind.version) {
            let text = format!("must be {}, the version of this kind that is known here", kind.version);
            return Err(Rejection::of_field(Reason::UnknownKind, "version", text));
        }
        let (mut cells, mut violations) = (Vec::with_capacity(kind.fields.len()), Vec::new());
        for field in kind.fields {
            let read = match members.remove(field.name) {
                None | Some(Json::Null) if field.optional => Ok(None),
                None => Err(Malformed::new("is required")),
                Some(json) => no_nul(&json).and_then(|()| field.of.read(json)).map(Some),
            };
            match read {
                Ok(cell) => cells.push(cell),
                Err(malformed) => {
                    violations.push((Some(field.name.into()), malformed.reason().to_owned().into()));
                }
            }
        }
        let unknown = members
            .into_iter()
            .map(|(name, _)| (Some(told(&name)), format!("is no field of the kind {}", kind.name).into()));
        violations.extend(unknown);
        if !violations.is_empty() {
            return Err(Rejection { reason: Reason::InvalidValue, violations });
        }
        let line = Self { kind, cells };
        match (kind.check)(&line).as_slice() {
            [] => Ok(line),
            malformed => Err(Rejection::malformed(Reason::InvalidValue, malformed)),
        }
    }

    /// Writes it, with what ends a line. Equal lines are equal bytes.
    pub fn print(&self) -> String {
        let mut text = format!("{{\"kind\":\"{}\",\"version\":{}", self.kind.name, self.kind.version);
        for (field, cell) in self.kind.fields.iter().zip(&self.cells) {
            if let Some(value) = cell {
                text.push_str(",\"");
                text.push_str(field.name);
                text.push_str("\":");
                text.push_str(&value.to_json().to_string());
            }
        }
        text.push_str("}\n");
        text
    }

    /// Its key.
    pub fn key(&self) -> &[Option<Value>] {
        self.cells.get(..self.kind.key).unwrap_or_default()
    }

    /// What a field says.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.cells.get(self.kind.position(field)?)?.as_ref()
    }

    /// What a field with an id says.
    pub fn id(&self, field: &str) -> Option<Uuid> {
        match self.get(field)? {
            Value::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// What a field with a text says.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.get(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a field with a number says.
    pub fn number(&self, field: &str) -> Option<i64> {
        match self.get(field)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// What a field with a moment says.
    pub fn time(&self, field: &str) -> Option<Timestamp> {
        match self.get(field)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// What a field with an object or a list says.
    pub fn json(&self, field: &str) -> Option<&Json> {
        match self.get(field)? {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }
}

/// PostgreSQL cannot store the character, wherever in a value it is.
fn no_nul(json: &Json) -> Result<(), Malformed> {
    let holds = match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => return items.iter().try_for_each(no_nul),
        Json::Object(members) => {
            members.values().try_for_each(no_nul)?;
            members.keys().any(|name| name.contains('\0'))
        }
        _ => false,
    };
    if holds { Err(Malformed::new("may not contain the character U+0000")) } else { Ok(()) }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
