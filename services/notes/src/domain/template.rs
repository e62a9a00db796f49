//! Templates for notes: a text with fields that somebody fills in.

use std::collections::{HashMap, HashSet};

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use super::Body;

/// Longest text of a template, in bytes of UTF-8.
const MOST_BYTES: usize = 8 * 1024;
/// Longest name and longest label, in characters.
const LONGEST_NAME: usize = 80;
const LONGEST_LABEL: usize = 100;
/// Fields of one template, at most.
const MOST_FIELDS: usize = 20;
/// Longest key of a field.
const LONGEST_KEY: usize = 40;

kernel::id_type! {
    /// A note template.
    TemplateId
}

/// Something that is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the text: `[a-z][a-z0-9_]*`, at most 40 bytes.
    pub key: String,
    /// What a form calls it; may be empty.
    pub label: String,
    /// Whether a note is refused without it.
    pub required: bool,
}

/// What somebody filled in for one field.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The field's key.
    pub key: String,
    /// Goes into the text as it is.
    pub value: String,
}

/// A template as somebody filled it in.
#[derive(Clone, PartialEq, Eq)]
pub struct Filling {
    /// Which template.
    pub template_id: TemplateId,
    /// The values.
    pub values: Vec<Value>,
}

impl std::fmt::Debug for Filling {
    /// Without the values, which are private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filling").field("template_id", &self.template_id).finish_non_exhaustive()
    }
}

/// A value that does not have the form it must have, where a place has more than a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct Misfit {
    /// Its place, such as `fields[2].key`.
    pub field: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl Misfit {
    fn new(field: impl Into<String>, reason: &'static str) -> Self {
        Self { field: field.into(), reason }
    }
}

/// Why no note comes of what was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// These required fields have no value, by their keys in the order of the template.
    Missing(Vec<String>),
    /// A value is for no field, or the second one for its field.
    Misfit(Misfit),
    /// The text that comes of the values cannot be that of a note.
    Malformed(Malformed),
}

/// A template as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// One more with each change; what etags are made from.
    pub version: i64,
    /// What people call it: see [`template_name`].
    pub name: String,
    /// Its text and fields.
    pub text: TemplateText,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

/// Checks a template's name: 1 to 80 characters, none of them a control character, no space around.
///
/// # Errors
/// [`Malformed`] at `name`.
pub fn template_name(text: String) -> Result<String, Malformed> {
    let length = text.chars().count();
    if length == 0 || length > LONGEST_NAME || text.trim() != text || text.contains(char::is_control) {
        let reason = "must have 1 to 80 characters, no control characters and no space around";
        return Err(Malformed::new(reason).at("name"));
    }
    Ok(text)
}

/// A text and its fields, which fit each other: every placeholder names a field, every field has a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateText {
    body: String,
    fields: Vec<Field>,
}

impl TemplateText {
    /// Checks a text and its fields.
    ///
    /// # Errors
    /// [`Misfit`] at `body`, `fields` or one of the fields.
    pub fn parse(body: String, fields: Vec<Field>) -> Result<Self, Misfit> {
        if body.trim().is_empty() || body.len() > MOST_BYTES || body.contains('\0') {
            let reason = "must have 1 to 8192 bytes in UTF-8, something other than white space, and no character U+0000";
            return Err(Misfit::new("body", reason));
        }
        if fields.len() > MOST_FIELDS {
            return Err(Misfit::new("fields", "must have at most 20 items"));
        }
        let mut open = HashSet::new();
        for (index, field) in fields.iter().enumerate() {
            field.check().map_err(|(part, reason)| Misfit::new(format!("fields[{index}].{part}"), reason))?;
            if !open.insert(field.key.as_str()) {
                return Err(Misfit::new(format!("fields[{index}].key"), "is the key of another field"));
            }
        }
        let pieces = pieces(&body);
        let placeholders: Vec<&str> = pieces.iter().filter_map(Piece::placeholder).collect();
        if placeholders.iter().any(|key| !fields.iter().any(|field| field.key == *key)) {
            let reason = "has something between {{ and }} that is the key of no field";
            return Err(Misfit::new("body", reason));
        }
        if let Some(index) = fields.iter().position(|field| !placeholders.contains(&field.key.as_str())) {
            let reason = "has no place in the body: write its key between {{ and }}";
            return Err(Misfit::new(format!("fields[{index}].key"), reason));
        }
        Ok(Self { body, fields })
    }

    /// What was checked before it was stored.
    pub(crate) fn stored(body: String, fields: Vec<Field>) -> Self {
        Self { body, fields }
    }

    /// The text, with `{{key}}` where values go.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The fields, in the order in which a form asks for them.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The text of a note with these values. A value that is only spaces is none; a field without a value leaves nothing.
    /// What a value says is never taken for a placeholder.
    ///
    /// # Errors
    /// [`Unfilled`].
    pub fn fill(&self, values: &[Value]) -> Result<Body, Unfilled> {
        let mut filled: HashMap<&str, &str> = HashMap::new();
        for (index, Value { key, value }) in values.iter().enumerate() {
            let wrong =
                |reason| Unfilled::Misfit(Misfit::new(format!("template.values[{index}].key"), reason));
            if !self.fields.iter().any(|field| field.key == *key) {
                return Err(wrong("is the key of no field of the template"));
            }
            if filled.insert(key, value).is_some() {
                return Err(wrong("is filled in twice"));
            }
        }
        filled.retain(|_, value| !value.trim().is_empty());
        let missing =
            self.fields.iter().filter(|field| field.required && !filled.contains_key(field.key.as_str()));
        let missing: Vec<String> = missing.map(|field| field.key.clone()).collect();
        if !missing.is_empty() {
            return Err(Unfilled::Missing(missing));
        }
        let mut text = String::with_capacity(self.body.len());
        for piece in pieces(&self.body) {
            text.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Placeholder(key) => filled.get(key).copied().unwrap_or_default(),
            });
            if text.len() > Body::MOST_BYTES {
                break; // Refused below: a long value in many places would be more than a note ever is.
            }
        }
        if text.trim().is_empty() {
            let reason = "must fill in something: without a value the note would be blank";
            return Err(Unfilled::Malformed(Malformed::new(reason).at("template.values")));
        }
        Body::parse(text).map_err(Unfilled::Malformed)
    }
}

impl Field {
    /// What is wrong with it: of which part, and why.
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !is_key(&self.key) {
            return Err(("key", "must begin with a-z and go on with a-z, 0-9 or _, 40 characters at most"));
        }
        if self.label.chars().count() > LONGEST_LABEL || self.label.contains(char::is_control) {
            return Err(("label", "must have at most 100 characters and no control characters"));
        }
        Ok(())
    }
}

fn is_key(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_')
        && text.len() <= LONGEST_KEY
}

enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

impl<'a> Piece<'a> {
    fn placeholder(&self) -> Option<&'a str> {
        match self {
            Self::Text(_) => None,
            Self::Placeholder(key) => Some(key),
        }
    }
}

/// A text cut at its placeholders: `{{`, something, `}}` on one line. Anything else is text.
fn pieces(body: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), body);
    while let Some((before, key, after)) = first_placeholder(rest) {
        pieces.extend([Piece::Text(before), Piece::Placeholder(key)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn first_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("{{").map(|found| from + found) {
        let inside = text.get(at + 2..)?;
        let line = inside.split('\n').next()?;
        if let Some(end) = line.find("}}") {
            return Some((text.get(..at)?, line.get(..end)?.trim(), inside.get(end + 2..)?));
        }
        from = at + 2 + line.len();
    }
    None
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
