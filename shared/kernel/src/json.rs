//! JSON from files, in which nothing may be said twice: of two members with one name most readers take the last, some the first.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why bytes are not such a value.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// They are no JSON in UTF-8.
    #[error("is not JSON")]
    Unreadable(#[from] serde_json::Error),
    /// An object names this member twice.
    #[error("an object names a member twice")]
    Twice(String),
}

/// Reads one value.
///
/// # Errors
/// [`NotJson`].
pub fn read_once(bytes: &[u8]) -> Result<Value, NotJson> {
    let mut twice = None;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Once { twice: &mut twice }.deserialize(&mut reader)?;
    reader.end()?;
    match twice {
        None => Ok(value),
        Some(name) => Err(NotJson::Twice(name)),
    }
}

/// Reads a value, and notes the first member that an object in it names twice.
struct Once<'a> {
    twice: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("is no number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Once { twice: &mut *self.twice })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Once { twice: &mut *self.twice })?;
            if object.contains_key(&name) {
                self.twice.get_or_insert(name);
            } else {
                object.insert(name, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{NotJson, read_once};
    use proptest::prelude::*;

    // P13 C10
    #[test]
    fn what_is_said_twice_is_refused_wherever_it_is() {
        for (text, twice) in [
            (r#"{"a":1,"b":2,"a":1}"#, "a"),
            (r#"{"a":{"b":[{"c":1,"c":2}]}}"#, "c"),
            (r#"[{"a":1},{"a":2,"\u0061":3}]"#, "a"),
        ] {
            assert!(
                matches!(read_once(text.as_bytes()), Err(NotJson::Twice(name)) if name == twice),
                "{text}"
            );
        }
        for text in [r#"{"a":1,"A":2,"b":{"a":3}}"#, "null", "[[],{}]", r#"{"":"","a":-1.5e300}"#] {
            assert_eq!(
                read_once(text.as_bytes()).unwrap(),
                serde_json::from_str::<serde_json::Value>(text).unwrap()
            );
        }
    }

    proptest! {
        // P13 C10
        #[test]
        fn what_others_read_is_read_alike(text in "[\\[\\]{}:,\"0-9a-c.eE\\-\\\\u ]{0,40}") {
            let other = serde_json::from_str::<serde_json::Value>(&text);
            match read_once(text.as_bytes()) {
                Ok(value) => prop_assert_eq!(value, other.unwrap()),
                Err(NotJson::Twice(_)) => prop_assert!(other.is_ok()),
                Err(NotJson::Unreadable(_)) => prop_assert!(other.is_err()),
            }
        }
    }
}
