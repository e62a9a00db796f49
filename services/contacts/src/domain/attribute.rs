//! Values of custom attributes (C4).

use kernel::Malformed;
use serde::{Deserialize, Serialize};

use super::Line;
use super::line::visible;

/// The name of an attribute in requests and answers: a lowercase letter, then letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Key(String);

impl Key {
    /// Checks the name and keeps it; its length is the contract's matter.
    ///
    /// # Errors
    /// [`Malformed`] when it is not such a name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if text.as_bytes().first().is_some_and(u8::is_ascii_lowercase) && text.bytes().all(inner) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::new("must be a lowercase letter, then lowercase letters, digits and _"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What kind of value an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// One line of text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A day of the calendar.
    Date,
    /// An address on the web.
    Link,
    /// One of several choices.
    Choice,
}

impl ValueType {
    /// Every type.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Number, Self::Boolean, Self::Date, Self::Link, Self::Choice];

    /// As it is stored, and spelled in refusals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Link => "link",
            Self::Choice => "choice",
        }
    }
}

db::read_as!(ValueType: String);

impl TryFrom<String> for ValueType {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == text);
        known.ok_or_else(|| Malformed::new("is no type of an attribute"))
    }
}

/// What a contact has for an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// One line of text, not empty.
    Text(Line),
    /// A number.
    Number(Number),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// An address on the web.
    Link(Link),
    /// One of the definition's choices.
    Choice(Line),
}

impl Value {
    /// The type it is of.
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Number(_) => ValueType::Number,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Date(_) => ValueType::Date,
            Self::Link(_) => ValueType::Link,
            Self::Choice(_) => ValueType::Choice,
        }
    }
}

/// A value and what it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The definition's key.
    pub key: Key,
    /// The value.
    pub value: Value,
}

/// A finite number.
///
/// Kept as its shortest decimal text wherever it is written down: JSON readers and PostgreSQL's JSONB may change the last digit
/// of a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(f64);

// A finite number equals itself.
impl Eq for Number {}

impl Number {
    /// Checks the number; minus zero is zero.
    ///
    /// # Errors
    /// [`Malformed`] when it is infinite or no number.
    pub fn new(number: f64) -> Result<Self, Malformed> {
        match number {
            number if !number.is_finite() => Err(Malformed::new("must be a finite number")),
            0.0 => Ok(Self(0.0)),
            number => Ok(Self(number)),
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        format!("{:e}", number.0)
    }
}

impl TryFrom<String> for Number {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::new(text.parse().map_err(|_| Malformed::new("must be a number"))?)
    }
}

/// A day of the Gregorian calendar, `2026-02-28`, in the years 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(String);

impl Date {
    /// Checks the day.
    ///
    /// # Errors
    /// [`Malformed`] when it is written otherwise, or there is no such day.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if is_day(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("must be a day such as 2026-02-28"))
        }
    }

    /// The day as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_day(text: &str) -> bool {
    let digits = |part: &str, length: usize| {
        let written = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if written { part.parse::<u32>().ok() } else { None }
    };
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year @ 1..), Some(month), Some(day @ 1..)) =
        (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    day <= match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    }
}

/// An address on the web: `http://` or `https://`, a host, no spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Link(String);

impl Link {
    /// Checks the address and keeps it as it is written.
    ///
    /// # Errors
    /// [`Malformed`] when it is not such an address.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        visible(text)?;
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        // What would end the attribute of a page in which somebody writes it.
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '\\' | '`');
        if host.is_empty() || text.chars().any(ends) {
            return Err(Malformed::new("must be an address such as https://example.com/page"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, Key, Link, Number, Value, ValueType};
    use proptest::prelude::*;

    #[test]
    fn a_key_is_a_lowercase_name() {
        for good in ["plan", "a", "renewal_2026"] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Plan", "_a", "1a", "a-b", "ä"] {
            assert!(Key::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_a_day_that_there_is() {
        for good in ["2026-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "0000-01-01",
            "26-01-01",
            "2026-1-1",
            "2026-01-01T",
            "+026-01-01",
            "",
            "2026-01",
        ] {
            assert!(Date::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_has_a_host() {
        for good in ["https://example.com", "http://a/b?c#d", "https://пример.рф/стр"] {
            assert_eq!(Link::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "https://", "https:///x", "ftp://a", "javascript:alert(1)", "https://a b", "http://a\u{0}"]
        {
            assert!(Link::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_type_is_read_as_it_is_stored() {
        for one in ValueType::ALL {
            assert_eq!(ValueType::try_from(one.as_str().to_owned()), Ok(one));
        }
        assert!(ValueType::try_from("TEXT".to_owned()).is_err());
    }

    proptest! {
        #[test]
        fn a_number_comes_back_to_the_last_bit(number in any::<f64>()) {
            if let Ok(number) = Number::new(number) {
                prop_assert_eq!(Number::try_from(String::from(number)), Ok(number));
            } else {
                prop_assert!(!number.is_finite());
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (Date::parse(&text), Link::parse(&text), Key::parse(&text), Number::try_from(text));
        }
    }

    #[test]
    fn a_value_knows_its_type() {
        assert_eq!(Value::Boolean(false).value_type(), ValueType::Boolean);
        assert_eq!(Value::Number(Number::new(-0.0).unwrap()), Value::Number(Number::new(0.0).unwrap()));
    }
}
