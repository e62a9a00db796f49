//! Named lists of contacts (C3).

use kernel::{Malformed, Timestamp, id_type};
use serde::{Deserialize, Serialize};

use super::fold::fold;
use super::{Line, line::visible};

/// Lists of one organization: a person has to find one among them.
pub const MOST_LISTS: i64 = 1_000;

id_type!(
    /// A list of contacts.
    ListId
);

/// What a list is called: one line, not blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct ListName(String);

impl ListName {
    /// Checks the name and keeps it as it is written; its length is the contract's matter.
    ///
    /// # Errors
    /// [`Malformed`] when it is blank or has a control character.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        visible(text)?;
        if fold(text).trim().is_empty() {
            return Err(Malformed::new("is required"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are compared: without case, accents and the space around.
    pub fn key(&self) -> String {
        fold(&self.0).trim().to_owned()
    }
}

/// A list of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactList {
    /// Its id.
    pub list_id: ListId,
    /// Grows by one with every change of name and description; begins with 1.
    pub version: i64,
    /// What it is called.
    pub display_name: ListName,
    /// What it is for.
    pub description: Line,
    /// How many contacts are on it.
    pub member_count: i64,
    /// When it was made.
    pub create_time: Timestamp,
    /// When name or description last changed.
    pub update_time: Timestamp,
}

/// What of a list shall be otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListChange {
    /// The new name.
    pub display_name: Option<ListName>,
    /// The new description.
    pub description: Option<Line>,
}

impl ListChange {
    /// The list with the change.
    pub fn over(self, old: &ContactList) -> ContactList {
        let mut new = old.clone();
        new.display_name = self.display_name.unwrap_or(new.display_name);
        new.description = self.description.unwrap_or(new.description);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::ListName;

    #[test]
    fn names_are_compared_without_case_and_accents() {
        let key = |text| ListName::parse(text).unwrap().key();
        assert_eq!(key(" Ärger "), key("arger"));
        assert_ne!(key("a b"), key("ab"));
        assert_eq!(ListName::parse(" Ärger ").unwrap().as_str(), " Ärger ");
        for bad in ["", "  ", "\u{301}", "a\nb"] {
            assert!(ListName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
