//! What contacts are found by (C5): words of what is known of them, and whole tags and attribute values.

use std::collections::BTreeSet;

use kernel::Malformed;
use serde::{Deserialize, Serialize};

use super::attribute::Value;
use super::fold::fold;
use super::words::stored;
use super::{Attribute, Contact, Tag};

/// Characters of a text or link that can be asked for as a whole.
pub(super) const MOST_WHOLE: usize = 200;

/// Where something is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SearchField {
    /// Display, given and family name.
    Name,
    /// Email addresses.
    Email,
    /// Phone numbers.
    Phone,
    /// Addresses on other channels.
    Identity,
    /// The external id.
    ExternalId,
    /// The company.
    Company,
    /// The location.
    Location,
    /// Tags.
    Tag,
    /// Values of attributes.
    Attribute,
}

impl SearchField {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Identity,
        Self::ExternalId,
        Self::Company,
        Self::Location,
        Self::Tag,
        Self::Attribute,
    ];

    /// As it is stored: the number of the contract.
    pub const fn code(self) -> i32 {
        match self {
            Self::Name => 1,
            Self::Email => 2,
            Self::Phone => 3,
            Self::Identity => 4,
            Self::ExternalId => 5,
            Self::Company => 6,
            Self::Location => 7,
            Self::Tag => 8,
            Self::Attribute => 9,
        }
    }

    /// The tier of words found here.
    const fn tier(self) -> Tier {
        match self {
            Self::Name => Tier::Name,
            Self::Email | Self::Phone | Self::Identity | Self::ExternalId => Tier::Address,
            Self::Company | Self::Location | Self::Tag | Self::Attribute => Tier::Other,
        }
    }
}

db::read_as!(SearchField: i32);

impl TryFrom<i32> for SearchField {
    type Error = Malformed;

    fn try_from(code: i32) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|field| field.code() == code);
        known.ok_or_else(|| Malformed::new("must be a search field"))
    }
}

/// How much it says that something is found there: names most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub enum Tier {
    /// A word of a name.
    Name,
    /// A word of an address or id.
    Address,
    /// A word of anything else.
    Other,
    /// A whole tag or attribute value.
    Whole,
}

impl Tier {
    /// As it is stored, in the order of the rank.
    pub const fn code(self) -> i32 {
        match self {
            Self::Name => 0,
            Self::Address => 1,
            Self::Other => 2,
            Self::Whole => 3,
        }
    }
}

impl From<Tier> for i32 {
    fn from(tier: Tier) -> Self {
        tier.code()
    }
}

db::read_as!(Tier: i32);

impl TryFrom<i32> for Tier {
    type Error = Malformed;

    fn try_from(code: i32) -> Result<Self, Malformed> {
        let known = [Self::Name, Self::Address, Self::Other, Self::Whole]
            .into_iter()
            .find(|tier| tier.code() == code);
        known.ok_or_else(|| Malformed::new("is no tier"))
    }
}

/// One thing that a contact is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The word, or a sign and the whole value.
    pub word: String,
    /// Where it is.
    pub field: SearchField,
    /// The key of the attribute, if it is of one.
    pub attribute_key: String,
    /// Its place in the rank.
    pub tier: Tier,
}

/// Everything that the contact is found by.
pub fn entries(contact: &Contact) -> BTreeSet<Entry> {
    let mut found = BTreeSet::new();
    let profile = &contact.profile;
    for name in [&profile.display_name, &profile.given_name, &profile.family_name] {
        add(&mut found, SearchField::Name, name.as_str());
    }
    for email in &profile.emails {
        add(&mut found, SearchField::Email, email.as_str());
    }
    for phone in &profile.phones {
        for form in phone.searchable() {
            add(&mut found, SearchField::Phone, &form);
        }
    }
    for identity in &contact.identities {
        let field = match identity.channel.as_str() {
            "email" => SearchField::Email,
            "phone" | "sms" | "whatsapp" => SearchField::Phone,
            _ => SearchField::Identity,
        };
        add(&mut found, field, &identity.address);
    }
    add(&mut found, SearchField::ExternalId, profile.external_id.as_str());
    add(&mut found, SearchField::Company, profile.company.as_str());
    add(&mut found, SearchField::Location, profile.location.as_str());
    for tag in &contact.tags {
        add(&mut found, SearchField::Tag, tag.as_str());
        found.insert(whole(SearchField::Tag, String::new(), whole_tag(tag)));
    }
    for attribute in &contact.attributes {
        add_attribute(&mut found, attribute);
    }
    found
}

fn add(found: &mut BTreeSet<Entry>, field: SearchField, text: &str) {
    found.extend(words(field, "", text));
}

fn add_attribute(found: &mut BTreeSet<Entry>, Attribute { key, value }: &Attribute) {
    let text = match value {
        Value::Text(text) | Value::Choice(text) => text.as_str().to_owned(),
        Value::Date(date) => date.as_str().to_owned(),
        Value::Link(link) => link.as_str().split_once("://").map_or("", |(_, rest)| rest).to_owned(),
        Value::Number(number) => number.get().to_string(),
        // "true" says nothing without its key.
        Value::Boolean(_) => String::new(),
    };
    found.extend(words(SearchField::Attribute, key.as_str(), &text));
    if let Some(word) = whole_attribute(key.as_str(), value) {
        found.insert(whole(SearchField::Attribute, key.as_str().to_owned(), word));
    }
}

fn words(field: SearchField, attribute_key: &str, text: &str) -> Vec<Entry> {
    let entry = |word| Entry { word, field, attribute_key: attribute_key.to_owned(), tier: field.tier() };
    stored(text).into_iter().map(entry).collect()
}

fn whole(field: SearchField, attribute_key: String, word: String) -> Entry {
    Entry { word, field, attribute_key, tier: Tier::Whole }
}

// No word begins with an ASCII sign, so these are never taken for words.
pub(super) fn whole_tag(tag: &Tag) -> String {
    format!("#{}", tag.as_str())
}

/// The entry of an attribute with this value; none for a text too long to be asked for as a whole.
pub(super) fn whole_attribute(key: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        Value::Link(link) => link.as_str(),
        Value::Choice(choice) => return Some(format!("={key}={}", choice.as_str())),
        Value::Date(date) => return Some(format!("={key}={}", date.as_str())),
        Value::Number(number) => return Some(format!("={key}={}", String::from(*number))),
        Value::Boolean(yes) => return Some(format!("={key}={yes}")),
    };
    (text.chars().count() <= MOST_WHOLE).then(|| format!("={key}={}", fold(text)))
}

#[cfg(test)]
mod tests {
    use super::SearchField;

    #[test]
    fn the_fields_are_the_contracts() {
        use proto::contacts::v1::SearchField as Pb;
        for field in SearchField::ALL {
            let name = format!("{field:?}").to_lowercase();
            let theirs = Pb::try_from(field.code()).unwrap().as_str_name().to_lowercase().replace('_', "");
            assert_eq!(theirs, format!("searchfield{name}"));
        }
        assert!(SearchField::try_from(0).is_err() && SearchField::try_from(10).is_err());
    }
}
