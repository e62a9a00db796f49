//! What a row of a file says.

use std::collections::BTreeSet;

use kernel::ContactId;
use serde::{Deserialize, Serialize};

use super::{RowViolation, Said};
use crate::domain::{Address, AddressKey, Key, Line, ListName, Mask, Profile, Tag, ValueType};

/// What rows may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Make contacts and change them.
    Upsert,
    /// Only make them.
    CreateOnly,
    /// Only change them.
    UpdateOnly,
}

/// How rows are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// What they may do.
    pub mode: Mode,
    /// Whether a row says all there is to what it names, or adds to it.
    pub replace: bool,
    /// Whether attributes may be defined.
    pub may_define: bool,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Of a contact.
    Contact(Box<ContactRow>),
    /// Of a list.
    List(ListRow),
    /// Of the definition of an attribute.
    Definition(DefinitionRow),
}

impl Row {
    /// Whether rows of this kind and of that one go in together.
    pub fn is_alike(&self, other: &Self) -> bool {
        matches!(self, Self::Contact(_)) == matches!(other, Self::Contact(_))
    }
}

/// What a row says of a contact. What it does not say stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactRow {
    /// The contact's id where the file comes from.
    pub contact_id: Option<ContactId>,
    /// The profile, as far as it says something of it.
    pub profile: Profile,
    /// Of which fields.
    pub fields: Mask,
    /// Tags.
    pub tags: Option<BTreeSet<Tag>>,
    /// Lists, by name.
    pub lists: Option<Vec<ListName>>,
    /// Addresses on channels, beside emails and phones.
    pub identities: Vec<Address>,
    /// Attributes.
    pub attributes: Vec<(Key, Said)>,
    /// Whether these are all that the contact has.
    pub all_attributes: bool,
    /// What breaks a rule. Nothing of the row goes in then; its attributes are there to say what else is wrong.
    pub wrong: Vec<RowViolation>,
}

impl ContactRow {
    /// Every address by which the contact may be known, in the order in which they are looked for, and where the row names it.
    pub fn keys(&self) -> Vec<(String, AddressKey)> {
        let emails = self.profile.emails.iter().map(Address::of_email).enumerate();
        let phones = self.profile.phones.iter().map(Address::of_phone).enumerate();
        let identities = self.identities.iter().enumerate();
        let emails = emails.map(|(index, address)| (format!("emails[{index}]"), address.key().clone()));
        let phones = phones.map(|(index, address)| (format!("phones[{index}]"), address.key().clone()));
        let identities = identities.flat_map(|(index, address)| {
            let through = address.owned_through();
            let keys = std::iter::once(address.key().clone()).chain(through.map(|one| one.key().clone()));
            keys.map(move |key| (format!("identities[{index}]"), key))
        });
        emails.chain(phones).chain(identities).collect()
    }

    /// Whether the contact would be found again.
    pub fn has_key(&self) -> bool {
        let named = self.contact_id.is_some() || !self.profile.external_id.is_empty();
        named
            || !self.profile.emails.is_empty()
            || !self.profile.phones.is_empty()
            || !self.identities.is_empty()
    }
}

/// What a row says of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Its name.
    pub display_name: ListName,
    /// What it is for, if it says so.
    pub description: Option<Line>,
}

/// What a row says of the definition of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionRow {
    /// Names it.
    pub key: Key,
    /// The type of its values.
    pub value_type: ValueType,
    /// What people call it, if it says so.
    pub display_name: Option<Line>,
    /// What it is for, if it says so.
    pub description: Option<Line>,
    /// What may be chosen, in addition to what may be already.
    pub choices: Vec<Line>,
    /// Whether new values are refused, if it says so.
    pub archived: Option<bool>,
}
