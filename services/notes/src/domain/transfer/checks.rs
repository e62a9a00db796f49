//! What the fields of a line must be to each other, and what follows from them.

use kernel::Malformed;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::line::Line;
use super::value::{Value, is_tellable};
use crate::domain::template::{Field as TemplateField, TemplateText, template_name as parse_template_name};
use crate::domain::{Acknowledgement, Handle, Handoff, HandoffTexts, MOST_HANDLES, Mention, Misfit};
use zones::Zone;

/// Whether a line can belong to another.
pub type Fits = fn(&Line, &Line) -> Result<(), Malformed>;

/// Fields that say who and when: all of them or none.
const PIN: [&str; 4] = ["pin_time", "pinner_subject", "pinner_role", "pinner_name"];
const DELETION: [&str; 4] = ["delete_time", "deleter_subject", "deleter_role", "deleter_name"];

/// What the contract takes.
pub(super) const MOST_RETENTION_DAYS: i64 = 36_500;
/// More texts than a note ever has.
pub(super) const MOST_REVISION: i64 = 1_000_000_000;

/// Every line is right.
pub(super) fn nothing(_: &Line) -> Vec<Malformed> {
    Vec::new()
}

/// Every line belongs to every other.
pub(super) fn always(_: &Line, _: &Line) -> Result<(), Malformed> {
    Ok(())
}

pub(super) fn no_nul(text: &str) -> Result<(), Malformed> {
    match text.contains('\0') {
        true => Err(Malformed::new("may not contain the character U+0000")),
        false => Ok(()),
    }
}

pub(super) fn time_zone(name: &str) -> Result<(), Malformed> {
    match Zone::parse(name)?.as_str() == name {
        true => Ok(()),
        false => Err(Malformed::new("must be a name as the IANA time zone database writes it")),
    }
}

pub(super) fn template_name(text: &str) -> Result<(), Malformed> {
    parse_template_name(text.to_owned()).map(drop)
}

pub(super) fn template_fields(json: &Json) -> Result<(), Malformed> {
    exactly::<Vec<TemplateField>>(json).map(drop)
}

pub(super) fn template(line: &Line) -> Vec<Malformed> {
    let fields = line.json("fields").map(exactly::<Vec<TemplateField>>).transpose();
    let parse = |fields: Option<_>| {
        let body = line.text("body").unwrap_or_default().to_owned();
        TemplateText::parse(body, fields.unwrap_or_default()).map(drop).map_err(misfit)
    };
    fields.and_then(parse).err().into_iter().collect()
}

fn misfit(misfit: Misfit) -> Malformed {
    let field = if misfit.field.starts_with("fields") { "fields" } else { "body" };
    Malformed::new(format!("{} {}", misfit.field, misfit.reason)).at(field)
}

pub(super) fn mentions(json: &Json) -> Result<(), Malformed> {
    let mentions: Vec<Mention> = exactly(json)?;
    if mentions.len() > MOST_HANDLES {
        return Err(Malformed::new("must have at most 50 items"));
    }
    match mentions.iter().all(|it| Handle::parse(it.handle.as_str()).as_ref() == Some(&it.handle)) {
        true => Ok(()),
        false => Err(Malformed::new("has a handle that no text can mention")),
    }
}

pub(super) fn handoff(json: &Json) -> Result<(), Malformed> {
    let Handoff { texts, team, due_time, acknowledgement, .. } = exactly(json)?;
    if due_time.is_some_and(|due| !is_tellable(due)) {
        return Err(Malformed::new("has a due_time that is not in the years 1 to 9999"));
    }
    if let Some(Acknowledgement { time, revision, .. }) = acknowledgement {
        if !is_tellable(time) {
            return Err(Malformed::new("has an acknowledgement whose time is not in the years 1 to 9999"));
        }
        if !(1..=MOST_REVISION).contains(&revision) {
            return Err(Malformed::new(format!(
                "has an acknowledgement whose revision is not from 1 to {MOST_REVISION}"
            )));
        }
    }
    if team.is_some_and(|team| Handle::parse(team.as_str()).as_ref() != Some(&team)) {
        return Err(Malformed::new("names a team by what no handle is"));
    }
    let (steps_taken, expected_outcome) = texts.into_parts();
    HandoffTexts::parse(steps_taken, expected_outcome).map(drop)
}

/// The value, if it is written as it would be here: with every member and no other.
fn exactly<T: DeserializeOwned + serde::Serialize>(json: &Json) -> Result<T, Malformed> {
    let wrong = || Malformed::new("must have exactly the members that the format names");
    let value: T = serde_json::from_value(json.clone()).map_err(|_| wrong())?;
    match serde_json::to_value(&value) {
        Ok(written) if written == *json => Ok(value),
        _ => Err(wrong()),
    }
}

pub(super) fn note(line: &Line) -> Vec<Malformed> {
    let mut wrong = Vec::new();
    let on_conversation = line.get("conversation_id").is_some();
    if on_conversation && line.get("origin_conversation_id").is_some() {
        let reason = "is for notes on contacts: a note on a conversation has conversation_id only";
        wrong.push(Malformed::new(reason).at("origin_conversation_id"));
    }
    if !on_conversation && line.get("handoff").is_some() {
        wrong.push(Malformed::new("is for notes on conversations").at("handoff"));
    }
    if line.get("reply_to").is_some() != line.get("thread_id").is_some() {
        wrong.push(Malformed::new("comes with reply_to, and reply_to with it").at("thread_id"));
    }
    for (fields, first) in [(PIN, "pin_time"), (DELETION, "delete_time")] {
        let there = fields.iter().filter(|field| line.get(field).is_some()).count();
        if there != 0 && there != fields.len() {
            let reason = format!("comes with {}: all of them or none", fields.join(", "));
            wrong.push(Malformed::new(reason).at(first));
        }
    }
    if line.time("update_time") < line.time("create_time") {
        wrong.push(Malformed::new("may not be before create_time").at("update_time"));
    }
    wrong.extend(undated(line, "note_id"));
    wrong
}

pub(super) fn internal_message(line: &Line) -> Vec<Malformed> {
    undated(line, "internal_message_id").into_iter().collect()
}

/// Retention reads in the id how old it is.
fn undated(line: &Line, field: &'static str) -> Option<Malformed> {
    let dated = line.id(field).is_none_or(|id| id.get_version_num() == 7);
    (!dated).then(|| Malformed::new("must be a UUIDv7: it tells how old this is").at(field))
}

pub(super) fn earlier_than_note(revision: &Line, note: &Line) -> Result<(), Malformed> {
    match revision.number("revision") < note.number("revision") {
        true => Ok(()),
        false => Err(Malformed::new("must be below the revision of its note, which has the present text")
            .at("revision")),
    }
}

pub(super) fn same_conversation(line: &Line, thread: &Line) -> Result<(), Malformed> {
    match line.get("conversation_id") == thread.get("conversation_id") {
        true => Ok(()),
        false => Err(Malformed::new("must be the conversation of its thread").at("conversation_id")),
    }
}

pub(super) fn note_kind(line: &Line) -> Option<Value> {
    let kind = if line.get("conversation_id").is_some() { "conversation" } else { "contact" };
    Some(Value::Text(kind.to_owned()))
}

pub(super) fn awaits(line: &Line) -> Option<Value> {
    if line.get("delete_time").is_some() {
        return None;
    }
    let handoff: Handoff = serde_json::from_value(line.json("handoff")?.clone()).ok()?;
    let receiver = handoff.person().filter(|_| handoff.acknowledgement.is_none());
    receiver.map(|subject| Value::Text(subject.to_string()))
}

pub(super) fn none_unread(_: &Line) -> Option<Value> {
    Some(Value::Number(0))
}
