//! What a row says of an attribute, whose type only its definition knows.

use kernel::Malformed;

use crate::domain::{Date, Definition, Line, Link, Number, Value, ValueType};

/// The longest text of an attribute in characters, and the longest link: those of the contract.
const LONGEST: (usize, usize) = (1_000, 2_000);

/// A value as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Nothing: there shall be none.
    Nothing,
    /// A cell, in which everything is a text.
    Cell(String),
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

impl Said {
    /// The value of this definition's type; none for nothing.
    ///
    /// # Errors
    /// [`Malformed`] when it is not of this type. Whether the definition takes it is its own matter.
    pub fn read(&self, definition: &Definition) -> Result<Option<Value>, Malformed> {
        let value_type = definition.value_type;
        match self {
            Self::Nothing => Ok(None),
            Self::Cell(cell) => match value_type {
                ValueType::Number => number(cell).map(Some),
                ValueType::Boolean => boolean(cell).map(Some),
                _ => text(cell, value_type).map(Some),
            },
            Self::Text(said) => text(said, value_type).map(Some),
            Self::Number(number) if value_type == ValueType::Number => {
                Ok(Some(Value::Number(Number::new(*number)?)))
            }
            Self::Boolean(yes) if value_type == ValueType::Boolean => Ok(Some(Value::Boolean(*yes))),
            Self::Number(_) | Self::Boolean(_) => Err(other_type(value_type)),
        }
    }
}

fn text(said: &str, value_type: ValueType) -> Result<Value, Malformed> {
    let within = |longest: usize| match said.chars().count() {
        long if long > longest => Err(Malformed::new(format!("must have at most {longest} characters"))),
        _ => Ok(()),
    };
    match value_type {
        ValueType::Text if said.trim().is_empty() => Err(Malformed::new("must have text")),
        ValueType::Text => {
            within(LONGEST.0)?;
            Line::parse(said).map(Value::Text)
        }
        ValueType::Date => Date::parse(said.trim()).map(Value::Date),
        ValueType::Link => {
            within(LONGEST.1)?;
            Link::parse(said).map(Value::Link)
        }
        ValueType::Choice => Line::parse(said).map(Value::Choice),
        ValueType::Number | ValueType::Boolean => Err(other_type(value_type)),
    }
}

fn number(cell: &str) -> Result<Value, Malformed> {
    let number = cell.trim().parse().map_err(|_| Malformed::new("must be a number such as 12.5"))?;
    Number::new(number).map(Value::Number)
}

fn boolean(cell: &str) -> Result<Value, Malformed> {
    // Spreadsheets write them in capitals.
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" => Ok(Value::Boolean(true)),
        "false" | "no" => Ok(Value::Boolean(false)),
        _ => Err(Malformed::new("must be true or false")),
    }
}

fn other_type(value_type: ValueType) -> Malformed {
    Malformed::new(format!("must be a {}, the definition's type", value_type.as_str()))
}
