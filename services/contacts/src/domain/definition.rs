//! What attributes there are and which values they take (C4).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Attribute, Key, Line, Value, ValueType};

/// Definitions of one organization: a page of contacts has to carry a value of each.
pub const MOST_DEFINITIONS: usize = 100;

/// The definition of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Names it; never changes.
    pub key: Key,
    /// Grows by one with every change; begins with 1.
    pub version: i64,
    /// What people call it.
    pub display_name: Line,
    /// What it is for.
    pub description: Line,
    /// The type of its values; never changes.
    pub value_type: ValueType,
    /// What may be chosen, in the order to show; empty unless it is a choice.
    pub choices: Choices,
    /// Whether new values are refused.
    pub archived: bool,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl Definition {
    /// Whether the value may be given to a contact.
    ///
    /// # Errors
    /// [`Malformed`] with what is wrong: archived, another type, no such choice.
    pub fn check(&self, value: &Value) -> Result<(), Malformed> {
        if self.archived {
            return Err(Malformed::new("is of an archived attribute, which takes no new values"));
        }
        self.fits(value)
    }

    /// Whether the value is of the type and one of the choices: also of an archived definition.
    ///
    /// # Errors
    /// [`Malformed`] with what is wrong: another type, no such choice.
    pub fn fits(&self, value: &Value) -> Result<(), Malformed> {
        self.check_type(value)?;
        match value {
            Value::Choice(choice) if !self.choices.0.contains(choice) => {
                Err(Malformed::new("must be one of the definition's choices"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a contact may go on having the value, which it was given before: also of an archived definition.
    pub fn keeps(&self, value: &Value) -> bool {
        self.fits(value).is_ok()
    }

    fn check_type(&self, value: &Value) -> Result<(), Malformed> {
        if value.value_type() == self.value_type {
            return Ok(());
        }
        Err(Malformed::new(format!("must be given as {}, the definition's type", self.value_type.as_str())))
    }
}

/// What may be chosen, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices(Vec<Line>);

impl Choices {
    /// Checks the choices against the type they are for.
    ///
    /// # Errors
    /// [`Malformed`] when one is there twice, a choice has none, or another type has some.
    pub fn of(value_type: ValueType, choices: Vec<Line>) -> Result<Self, Malformed> {
        let different: BTreeSet<&str> = choices.iter().map(Line::as_str).collect();
        match (value_type == ValueType::Choice, choices.is_empty()) {
            (true, true) => Err(Malformed::new("must have at least one choice").at("choices")),
            (false, false) => Err(Malformed::new("are for the type CHOICE only").at("choices")),
            _ if different.len() < choices.len() => {
                Err(Malformed::new("may name each choice once").at("choices"))
            }
            _ => Ok(Self(choices)),
        }
    }

    /// The choices in their order.
    pub fn as_slice(&self) -> &[Line] {
        &self.0
    }

    /// Those which are not in `new`.
    pub fn without(&self, new: &Self) -> Vec<Line> {
        self.0.iter().filter(|choice| !new.0.contains(choice)).cloned().collect()
    }
}

/// What of a definition shall be otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionChange {
    /// The new name.
    pub display_name: Option<Line>,
    /// The new description.
    pub description: Option<Line>,
    /// The new choices.
    pub choices: Option<Vec<Line>>,
    /// Whether to archive it or take it back.
    pub archived: Option<bool>,
}

impl DefinitionChange {
    /// The definition with the change. An empty name is the key.
    ///
    /// # Errors
    /// [`Malformed`] as of [`Choices::of`].
    pub fn over(self, old: &Definition) -> Result<Definition, Malformed> {
        let mut new = old.clone();
        new.display_name = self.display_name.unwrap_or(new.display_name);
        if new.display_name.is_empty() {
            new.display_name = Line::parse(old.key.as_str())?;
        }
        new.description = self.description.unwrap_or(new.description);
        if let Some(choices) = self.choices {
            new.choices = Choices::of(old.value_type, choices)?;
        }
        new.archived = self.archived.unwrap_or(new.archived);
        Ok(new)
    }
}

/// An attribute of a request, or why it is none. What cannot be read comes along, so that one answer names all that is wrong.
pub type Asked = Result<Attribute, Vec<Misfit>>;

/// Attributes to set and keys to clear. A key in both is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeChange {
    /// To have afterwards, in the order of the request.
    pub set: Vec<Asked>,
    /// Not to have afterwards.
    pub clear: Vec<Key>,
}

/// What there is to do for one contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeSteps {
    /// New values.
    pub set: Vec<Attribute>,
    /// Keys of values that go.
    pub cleared: Vec<Key>,
}

/// A value in a request that is none, or that its definition does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Its place in the request.
    pub index: usize,
    /// The part of it that is wrong: `key` or `value`.
    pub part: &'static str,
    /// What is wrong.
    pub malformed: Malformed,
}

impl Misfit {
    /// The part of a request that is wrong, in this field of it, and what is wrong.
    pub fn told(&self, field: &str) -> (String, String) {
        (format!("{field}[{}].{}", self.index, self.part), self.malformed.reason().to_owned())
    }
}

impl AttributeChange {
    /// What is to be done for a contact who has `had`, by these definitions. A value that is there already is not held against
    /// its definition, so that an archived attribute may be sent back as it was read.
    ///
    /// # Errors
    /// Every value that is none, which its definition does not take, or which has no definition.
    pub fn over(
        self,
        had: &[Attribute],
        definitions: &BTreeMap<Key, Definition>,
    ) -> Result<AttributeSteps, Vec<Misfit>> {
        let named: BTreeSet<Key> = self.set.iter().flatten().map(|attribute| attribute.key.clone()).collect();
        let mut misfits = Vec::new();
        let mut steps = AttributeSteps::default();
        for (index, asked) in self.set.into_iter().enumerate() {
            let attribute = match asked {
                Ok(attribute) if had.contains(&attribute) => continue,
                Ok(attribute) => attribute,
                Err(wrong) => {
                    misfits.extend(wrong);
                    continue;
                }
            };
            let misfit = |part, malformed| Misfit { index, part, malformed };
            match definitions.get(&attribute.key).map(|definition| definition.check(&attribute.value)) {
                None => misfits.push(misfit("key", Malformed::new("is the key of no attribute definition"))),
                Some(Err(malformed)) => misfits.push(misfit("value", malformed)),
                Some(Ok(())) => steps.set.push(attribute),
            }
        }
        let has = |key: &Key| had.iter().any(|attribute| attribute.key == *key);
        let cleared = self.clear.into_iter().filter(|key| has(key) && !named.contains(key));
        steps.cleared = cleared.collect::<BTreeSet<Key>>().into_iter().collect();
        if misfits.is_empty() { Ok(steps) } else { Err(misfits) }
    }
}

impl AttributeSteps {
    /// Whether everything is already as it shall be.
    pub fn is_nothing(&self) -> bool {
        self.set.is_empty() && self.cleared.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::parse(text).unwrap()
    }

    fn definition(key: &str, value_type: ValueType, choices: &[&str]) -> Definition {
        Definition {
            key: Key::parse(key).unwrap(),
            version: 1,
            display_name: line(key),
            description: Line::default(),
            value_type,
            choices: Choices::of(value_type, choices.iter().map(|choice| line(choice)).collect()).unwrap(),
            archived: false,
            create_time: Timestamp::from_micros(0),
            update_time: Timestamp::from_micros(0),
        }
    }

    fn attribute(key: &str, value: Value) -> Attribute {
        Attribute { key: Key::parse(key).unwrap(), value }
    }

    fn definitions() -> BTreeMap<Key, Definition> {
        let all = [
            definition("plan", ValueType::Choice, &["gold", "basic"]),
            definition("vip", ValueType::Boolean, &[]),
        ];
        all.into_iter().map(|definition| (definition.key.clone(), definition)).collect()
    }

    #[test]
    fn a_value_is_held_against_its_definition() {
        let set = vec![
            attribute("plan", Value::Choice(line("Gold"))),
            attribute("vip", Value::Text(line("yes"))),
            attribute("age", Value::Boolean(true)),
            attribute("plan", Value::Choice(line("gold"))),
        ];
        let unread = Misfit { index: 4, part: "value", malformed: Malformed::new("must be a day") };
        let set = set.into_iter().map(Ok).chain([Err(vec![unread])]).collect();
        let misfits = AttributeChange { set, clear: vec![] }.over(&[], &definitions()).unwrap_err();
        let places: Vec<_> = misfits.iter().map(|misfit| (misfit.index, misfit.part)).collect();
        assert_eq!(places, [(0, "value"), (1, "value"), (2, "key"), (4, "value")]);
    }

    #[test]
    fn an_archived_attribute_keeps_what_it_has_and_takes_nothing_new() {
        let mut definitions = definitions();
        for definition in definitions.values_mut() {
            definition.archived = true;
        }
        let had = [attribute("vip", Value::Boolean(true))];
        let change = |value| AttributeChange { set: vec![Ok(attribute("vip", value))], clear: vec![] };
        assert!(change(Value::Boolean(true)).over(&had, &definitions).unwrap().is_nothing());
        assert_eq!(change(Value::Boolean(false)).over(&had, &definitions).unwrap_err().len(), 1);
        let clear = AttributeChange { set: vec![], clear: vec![Key::parse("vip").unwrap()] };
        assert_eq!(clear.over(&had, &definitions).unwrap().cleared.len(), 1);
    }

    #[test]
    fn only_what_is_not_yet_so_is_done() {
        let had = [attribute("vip", Value::Boolean(true))];
        let key = |text| Key::parse(text).unwrap();
        let change = AttributeChange {
            set: vec![Ok(attribute("plan", Value::Choice(line("gold"))))],
            clear: vec![key("plan"), key("vip"), key("vip"), key("absent")],
        };
        let steps = change.over(&had, &definitions()).unwrap();
        assert_eq!((steps.set.len(), steps.cleared), (1, vec![key("vip")]));
    }

    #[test]
    fn choices_are_for_choices_and_each_there_once() {
        let choices = |value_type, texts: &[&str]| {
            Choices::of(value_type, texts.iter().map(|text| line(text)).collect())
        };
        assert!(choices(ValueType::Choice, &["a", "b"]).is_ok() && choices(ValueType::Text, &[]).is_ok());
        assert!(choices(ValueType::Choice, &[]).is_err() && choices(ValueType::Text, &["a"]).is_err());
        assert!(choices(ValueType::Choice, &["a", "a"]).is_err());
    }

    #[test]
    fn a_definition_without_a_name_is_called_by_its_key() {
        let old =
            Definition { display_name: line("Plan of the year"), ..definition("plan", ValueType::Text, &[]) };
        let change = DefinitionChange { display_name: Some(Line::default()), ..DefinitionChange::default() };
        assert_eq!(change.over(&old).unwrap().display_name, line("plan"));
        assert_eq!(DefinitionChange::default().over(&old).unwrap(), old);
    }
}
