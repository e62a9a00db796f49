//! Contacts, lists and definitions to rows of a file.

use rpc::convert::proto_time;
use serde_json::{Value as Json, json};

use super::cell::{defuse, guard, join, quote};
use super::columns::{Column, Columns};
use super::start::FileFormat;
use crate::domain::{
    Address, Attribute, Contact, ContactList, Definition, Field, Identity, Key, Line, ListName, Profile,
    Value,
};

/// Writes rows of one file.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    format: FileFormat,
    columns: Columns,
    raw_cells: bool,
}

impl Writer {
    /// Of a file of this format with these columns. `raw_cells`: leaves alone what a spreadsheet would take for a formula.
    pub(crate) fn new(format: FileFormat, columns: Columns, raw_cells: bool) -> Self {
        Self { format, columns, raw_cells }
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The header, if the format has one.
    pub(crate) fn header(&self, into: &mut Vec<u8>) {
        if self.format == FileFormat::Csv {
            self.row(self.columns.names(), into);
        }
    }

    /// A contact, with the lists it is on.
    pub(crate) fn contact(&self, contact: &Contact, lists: &[ListName], into: &mut Vec<u8>) {
        match self.format {
            FileFormat::Csv => {
                let cells = self.columns.as_slice().iter().map(|column| cell(column, contact, lists));
                let defused = |cell| if self.raw_cells { guard(cell) } else { defuse(cell) };
                self.row(cells.map(defused).collect(), into);
            }
            FileFormat::JsonLines => self.object(contact, lists, into),
        }
    }

    fn row(&self, cells: Vec<String>, into: &mut Vec<u8>) {
        // A line of nothing would be blank, and no row.
        if let [only] = &cells[..]
            && only.is_empty()
        {
            into.extend_from_slice(b"\"\"");
        }
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                into.push(b',');
            }
            quote(cell, into);
        }
        into.extend_from_slice(b"\r\n");
    }

    fn object(&self, contact: &Contact, lists: &[ListName], into: &mut Vec<u8>) {
        into.extend_from_slice(br#"{"type":"contact""#);
        let mut attributes = false;
        for column in self.columns.as_slice() {
            if let Column::Attribute(_) = column {
                if !attributes {
                    let chosen =
                        |attribute: &&Attribute| self.columns.has(&Column::Attribute(attribute.key.clone()));
                    let chosen = contact.attributes.iter().filter(chosen);
                    member("attributes", &object_of(chosen.map(|one| (&one.key, &one.value))), into);
                }
                attributes = true;
            } else {
                member(&column.name(), &json_of(column, contact, lists), into);
            }
        }
        into.extend_from_slice(b"}\n");
    }
}

/// A list, as a line of JSON Lines.
pub(crate) fn list(list: &ContactList, into: &mut Vec<u8>) {
    into.extend_from_slice(br#"{"type":"list""#);
    member("display_name", &list.display_name.as_str().into(), into);
    member("description", &list.description.as_str().into(), into);
    into.extend_from_slice(b"}\n");
}

/// A definition, as a line of JSON Lines. `archived` is said only once no value follows: an archived attribute takes none.
pub(crate) fn definition(definition: &Definition, values_follow: bool, into: &mut Vec<u8>) {
    into.extend_from_slice(br#"{"type":"attribute_definition""#);
    member("key", &definition.key.as_str().into(), into);
    member("value_type", &definition.value_type.as_str().into(), into);
    member("display_name", &definition.display_name.as_str().into(), into);
    member("description", &definition.description.as_str().into(), into);
    member("choices", &definition.choices.as_slice().iter().map(Line::as_str).collect(), into);
    if !(definition.archived && values_follow) {
        member("archived", &definition.archived.into(), into);
    }
    into.extend_from_slice(b"}\n");
}

fn member(name: &str, value: &Json, into: &mut Vec<u8>) {
    // Names are ours and need no escape; a value is written as compactly as it can be.
    into.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
}

/// Keys in their order, whichever map the JSON library has.
fn object_of<'a>(attributes: impl Iterator<Item = (&'a Key, &'a Value)>) -> Json {
    attributes.map(|(key, value)| (key.as_str().to_owned(), json_value(value))).collect()
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Choice(text) => text.as_str().into(),
        Value::Number(number) => number.get().into(),
        Value::Boolean(yes) => (*yes).into(),
        Value::Date(day) => day.as_str().into(),
        Value::Link(link) => link.as_str().into(),
    }
}

fn json_of(column: &Column, contact: &Contact, lists: &[ListName]) -> Json {
    let profile = &contact.profile;
    match column {
        Column::Field(Field::Emails) => profile.emails.iter().map(|email| email.as_str()).collect(),
        Column::Field(Field::Phones) => profile.phones.iter().map(|phone| phone.as_str()).collect(),
        Column::Tags => contact.tags.iter().map(|tag| tag.as_str()).collect(),
        Column::Lists => lists.iter().map(|list| list.as_str()).collect(),
        Column::Identities => identities(contact)
            .map(|one| json!({"channel": one.channel.as_str(), "address": one.address}))
            .collect(),
        Column::Blocked => contact.block.is_some().into(),
        other => cell(other, contact, lists).into(),
    }
}

fn cell(column: &Column, contact: &Contact, lists: &[ListName]) -> String {
    let profile = &contact.profile;
    match column {
        Column::ContactId => contact.contact_id.to_string(),
        Column::Field(Field::Emails) => join(profile.emails.iter().map(|email| email.as_str())),
        Column::Field(Field::Phones) => join(profile.phones.iter().map(|phone| phone.as_str())),
        Column::Field(field) => line(*field, profile).to_owned(),
        Column::Tags => join(contact.tags.iter().map(|tag| tag.as_str())),
        Column::Lists => join(lists.iter().map(|list| list.as_str())),
        Column::Identities => {
            let written: Vec<String> =
                identities(contact).map(|one| format!("{}:{}", one.channel.as_str(), one.address)).collect();
            join(written.iter().map(String::as_str))
        }
        Column::Attribute(key) => {
            let value = contact.attributes.iter().find(|attribute| attribute.key == *key);
            value.map(|attribute| text_of(&attribute.value)).unwrap_or_default()
        }
        Column::Blocked => contact.block.is_some().to_string(),
        Column::CreateTime => proto_time(contact.create_time).to_string(),
        Column::UpdateTime => proto_time(contact.update_time).to_string(),
        Column::Reject => String::new(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Choice(text) => text.as_str().to_owned(),
        Value::Number(number) => number.get().to_string(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Date(day) => day.as_str().to_owned(),
        Value::Link(link) => link.as_str().to_owned(),
    }
}

/// The text of a field that has one.
fn line(field: Field, profile: &Profile) -> &str {
    match field {
        Field::DisplayName => profile.display_name.as_str(),
        Field::GivenName => profile.given_name.as_str(),
        Field::FamilyName => profile.family_name.as_str(),
        Field::ExternalId => profile.external_id.as_str(),
        Field::Language => profile.language.as_str(),
        Field::TimeZone => profile.time_zone.as_str(),
        Field::DefaultChannel => profile.default_channel.as_str(),
        Field::AvatarUrl => profile.avatar_url.as_str(),
        Field::Company => profile.company.as_str(),
        Field::Location => profile.location.as_str(),
        Field::Emails | Field::Phones => "",
    }
}

/// The identities that the profile does not bring along.
fn identities(contact: &Contact) -> impl Iterator<Item = &Identity> {
    let implied = contact.profile.addresses();
    contact.identities.iter().filter(move |identity| {
        let address = Address::parse(identity.channel.clone(), &identity.address);
        !address.is_ok_and(|address| implied.iter().any(|one| one.key() == address.key()))
    })
}
