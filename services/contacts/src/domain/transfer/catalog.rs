//! Lists and attribute definitions that a file brings.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use uuid::Uuid;

use super::{DefinitionRow, ListRow, Manner, Outcome, Rejection, RejectionReason};
use crate::domain::{
    Choices, ContactList, Definition, DefinitionChange, Key, Line, ListChange, MOST_DEFINITIONS, MOST_LISTS,
};

/// The most choices of one definition: the contract's.
const MOST_CHOICES: usize = 100;

/// Something of the catalog that is new or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined<T> {
    /// As it shall be.
    pub now: T,
    /// Whether it is new.
    pub is_new: bool,
}

/// An organization's lists and definitions, as they were and as the rows make them.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    lists: BTreeMap<String, ContactList>,
    list_count: i64,
    definitions: BTreeMap<Key, Definition>,
    new: (BTreeSet<String>, BTreeSet<Key>),
    touched: (BTreeSet<String>, BTreeSet<Key>),
}

impl Catalog {
    /// Those that are stored: of the lists the ones that rows name, and how many there are.
    pub fn new(lists: Vec<ContactList>, list_count: i64, definitions: Vec<Definition>) -> Self {
        let lists = lists.into_iter().map(|list| (list.display_name.key(), list)).collect();
        let definitions = definitions.into_iter().map(|one| (one.key.clone(), one)).collect();
        Self { lists, list_count, definitions, ..Self::default() }
    }

    /// The lists to store.
    pub fn changed_lists(&self) -> Vec<Defined<ContactList>> {
        let defined = |key: &String| {
            let now = self.lists.get(key)?.clone();
            Some(Defined { now, is_new: self.new.0.contains(key) })
        };
        self.touched.0.iter().filter_map(defined).collect()
    }

    /// The definitions to store.
    pub fn changed_definitions(&self) -> Vec<Defined<Definition>> {
        let defined = |key: &Key| {
            let now = self.definitions.get(key)?.clone();
            Some(Defined { now, is_new: self.new.1.contains(key) })
        };
        self.touched.1.iter().filter_map(defined).collect()
    }

    /// Makes or changes a list as the row says.
    ///
    /// # Errors
    /// A [`Rejection`] when the organization has as many lists as it may.
    pub fn apply_list(
        &mut self,
        row: &ListRow,
        now: Timestamp,
        fresh: impl FnOnce() -> Uuid,
    ) -> Result<Outcome, Rejection> {
        let key = row.display_name.key();
        if let Some(old) = self.lists.get(&key) {
            let change = ListChange { display_name: None, description: row.description.clone() };
            let mut new = change.over(old);
            if new == *old {
                return Ok(Outcome::Unchanged);
            }
            (new.version, new.update_time) = (old.version + 1, now);
            self.lists.insert(key.clone(), new);
            self.touched.0.insert(key);
            return Ok(Outcome::Updated);
        }
        if self.list_count >= MOST_LISTS {
            let description = format!("the organization may have {MOST_LISTS} lists and no more");
            return Err(Rejection::of(RejectionReason::LimitReached, "", description));
        }
        let list = ContactList {
            list_id: fresh().into(),
            version: 1,
            display_name: row.display_name.clone(),
            description: row.description.clone().unwrap_or_default(),
            member_count: 0,
            create_time: now,
            update_time: now,
        };
        self.list_count += 1;
        self.lists.insert(key.clone(), list);
        self.new.0.insert(key.clone());
        self.touched.0.insert(key);
        Ok(Outcome::Created)
    }

    /// Makes or changes a definition as the row says. Choices are only added: contacts may have those there.
    ///
    /// # Errors
    /// A [`Rejection`] when the type is another, the caller may not define attributes, or there are as many as there may be.
    pub fn apply_definition(
        &mut self,
        row: &DefinitionRow,
        manner: Manner,
        now: Timestamp,
    ) -> Result<Outcome, Rejection> {
        let old = self.definitions.get(&row.key);
        if old.is_some_and(|old| old.value_type != row.value_type) {
            let description = "is not the type of the attribute that is there, and a type never changes";
            return Err(Rejection::of(RejectionReason::Conflict, "value_type", description));
        }
        let is_new = old.is_none();
        if is_new && self.definitions.len() >= MOST_DEFINITIONS {
            let description =
                format!("the organization may define {MOST_DEFINITIONS} attributes and no more");
            return Err(Rejection::of(RejectionReason::LimitReached, "", description));
        }
        let old = old.cloned().unwrap_or_else(|| undefined(row, now));
        let invalid = |malformed: kernel::Malformed| {
            let field = malformed.field().unwrap_or_default();
            Rejection::of(RejectionReason::InvalidValue, field, malformed.reason())
        };
        let mut new = changed(row, &old, is_new).map_err(invalid)?;
        if !is_new && new == old {
            return Ok(Outcome::Unchanged);
        }
        if !manner.may_define {
            let description = "only an admin defines attributes";
            return Err(Rejection::of(RejectionReason::NotAllowed, "", description));
        }
        if !is_new {
            (new.version, new.update_time) = (old.version + 1, now);
        } else {
            self.new.1.insert(row.key.clone());
        }
        self.definitions.insert(row.key.clone(), new);
        self.touched.1.insert(row.key.clone());
        Ok(if is_new { Outcome::Created } else { Outcome::Updated })
    }
}

/// A definition that is not there yet, without its choices.
fn undefined(row: &DefinitionRow, now: Timestamp) -> Definition {
    Definition {
        key: row.key.clone(),
        version: 1,
        display_name: Line::default(),
        description: Line::default(),
        value_type: row.value_type,
        choices: Choices::default(),
        archived: false,
        create_time: now,
        update_time: now,
    }
}

fn changed(row: &DefinitionRow, old: &Definition, is_new: bool) -> Result<Definition, kernel::Malformed> {
    let mut choices: Vec<Line> = old.choices.as_slice().to_vec();
    choices.extend(row.choices.iter().filter(|choice| !old.choices.as_slice().contains(choice)).cloned());
    if choices.len() > MOST_CHOICES {
        let many = format!("may be {MOST_CHOICES} at most, with those there are");
        return Err(kernel::Malformed::new(many).at("choices"));
    }
    let change = DefinitionChange {
        // Without a name it is called by its key.
        display_name: row.display_name.clone().or_else(|| is_new.then(Line::default)),
        description: row.description.clone(),
        choices: (is_new || choices.len() > old.choices.as_slice().len()).then_some(choices),
        archived: row.archived,
    };
    change.over(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::Mode;
    use crate::domain::{ListName, ValueType};

    const NOW: Timestamp = Timestamp::from_micros(1);
    const UPSERT: Manner = Manner { mode: Mode::Upsert, replace: false, may_define: true };

    fn line(text: &str) -> Line {
        Line::parse(text).unwrap()
    }

    // C10
    #[test]
    fn definitions_and_lists_come_along_and_stay_as_they_are_when_they_are_the_same() {
        let mut catalog = Catalog::new(Vec::new(), 0, Vec::new());
        let plan = DefinitionRow {
            key: Key::parse("plan").unwrap(),
            value_type: ValueType::Choice,
            display_name: None,
            description: None,
            choices: vec![line("gold")],
            archived: None,
        };
        let agent = Manner { may_define: false, ..UPSERT };
        assert_eq!(
            catalog.apply_definition(&plan, agent, NOW).unwrap_err().reason,
            RejectionReason::NotAllowed
        );
        assert_eq!(catalog.apply_definition(&plan, UPSERT, NOW), Ok(Outcome::Created));
        assert_eq!(catalog.apply_definition(&plan, agent, NOW), Ok(Outcome::Unchanged));
        let more = DefinitionRow { choices: vec![line("basic")], archived: Some(true), ..plan.clone() };
        assert_eq!(catalog.apply_definition(&more, UPSERT, NOW), Ok(Outcome::Updated));
        let other = DefinitionRow { value_type: ValueType::Text, choices: vec![], ..plan };
        assert_eq!(
            catalog.apply_definition(&other, UPSERT, NOW).unwrap_err().reason,
            RejectionReason::Conflict
        );
        let stored = catalog.changed_definitions();
        assert!(stored.len() == 1 && stored[0].is_new && stored[0].now.choices.as_slice().len() == 2);
        assert!(stored[0].now.archived && stored[0].now.display_name == line("plan"));

        let fair = ListRow { display_name: ListName::parse("Fair").unwrap(), description: None };
        assert_eq!(catalog.apply_list(&fair, NOW, || Uuid::from_u128(1)), Ok(Outcome::Created));
        let folded =
            ListRow { display_name: ListName::parse(" FAIR").unwrap(), description: Some(line("x")) };
        assert_eq!(catalog.apply_list(&folded, NOW, || Uuid::from_u128(2)), Ok(Outcome::Updated));
        assert_eq!(catalog.apply_list(&folded, NOW, || Uuid::from_u128(3)), Ok(Outcome::Unchanged));
        assert_eq!(catalog.changed_lists().len(), 1);
    }
}
