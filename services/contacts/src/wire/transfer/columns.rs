//! Which columns there are, and the header of a CSV.

use std::collections::BTreeSet;

use kernel::Malformed;

use crate::domain::{Field, Key};

/// Before the key of an attribute.
const ATTRIBUTE: &str = "attribute.";
/// Columns that begin with it are those of a file of rejected rows.
const REJECT: &str = "reject.";

/// Something that a file has of a contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// `contact_id`
    ContactId,
    /// A field of the profile.
    Field(Field),
    /// `tags`
    Tags,
    /// `lists`
    Lists,
    /// `identities`
    Identities,
    /// `attribute.KEY`
    Attribute(Key),
    /// `blocked`: written, not read.
    Blocked,
    /// `create_time`: written, not read.
    CreateTime,
    /// `update_time`: written, not read.
    UpdateTime,
    /// A column of a file of rejected rows: neither written nor read.
    Reject,
}

impl Column {
    /// All that are not attributes, in the order in which they are written; attributes come where `blocked` begins.
    const ALL: [Self; 19] = [
        Self::ContactId,
        Self::Field(Field::ExternalId),
        Self::Field(Field::DisplayName),
        Self::Field(Field::GivenName),
        Self::Field(Field::FamilyName),
        Self::Field(Field::Emails),
        Self::Field(Field::Phones),
        Self::Field(Field::Language),
        Self::Field(Field::TimeZone),
        Self::Field(Field::DefaultChannel),
        Self::Field(Field::AvatarUrl),
        Self::Field(Field::Company),
        Self::Field(Field::Location),
        Self::Tags,
        Self::Lists,
        Self::Identities,
        Self::Blocked,
        Self::CreateTime,
        Self::UpdateTime,
    ];

    /// Its name in a header, and its field in JSON.
    pub(crate) fn name(&self) -> String {
        let fixed = match self {
            Self::ContactId => "contact_id",
            Self::Field(field) => field.path(),
            Self::Tags => "tags",
            Self::Lists => "lists",
            Self::Identities => "identities",
            Self::Attribute(key) => return format!("{ATTRIBUTE}{}", key.as_str()),
            Self::Blocked => "blocked",
            Self::CreateTime => "create_time",
            Self::UpdateTime => "update_time",
            Self::Reject => REJECT,
        };
        fixed.to_owned()
    }

    /// The column of this name, as it is written.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name.starts_with(REJECT) {
            return Some(Self::Reject);
        }
        if let Some(key) = name.strip_prefix(ATTRIBUTE) {
            return Key::parse(key).ok().map(Self::Attribute);
        }
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The column that a person means by a cell of a header: without regard to case, with spaces or hyphens for underscores, and
    /// with the names that other programs give to some of them.
    fn meant(cell: &str) -> Option<Self> {
        let name = cell.trim().to_lowercase().replace([' ', '-'], "_");
        let name = match name.as_str() {
            "email" | "e_mail" | "e_mails" => "emails",
            "phone" | "phone_number" | "phone_numbers" => "phones",
            "name" | "full_name" => "display_name",
            "first_name" => "given_name",
            "last_name" | "surname" => "family_name",
            "tag" => "tags",
            "list" => "lists",
            other => other,
        };
        Self::named(name)
    }
}

/// What a file has of each contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<Column>);

impl Columns {
    /// Reads the header of a CSV.
    ///
    /// # Errors
    /// [`Malformed`] naming every column that there is not, or that is there twice. If no cell is a column, the line is no header but
    /// somebody's data, which is not repeated.
    pub(crate) fn of_header(cells: &[Vec<u8>]) -> Result<Self, Malformed> {
        let cells: Result<Vec<&str>, _> = cells.iter().map(|cell| std::str::from_utf8(cell)).collect();
        let cells = cells.map_err(|_| malformed("is not UTF-8: save the file as \"CSV UTF-8\""))?;
        let read: Vec<Option<Column>> = cells.iter().map(|cell| Column::meant(cell)).collect();
        if read.iter().all(Option::is_none) {
            return Err(malformed(
                "is missing: the first line must name columns such as external_id, emails",
            ));
        }
        let unknown = cells.iter().zip(&read).enumerate().filter(|(_, (_, column))| column.is_none());
        let unknown: Vec<String> = unknown.map(|(index, (cell, _))| shown(cell, index)).collect();
        if !unknown.is_empty() {
            return Err(malformed(format!("has columns which there are not: {}", unknown.join(", "))));
        }
        Self::of(read.into_iter().flatten().collect())
    }

    /// Reads the names of columns to write, each as it is written.
    ///
    /// # Errors
    /// [`Malformed`] naming those that there are not, or that are there twice.
    pub(crate) fn to_write(names: &[String], attributes: &[Key]) -> Result<Self, Malformed> {
        let attributes = || attributes.iter().cloned().map(Column::Attribute);
        if names.is_empty() {
            let (front, back) = Column::ALL.split_at(Column::ALL.len() - 3);
            let all = front.iter().cloned().chain(attributes()).chain(back.iter().cloned());
            return Self::of(all.collect());
        }
        let mut columns = Vec::new();
        let mut unknown = Vec::new();
        for name in names {
            match Column::named(name).filter(|column| *column != Column::Reject) {
                _ if name == "attributes" => columns.extend(attributes()),
                Some(Column::Attribute(key))
                    if !attributes().any(|one| one == Column::Attribute(key.clone())) =>
                {
                    unknown.push(name.as_str());
                }
                Some(column) => columns.push(column),
                None => unknown.push(name.as_str()),
            }
        }
        if unknown.is_empty() {
            return Self::of(columns);
        }
        let unknown = unknown.join(", ");
        Err(Malformed::new(format!("must be columns that there are, and not {unknown}")).at("columns"))
    }

    /// The names of columns which were read before.
    pub(crate) fn again(names: &[String]) -> Option<Self> {
        names.iter().map(|name| Column::named(name)).collect::<Option<Vec<_>>>().map(Self)
    }

    fn of(columns: Vec<Column>) -> Result<Self, Malformed> {
        let mut seen = BTreeSet::new();
        let twice = columns.iter().find(|column| **column != Column::Reject && !seen.insert(*column));
        match twice {
            None => Ok(Self(columns)),
            Some(twice) => Err(malformed(format!("has the column {} twice", twice.name()))),
        }
    }

    /// In their order.
    pub(crate) fn as_slice(&self) -> &[Column] {
        &self.0
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(Column::name).collect()
    }

    /// The attributes among them.
    pub(crate) fn attributes(&self) -> Vec<Key> {
        let key = |column: &Column| match column {
            Column::Attribute(key) => Some(key.clone()),
            _ => None,
        };
        self.0.iter().filter_map(key).collect()
    }

    /// Whether this is among them.
    pub(crate) fn has(&self, column: &Column) -> bool {
        self.0.contains(column)
    }
}

fn malformed(reason: impl Into<std::borrow::Cow<'static, str>>) -> Malformed {
    Malformed::new(reason).at("header")
}

/// The name of a column, if it looks like one; a header may be broken, and hold anything.
fn shown(cell: &str, index: usize) -> String {
    let name = cell.trim();
    if is_a_name(name) { name.to_owned() } else { format!("(column {})", index + 1) }
}

/// Whether a text may be the name of a column. What is none may be a value in the wrong place, and is not repeated.
pub(super) fn is_a_name(text: &str) -> bool {
    let of_a_name = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '_' | '-' | '.');
    !text.is_empty() && text.chars().count() <= 40 && text.chars().all(of_a_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Result<Vec<String>, String> {
        let cells: Vec<Vec<u8>> = line.split(',').map(|cell| cell.as_bytes().to_vec()).collect();
        let read = Columns::of_header(&cells);
        read.map(|columns| columns.names()).map_err(|malformed| malformed.reason().to_owned())
    }

    // C10
    #[test]
    fn a_header_is_read_as_people_write_it() {
        let names = header("External ID, E-Mail,Phone,First name,attribute.plan,reject.line").unwrap();
        assert_eq!(names, ["external_id", "emails", "phones", "given_name", "attribute.plan", "reject."]);
    }

    // C10
    #[test]
    fn columns_that_there_are_not_are_named_and_data_is_not() {
        let said = header("emails,shoe size,favourite,a@x.org").unwrap_err();
        assert_eq!(said, "has columns which there are not: shoe size, favourite, (column 4)");
        let said = header("Ana Angstrom,ana@example.com").unwrap_err();
        assert!(said.starts_with("is missing") && !said.contains("Ana") && !said.contains('@'), "{said}");
        assert_eq!(header("email,emails").unwrap_err(), "has the column emails twice");
        assert_eq!(header("Emails,Attribute.Plan").unwrap(), ["emails", "attribute.plan"]);
        assert!(header("emails,attribute.1").is_err());
        assert!(Columns::of_header(&[b"\xff\xfee\x00".to_vec()]).unwrap_err().reason().contains("UTF-8"));
    }

    // C10
    #[test]
    fn only_the_columns_asked_for_are_written() {
        let plan = [Key::parse("plan").unwrap()];
        let write = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Columns::to_write(&names, &plan)
        };
        assert_eq!(write(&["tags", "attributes"]).unwrap().names(), ["tags", "attribute.plan"]);
        let all = write(&[]).unwrap();
        assert_eq!(Columns::again(&all.names()).unwrap(), all);
        assert_eq!(all.as_slice().len(), 20);
        for unknown in ["email", "attribute.age", "reject.line", "", "Tags"] {
            assert_eq!(write(&["tags", unknown]).unwrap_err().field(), Some("columns"), "{unknown}");
        }
        assert!(write(&["tags", "tags"]).is_err());
    }
}
