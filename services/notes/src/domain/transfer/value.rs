//! What the fields of a line may say.

use std::ops::RangeInclusive;

use kernel::{Malformed, Role, Subject, Timestamp};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::domain::Body;

/// Longest name of a person, in characters: what tokens may bring.
const LONGEST_NAME: usize = 200;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// From the beginning of the year 1 to the end of the year 9999.
const SECONDS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS_PER_MICRO: i32 = 1_000;

/// What a field may say.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// A UUID, lowercase and hyphenated.
    Id,
    /// The `sub` of a token.
    Subject,
    /// The role of somebody inside, never `contact`.
    Role,
    /// What people call somebody.
    Name,
    /// The text of a note or a message.
    Body,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Another text, which this admits.
    Text(fn(&str) -> Result<(), Malformed>),
    /// A whole number, from the first to the second.
    Number(i64, i64),
    /// True or false.
    Flag,
    /// A moment: RFC 3339, to the microsecond.
    Time,
    /// An object or a list, which this admits.
    Json(fn(&Json) -> Result<(), Malformed>),
}

/// What a field says. Private: it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A UUID.
    Id(Uuid),
    /// A text of any type.
    Text(String),
    /// A number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A moment.
    Time(Timestamp),
    /// An object or a list.
    Json(Json),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "Id({id})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Number(number) => write!(f, "Number({number})"),
            Self::Flag(flag) => write!(f, "Flag({flag})"),
            Self::Time(time) => write!(f, "Time({})", time.as_micros()),
            Self::Json(_) => f.write_str("Json"),
        }
    }
}

impl Type {
    /// Reads what a line says.
    ///
    /// # Errors
    /// [`Malformed`] without a field.
    pub fn read(self, json: Json) -> Result<Value, Malformed> {
        match (self, json) {
            (Self::Flag, Json::Bool(flag)) => Ok(Value::Flag(flag)),
            (Self::Number(least, most), Json::Number(number)) => match number.as_i64() {
                Some(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
                _ => Err(Malformed::new(format!("must be a whole number from {least} to {most}"))),
            },
            (Self::Json(check), json @ (Json::Array(_) | Json::Object(_))) => {
                check(&json)?;
                Ok(Value::Json(json))
            }
            (Self::Flag | Self::Number(..) | Self::Json(_), _) => Err(Malformed::new(self.described())),
            (_, Json::String(text)) => self.read_text(text),
            _ => Err(Malformed::new("must be a text")),
        }
    }

    fn read_text(self, text: String) -> Result<Value, Malformed> {
        match self {
            Self::Id => return kernel::id::parse_uuid(&text).map(Value::Id),
            Self::Time => return read_time(&text).map(Value::Time),
            Self::Body => return Body::parse(text).map(|body| Value::Text(body.into())),
            Self::Subject => drop(Subject::parse(&text)?),
            Self::Role if Role::parse(&text)? == Role::Contact => {
                return Err(Malformed::new("may not be contact: nothing here is written by customers"));
            }
            Self::Name if text.chars().count() > LONGEST_NAME || text.contains(char::is_control) => {
                return Err(Malformed::new(
                    "must have at most 200 characters, none of them a control character",
                ));
            }
            Self::Word(words) if !words.contains(&text.as_str()) => {
                return Err(Malformed::new(format!("must be one of {}", words.join(", "))));
            }
            Self::Text(check) => check(&text)?,
            _ => {}
        }
        Ok(Value::Text(text))
    }

    fn described(self) -> &'static str {
        match self {
            Self::Flag => "must be true or false",
            Self::Number(..) => "must be a number",
            _ => "must be an object or a list",
        }
    }

    /// Reads what a column says, whose value was made a text by the database: times are their microseconds. None if the
    /// column holds something else.
    pub fn stored(self, text: String) -> Option<Value> {
        Some(match self {
            // PostgreSQL writes UUIDs with hyphens, SQLite's `hex` without.
            Self::Id => Value::Id(Uuid::try_parse(&text).ok()?),
            Self::Number(..) => Value::Number(text.parse().ok()?),
            Self::Time => Value::Time(Timestamp::from_micros(text.parse().ok()?)),
            Self::Flag => Value::Flag(match text.as_str() {
                "1" | "true" => true,
                "0" | "false" => false,
                _ => return None,
            }),
            Self::Json(_) => Value::Json(serde_json::from_str(&text).ok()?),
            Self::Subject | Self::Role | Self::Name | Self::Body | Self::Word(_) | Self::Text(_) => {
                Value::Text(text)
            }
        })
    }
}

impl Value {
    /// As a line has it. Equal values are equal bytes: the members of an object are in the order of their names.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Id(id) => Json::String(id.to_string()),
            Self::Text(text) => Json::String(text.clone()),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Time(time) => Json::String(written_time(*time)),
            Self::Json(json) => json.clone(),
        }
    }
}

fn read_time(text: &str) -> Result<Timestamp, Malformed> {
    let wrong = || Malformed::new("must be a time as in 2026-11-22T04:45:32.123456Z");
    // A date alone would be read as well.
    let time: prost_types::Timestamp =
        text.parse().ok().filter(|_| text.len() > "2026-11-22".len()).ok_or_else(wrong)?;
    if time.nanos % NANOS_PER_MICRO != 0 {
        return Err(Malformed::new("must be a time with at most 6 digits behind the second"));
    }
    let micros = time.seconds.checked_mul(MICROS_PER_SECOND).ok_or_else(wrong)?;
    let micros = micros.checked_add(i64::from(time.nanos / NANOS_PER_MICRO)).ok_or_else(wrong)?;
    let time = Timestamp::from_micros(micros);
    if is_tellable(time) { Ok(time) } else { Err(Malformed::new("must be a time in the years 1 to 9999")) }
}

/// Whether answers can say the time: protobuf's timestamps are of the years 1 to 9999.
pub(super) fn is_tellable(time: Timestamp) -> bool {
    SECONDS.contains(&time.as_micros().div_euclid(MICROS_PER_SECOND))
}

fn written_time(time: Timestamp) -> String {
    let micros = time.as_micros();
    let below_second = i32::try_from(micros.rem_euclid(MICROS_PER_SECOND)).unwrap_or_default();
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    prost_types::Timestamp { seconds, nanos: below_second * NANOS_PER_MICRO }.to_string()
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Type, Value};

    // P13
    #[test]
    fn a_value_that_its_type_does_not_admit_is_refused_without_being_repeated() {
        let refused = [
            (Type::Id, json!("01890A5D-AC96-774B-BCCE-B302099A8057")),
            (Type::Id, json!("01890a5dac96774bbcceb302099a8057")),
            (Type::Subject, json!("secret secret")),
            (Type::Role, json!("contact")),
            (Type::Role, json!("secret")),
            (Type::Name, json!("secret\u{7}")),
            (Type::Body, json!("")),
            (Type::Body, json!("secret\u{0}")),
            (Type::Word(&["one", "other"]), json!("secret")),
            (Type::Number(1, 9), json!(0)),
            (Type::Number(1, 9), json!(10)),
            (Type::Number(1, i64::MAX), json!(u64::MAX)),
            (Type::Number(1, 9), json!(1.5)),
            (Type::Number(1, 9), json!("1")),
            (Type::Flag, json!("true")),
            (Type::Time, json!("2026-11-22")),
            (Type::Time, json!("2026-11-22T04:45:32.1234567Z")),
            (Type::Time, json!("secret")),
            (Type::Time, json!("0000-12-31T23:59:59Z")),
            (Type::Time, json!("-0001-01-01T00:00:00Z")),
            (Type::Time, json!("+10000-01-01T00:00:00Z")),
            (Type::Time, json!(1)),
            (Type::Body, json!(["secret"])),
        ];
        for (of, json) in refused {
            let refusal = of.read(json.clone()).unwrap_err();
            assert!(!refusal.to_string().contains("secret"), "{json}: {refusal}");
        }
    }

    // P13
    #[test]
    fn what_a_column_cannot_hold_is_no_value() {
        for (of, text) in [(Type::Id, "x"), (Type::Number(1, 9), "x"), (Type::Flag, "2"), (Type::Time, "x")] {
            assert!(of.stored(text.to_owned()).is_none(), "{text}");
        }
        assert_eq!(Type::Flag.stored("true".to_owned()), Type::Flag.stored("1".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000, text in "\\PC{1,40}") {
            let time = Value::Time(Timestamp::from_micros(micros));
            prop_assert_eq!(Type::Time.read(time.to_json()).unwrap(), time);
            let body = Value::Text(text);
            prop_assert_eq!(Type::Body.read(body.to_json()).unwrap(), body);
        }
    }
}
