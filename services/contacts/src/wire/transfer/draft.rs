//! What a record says, text by text, held against the contract's rules.

use std::collections::BTreeMap;

use kernel::{ContactId, Malformed};
use proto::contacts::v1 as pb;
use proto::{Validate, Violation};

use crate::domain::transfer::{ContactRow, MOST_ADDRESSES, Row, RowViolation, Said};
use crate::domain::{
    Address, Channel, Email, Field, Key, Line, ListName, MOST_DEFINITIONS, MOST_LISTS, MOST_TAGS, Mask,
    Phone, Profile, Tag,
};

/// Tags that the contract's rule looks at in one request.
const TAGS_AT_ONCE: usize = 50;
/// The most identities that a row may name.
const MOST_IDENTITIES: usize = 1_000;
/// What is said of one row at most: a row may be a megabyte of things that are wrong.
pub(super) const MOST_VIOLATIONS: usize = 20;

/// What a record says of a contact, before it is checked.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) contact_id: Option<String>,
    pub(super) fields: BTreeMap<Field, Vec<String>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) lists: Option<Vec<String>>,
    /// Channel and address.
    pub(super) identities: Vec<(String, String)>,
    pub(super) attributes: Vec<(String, Said)>,
    pub(super) all_attributes: bool,
}

/// What is wrong with a draft.
struct Wrong(Vec<RowViolation>);

impl Wrong {
    fn keep<T>(&mut self, field: impl Into<String>, read: Result<T, Malformed>) -> Option<T> {
        read.map_err(|malformed| self.add(field.into(), malformed.reason())).ok()
    }

    /// What is wrong with a field is said once.
    fn add(&mut self, field: String, description: &str) {
        if self.0.len() < MOST_VIOLATIONS && self.0.iter().all(|violation| violation.field != field) {
            self.0.push(RowViolation { field, description: description.to_owned() });
        }
    }

    fn rules(&mut self, violations: Vec<Violation>, field: impl Fn(&str) -> String) {
        for violation in violations {
            self.add(field(&violation.field), &violation.description);
        }
    }
}

impl Draft {
    /// Notes the text of a field; `split` cuts that of emails and phones.
    pub(super) fn field(&mut self, field: Field, text: &str, split: impl Fn(&str) -> Vec<String>) {
        let texts = match field {
            Field::Emails | Field::Phones => split(text).iter().map(|one| one.trim().to_owned()).collect(),
            _ if text.is_empty() => Vec::new(),
            _ => vec![text.to_owned()],
        };
        self.fields.insert(field, texts);
    }

    /// Checks everything; `wrong` is what could not even be read. Unless it replaces, what is empty says nothing.
    pub(super) fn read(mut self, replace: bool, wrong: Vec<RowViolation>) -> Row {
        if !replace {
            self.fields.retain(|_, texts| !texts.is_empty());
            self.tags = self.tags.filter(|tags| !tags.is_empty());
            self.lists = self.lists.filter(|lists| !lists.is_empty());
            self.attributes.retain(|(_, said)| *said != Said::Nothing);
        }
        let mut wrong = Wrong(wrong);
        self.too_many(&mut wrong);
        let contact_id = self.contact_id.take().filter(|id| !id.is_empty());
        let contact_id = contact_id.and_then(|id| wrong.keep("contact_id", contact_id_of(&id)));
        let row = ContactRow {
            contact_id,
            profile: self.profile(&mut wrong),
            fields: Mask::of(self.fields.keys().copied()),
            tags: self.tags.as_ref().map(|texts| tags(texts, &mut wrong).into_iter().collect()),
            lists: self.lists.as_ref().map(|names| lists(names, &mut wrong)),
            identities: identities(&self.identities, &mut wrong),
            attributes: self.attributes(&mut wrong),
            all_attributes: replace && self.all_attributes,
            wrong: Vec::new(),
        };
        // Whether the attributes are of their types is seen where the definitions are, so that one answer names all that is wrong.
        let row = if wrong.0.is_empty() {
            row
        } else {
            ContactRow { attributes: row.attributes, wrong: wrong.0, ..ContactRow::default() }
        };
        Row::Contact(Box::new(row))
    }

    /// Leaves out what is more than there may be, before each of it is looked at.
    fn too_many(&mut self, wrong: &mut Wrong) {
        let mut within = |field: &str, count: usize, most: usize| {
            if count > most {
                wrong.add(field.to_owned(), &format!("may be {most} at most, and are {count}"));
            }
            most
        };
        for field in [Field::Emails, Field::Phones] {
            if let Some(texts) = self.fields.get_mut(&field) {
                texts.truncate(within(field.path(), texts.len(), MOST_ADDRESSES));
            }
        }
        if let Some(tags) = &mut self.tags {
            tags.truncate(within("tags", tags.len(), MOST_TAGS));
        }
        if let Some(lists) = &mut self.lists {
            lists.truncate(within("lists", lists.len(), usize::try_from(MOST_LISTS).unwrap_or(usize::MAX)));
        }
        self.identities.truncate(within("identities", self.identities.len(), MOST_IDENTITIES));
        self.attributes.truncate(within("attributes", self.attributes.len(), MOST_DEFINITIONS));
    }

    fn profile(&self, wrong: &mut Wrong) -> Profile {
        let texts = |field| self.fields.get(&field).cloned().unwrap_or_default();
        let text = |field| texts(field).into_iter().next().unwrap_or_default();
        let said = pb::ContactProfile {
            display_name: text(Field::DisplayName),
            given_name: text(Field::GivenName),
            family_name: text(Field::FamilyName),
            emails: texts(Field::Emails),
            phones: texts(Field::Phones),
            external_id: text(Field::ExternalId),
            language: text(Field::Language),
            time_zone: text(Field::TimeZone),
            default_channel: text(Field::DefaultChannel),
            avatar_url: text(Field::AvatarUrl),
            company: text(Field::Company),
            location: text(Field::Location),
        };
        wrong.rules(said.violations(), str::to_owned);
        let mut line =
            |field: Field, text: &str| wrong.keep(field.path(), Line::parse(text)).unwrap_or_default();
        let profile = Profile {
            display_name: line(Field::DisplayName, &said.display_name),
            given_name: line(Field::GivenName, &said.given_name),
            family_name: line(Field::FamilyName, &said.family_name),
            emails: Vec::new(),
            phones: Vec::new(),
            external_id: line(Field::ExternalId, &said.external_id),
            language: line(Field::Language, &said.language),
            time_zone: line(Field::TimeZone, &said.time_zone),
            default_channel: line(Field::DefaultChannel, &said.default_channel),
            avatar_url: line(Field::AvatarUrl, &said.avatar_url),
            company: line(Field::Company, &said.company),
            location: line(Field::Location, &said.location),
        };
        let emails = all("emails", &said.emails, wrong, Email::parse);
        let phones = all("phones", &said.phones, wrong, Phone::parse);
        Profile { emails, phones, ..profile }.without_repeats()
    }

    fn attributes(&self, wrong: &mut Wrong) -> Vec<(Key, Said)> {
        let read =
            |(key, said): &(String, Said)| Some((wrong.keep("attributes", Key::parse(key))?, said.clone()));
        self.attributes.iter().filter_map(read).collect()
    }
}

/// The id of a contact elsewhere. Ids carry the time of their making, and lists are in their order: only such are taken.
fn contact_id_of(text: &str) -> Result<ContactId, Malformed> {
    let id = ContactId::parse(text)?;
    if id.as_uuid().get_version_num() != 7 {
        return Err(Malformed::new("is not a UUIDv7, as the ids of contacts are"));
    }
    Ok(id)
}

fn all<T>(
    field: &str,
    texts: &[String],
    wrong: &mut Wrong,
    parse: impl Fn(&str) -> Result<T, Malformed>,
) -> Vec<T> {
    let indexed = texts.iter().enumerate();
    indexed.filter_map(|(index, text)| wrong.keep(format!("{field}[{index}]"), parse(text))).collect()
}

fn tags(texts: &[String], wrong: &mut Wrong) -> Vec<Tag> {
    for (index, add) in texts.chunks(TAGS_AT_ONCE).enumerate() {
        let said = pb::TagContactRequest {
            contact_id: uuid::Uuid::nil().to_string(),
            add: add.to_vec(),
            remove: Vec::new(),
        };
        let first = index * TAGS_AT_ONCE;
        wrong.rules(said.violations(), |field| format!("tags[{}]", first + index_of(field)));
    }
    all("tags", texts, wrong, Tag::parse)
}

/// The index in `add[3]`.
fn index_of(field: &str) -> usize {
    let digits = field.trim_start_matches("add[").trim_end_matches(']');
    digits.parse().unwrap_or_default()
}

fn lists(names: &[String], wrong: &mut Wrong) -> Vec<ListName> {
    for (index, name) in names.iter().enumerate() {
        let said = pb::CreateListRequest { display_name: name.clone(), ..pb::CreateListRequest::default() };
        wrong.rules(said.violations(), |_| format!("lists[{index}]"));
    }
    all("lists", names, wrong, ListName::parse)
}

fn identities(said: &[(String, String)], wrong: &mut Wrong) -> Vec<Address> {
    let read = |(index, (channel, address)): (usize, &(String, String))| {
        let field = format!("identities[{index}]");
        let request = pb::ResolveContactRequest {
            channel: channel.clone(),
            address: address.clone(),
            display_name: String::new(),
        };
        wrong.rules(request.violations(), |_| field.clone());
        // The profile would not show it.
        if matches!(channel.as_str(), "email" | "phone") {
            wrong.add(
                field.clone(),
                "is an email address or a phone number: it belongs into emails or phones",
            );
        }
        let address = Channel::parse(channel).and_then(|channel| Address::parse(channel, address));
        wrong.keep(field, address)
    };
    said.iter().enumerate().filter_map(read).collect()
}
