//! Where a file that leaves goes on, kind by kind, each kind by its keys.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{KINDS, Kind, Line, Value};

/// Where the file goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cursor {
    /// Of all frames of one export, however often it was cut.
    pub export: Uuid,
    /// The kind whose lines come next; none: all is written.
    pub kind: Option<String>,
    /// The key of its last line, as texts; none before the first.
    pub after: Option<Vec<String>>,
    /// Lines before.
    pub lines: i64,
}

impl Cursor {
    /// At the first line of all.
    pub fn start(export: Uuid) -> Self {
        Self { export, kind: KINDS.first().map(|kind| kind.name.to_owned()), after: None, lines: 0 }
    }

    /// Behind a line of the kind.
    pub fn behind(&mut self, line: &Line) {
        let key = line.kind.key_fields().iter().zip(line.key());
        let text = |(_, value): (_, &Option<Value>)| value.as_ref().map(written).unwrap_or_default();
        self.after = Some(key.map(text).collect());
        self.lines += 1;
    }

    /// Behind all lines of the kind.
    pub fn turn(&mut self, kind: &Kind) {
        let next = KINDS.iter().skip_while(|other| *other != kind).nth(1);
        self.kind = next.map(|next| next.name.to_owned());
        self.after = None;
    }

    /// The key to go on behind.
    pub fn key(&self, kind: &Kind) -> Option<Vec<Option<Value>>> {
        let texts = self.after.as_ref()?;
        Some(kind.key_fields().iter().zip(texts).map(|(field, text)| field.of.stored(text.clone())).collect())
    }
}

/// A value of a key, as [`Type::stored`](super::Type::stored) reads it.
fn written(value: &Value) -> String {
    match value {
        Value::Id(id) => id.to_string(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Time(time) => time.as_micros().to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Json(json) => json.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, Timestamp};

    use super::{Cursor, written};
    use crate::domain::transfer::{KINDS, Type, Value, kind_named};

    // P13, P14
    #[test]
    fn an_export_passes_every_kind_once() {
        let mut at = Cursor::start(Clock::system().new_id());
        let mut passed = Vec::new();
        while let Some(name) = at.kind.clone() {
            let kind = kind_named(&name).unwrap();
            passed.push(kind.name);
            at.turn(kind);
        }
        assert_eq!(passed, KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_is_read_back_from_its_token() {
        let values = [
            (Type::Id, Value::Id(Clock::system().new_id())),
            (Type::Subject, Value::Text("idp|ana".to_owned())),
            (Type::Number(1, 9), Value::Number(7)),
            (Type::Time, Value::Time(Timestamp::from_micros(-1))),
        ];
        for (of, value) in values {
            assert_eq!(of.stored(written(&value)), Some(value));
        }
    }
}
