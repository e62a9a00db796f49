//! A line of JSON Lines to what it says.

use kernel::Malformed;
use kernel::json::{NotJson, read_once};
use proto::Validate;
use proto::contacts::v1 as pb;
use serde_json::{Map, Value};

use super::columns::{Column, is_a_name};
use super::draft::{Draft, MOST_VIOLATIONS};
use crate::domain::transfer::{DefinitionRow, ListRow, Rejection, RejectionReason, Row, RowViolation, Said};
use crate::domain::{Choices, Field, Key, Line, ListName, ValueType};

/// What a line says; nothing if it is blank, or tells why another line was rejected.
pub(crate) fn line(line: &[u8], replace: bool) -> Option<Result<Row, Rejection>> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    let unreadable =
        |description: &str| Some(Err(Rejection::of(RejectionReason::Unreadable, "", description)));
    if std::str::from_utf8(line).is_err() {
        return unreadable("is not UTF-8");
    }
    let object = match read_once(line) {
        Ok(Value::Object(object)) => object,
        Err(NotJson::Twice(field)) => {
            let field = if is_a_name(&field) { field } else { String::new() };
            return Some(Err(Rejection::of(RejectionReason::InvalidValue, field, "is named twice")));
        }
        Ok(_) | Err(NotJson::Unreadable(_)) => return unreadable("is not a JSON object"),
    };
    let row = match object.get("type").unwrap_or(&Value::Null) {
        Value::Null => Ok(contact(&object, replace)),
        Value::String(kind) => match kind.as_str() {
            "contact" => Ok(contact(&object, replace)),
            "list" => list(&object),
            "attribute_definition" => definition(&object),
            "rejected" => return None,
            _ => Err(unknown_type()),
        },
        _ => Err(unknown_type()),
    };
    let invalid = |violations| Err(Rejection { reason: RejectionReason::InvalidValue, violations });
    Some(row.or_else(invalid))
}

type Violations = Vec<RowViolation>;
type Read = Result<Row, Violations>;

fn unknown_type() -> Violations {
    violation("type", "must be contact, list or attribute_definition")
}

fn violation(field: &str, description: &str) -> Violations {
    vec![RowViolation { field: field.to_owned(), description: description.to_owned() }]
}

/// What is in the fields of an object.
struct Reader<'a> {
    object: &'a Map<String, Value>,
    wrong: Violations,
}

impl<'a> Reader<'a> {
    fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, wrong: Vec::new() }
    }

    fn wrong(&mut self, field: &str, description: &str) {
        if self.wrong.len() < MOST_VIOLATIONS {
            self.wrong.extend(violation(field, description));
        }
    }

    /// A text; null is the empty one.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.object.get(field)? {
            Value::Null => Some(String::new()),
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(field, "must be a text");
                None
            }
        }
    }

    /// A list of texts; null is the empty one.
    fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = match self.object.get(field)? {
            Value::Null => Some(Vec::new()),
            Value::Array(values) => values.iter().map(text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if texts.is_none() {
            self.wrong(field, "must be a list of texts");
        }
        texts
    }

    fn read<T>(&mut self, field: &str, parse: impl Fn(&str) -> Result<T, Malformed>) -> Option<T> {
        let text = self.text(field)?;
        parse(&text).map_err(|malformed| self.wrong(field, malformed.reason())).ok()
    }

    fn only(&mut self, known: &[&str]) {
        let object = self.object;
        for field in object.keys().filter(|field| *field != "type" && !known.contains(&field.as_str())) {
            let field = if is_a_name(field) { field } else { "" };
            self.wrong(field, &format!("is not one of {}", known.join(", ")));
        }
    }

    fn rules(&mut self, violations: Vec<proto::Violation>) {
        for proto::Violation { field, description } in violations {
            if self.wrong.iter().all(|one| one.field != field) {
                self.wrong(&field, &description);
            }
        }
    }
}

fn contact(object: &Map<String, Value>, replace: bool) -> Row {
    let mut reader = Reader::new(object);
    let mut draft = Draft { contact_id: reader.text("contact_id"), ..Draft::default() };
    for field in Field::ALL {
        match field {
            Field::Emails | Field::Phones => {
                let texts = reader.texts(field.path());
                draft.fields.extend(texts.map(|texts| (field, texts)));
            }
            _ => {
                let text = reader.text(field.path());
                text.iter().for_each(|text| draft.field(field, text, |_| Vec::new()));
            }
        }
    }
    draft.tags = reader.texts("tags");
    draft.lists = reader.texts("lists");
    draft.identities = identities(&mut reader);
    attributes(&mut reader, &mut draft);
    for field in object.keys() {
        let known = matches!(field.as_str(), "type" | "attributes")
            || Column::named(field).is_some_and(|column| !matches!(column, Column::Attribute(_)));
        if !known {
            let field = if is_a_name(field) { field } else { "" };
            reader.wrong(field, "is not a field of a contact");
        }
    }
    draft.read(replace, reader.wrong)
}

fn identities(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let identity = |value: &Value| {
        let object = value.as_object().filter(|object| object.len() == 2)?;
        let text = |field: &str| object.get(field)?.as_str().map(str::to_owned);
        Some((text("channel")?, text("address")?))
    };
    let identities = match reader.object.get("identities") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(identity).collect(),
        Some(_) => None,
    };
    if identities.is_none() {
        reader.wrong("identities", "must be a list of objects with channel and address");
    }
    identities.unwrap_or_default()
}

fn attributes(reader: &mut Reader<'_>, draft: &mut Draft) {
    let said = |value: &Value| match value {
        Value::Null => Some(Said::Nothing),
        Value::Bool(yes) => Some(Said::Boolean(*yes)),
        Value::Number(number) => number.as_f64().map(Said::Number),
        Value::String(text) => Some(Said::Text(text.clone())),
        Value::Array(_) | Value::Object(_) => None,
    };
    match reader.object.get("attributes") {
        None => {}
        Some(Value::Null) => draft.all_attributes = true,
        Some(Value::Object(object)) => {
            draft.all_attributes = true;
            for (key, value) in object {
                match said(value) {
                    Some(said) => draft.attributes.push((key.clone(), said)),
                    None => reader.wrong("attributes", "must be texts, numbers, booleans or null"),
                }
            }
        }
        Some(_) => reader.wrong("attributes", "must be an object of keys and values"),
    }
}

fn list(object: &Map<String, Value>) -> Read {
    let mut reader = Reader::new(object);
    reader.only(&["display_name", "description"]);
    let display_name = reader.read("display_name", ListName::parse);
    let description = reader.read("description", Line::parse);
    let said = pb::CreateListRequest {
        display_name: reader.text("display_name").unwrap_or_default(),
        description: reader.text("description").unwrap_or_default(),
        request_id: String::new(),
    };
    reader.rules(said.violations());
    match display_name {
        Some(display_name) if reader.wrong.is_empty() => Ok(Row::List(ListRow { display_name, description })),
        _ => Err(reader.wrong),
    }
}

fn definition(object: &Map<String, Value>) -> Read {
    let mut reader = Reader::new(object);
    reader.only(&["key", "value_type", "display_name", "description", "choices", "archived"]);
    let key = reader.read("key", Key::parse);
    let value_type = reader.read("value_type", |text| ValueType::try_from(text.to_owned()));
    let display_name = reader.read("display_name", Line::parse);
    let description = reader.read("description", Line::parse);
    let choices = reader.texts("choices").unwrap_or_default();
    let archived = match object.get("archived") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(archived)) => Some(*archived),
        Some(_) => {
            reader.wrong("archived", "must be true or false");
            None
        }
    };
    let said = pb::CreateAttributeDefinitionRequest {
        key: reader.text("key").unwrap_or_default(),
        display_name: reader.text("display_name").unwrap_or_default(),
        description: reader.text("description").unwrap_or_default(),
        // Which it is, is read above; the rule only wants one.
        r#type: pb::AttributeType::Text.into(),
        choices: choices.clone(),
        request_id: String::new(),
    };
    reader.rules(said.violations());
    if value_type.is_none() && !object.contains_key("value_type") {
        reader.wrong("value_type", "is required");
    }
    let read: Result<Vec<Line>, Malformed> = choices.iter().map(|choice| Line::parse(choice)).collect();
    let choices = read.and_then(|choices| match value_type {
        Some(value_type) => Choices::of(value_type, choices.clone()).map(|_| choices),
        None => Ok(choices),
    });
    let choices = choices.map_err(|malformed| reader.wrong("choices", malformed.reason())).ok();
    match (key, value_type, choices) {
        (Some(key), Some(value_type), Some(choices)) if reader.wrong.is_empty() => {
            let row = DefinitionRow { key, value_type, display_name, description, choices, archived };
            Ok(Row::Definition(row))
        }
        _ => Err(reader.wrong),
    }
}
