//! What becomes of two contacts who are one person (C6).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ContactId, Malformed, MergeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::attribute::Value;
use super::{Actor, Address, Attribute, Contact, Field, Identity, Key, Line, ListId, MOST_TAGS, Profile};

/// Emails, and phones, of one contact: as many as the contract lets a profile have.
const MOST_ADDRESSES: usize = 20;

/// Addresses by which channels know one contact: every page with the contact has to carry them all.
const MOST_IDENTITIES: usize = 500;

/// A merge that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Its id.
    pub merge_id: MergeId,
    /// The contact that went.
    pub from: ContactId,
    /// The contact that stayed.
    pub into: ContactId,
    /// Who did it, and when.
    pub done: Deed,
    /// Who took it back, and when; nothing while it stands.
    pub undone: Option<Deed>,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub actor: Actor,
    /// When.
    pub time: Timestamp,
}

/// One of the two contacts of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The contact.
    pub contact: Contact,
    /// The lists that it is on.
    pub lists: BTreeSet<ListId>,
}

/// Everything that it takes to take a merge back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The contact that went, as it was.
    pub from: Side,
    /// The contact that stayed, as it was.
    pub into: Side,
    /// What became of the two.
    pub merged: Side,
}

/// Something of which a contact has one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Single {
    /// A text of the profile.
    Profile(Field),
    /// An attribute.
    Attribute(Key),
}

impl Single {
    /// Reads a path such as `company` or `attributes.plan`.
    ///
    /// # Errors
    /// [`Malformed`] when it names nothing of which a contact has one value.
    pub fn parse(path: &str) -> Result<Self, Malformed> {
        if let Some(key) = path.strip_prefix("attributes.") {
            return Key::parse(key).map(Self::Attribute);
        }
        let field = fields().find(|field| field.path() == path).map(Self::Profile);
        let reason = "must be a field with one value, such as company, or attributes. and a key";
        field.ok_or_else(|| Malformed::new(reason))
    }

    /// The path.
    pub fn path(&self) -> String {
        match self {
            Self::Profile(field) => field.path().to_owned(),
            Self::Attribute(key) => format!("attributes.{}", key.as_str()),
        }
    }
}

/// Something of which the two contacts have different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What.
    pub of: Single,
    /// The value of the contact that goes.
    pub from: String,
    /// The value of the contact that stays.
    pub into: String,
}

/// The merged contact would have more of something than a contact may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// Of what: a field of the contract's contact.
    pub of: &'static str,
    /// How many it may have.
    pub limit: usize,
}

/// What a merge does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Union {
    /// What becomes of the two. Its version and times are still those of the contact that stays.
    pub merged: Side,
    /// Where they disagree.
    pub conflicts: Vec<Conflict>,
}

impl Union {
    /// Merges one contact into another, whose values win but for those of `take`.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn of(from: &Side, into: &Side, take: &BTreeSet<Single>) -> Result<Self, TooLarge> {
        let mut conflicts = Vec::new();
        let (one, other) = (&from.contact, &into.contact);
        let merged = Contact {
            profile: profile(&one.profile, &other.profile, take, &mut conflicts),
            tags: one.tags.iter().chain(&other.tags).cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            identities: identities(&one.identities, &other.identities),
            attributes: attributes(&one.attributes, &other.attributes, take, &mut conflicts),
            // Whoever blocked one of them meant the person.
            block: other.block.clone().or_else(|| one.block.clone()),
            ..other.clone()
        };
        for (of, count, limit) in [
            ("emails", merged.profile.emails.len(), MOST_ADDRESSES),
            ("phones", merged.profile.phones.len(), MOST_ADDRESSES),
            ("identities", merged.identities.len(), MOST_IDENTITIES),
            ("tags", merged.tags.len(), MOST_TAGS),
        ] {
            if count > limit {
                return Err(TooLarge { of, limit });
            }
        }
        let lists = from.lists.union(&into.lists).copied().collect();
        Ok(Self { merged: Side { contact: merged, lists }, conflicts })
    }
}

fn profile(
    from: &Profile,
    into: &Profile,
    take: &BTreeSet<Single>,
    conflicts: &mut Vec<Conflict>,
) -> Profile {
    let (mut theirs, mut merged) = (from.clone(), into.clone());
    for field in fields() {
        let (Some(from), Some(into)) = (field.line(&mut theirs), field.line(&mut merged)) else { continue };
        let of = Single::Profile(field);
        if into.is_empty() || from == into {
            *into = std::mem::take(from);
        } else if !from.is_empty() {
            let (taken, text) = (take.contains(&of), |line: &Line| line.as_str().to_owned());
            conflicts.push(Conflict { of, from: text(from), into: text(into) });
            if taken {
                *into = std::mem::take(from);
            }
        }
    }
    merged.emails.extend(theirs.emails);
    merged.phones.extend(theirs.phones);
    merged.without_repeats()
}

fn identities(from: &[Identity], into: &[Identity]) -> Vec<Identity> {
    let mut all: Vec<Identity> = from.iter().chain(into).cloned().collect();
    all.sort_by_cached_key(|one| Address::of_identity(one).ok().map(|address| address.key().clone()));
    all
}

fn attributes(
    from: &[Attribute],
    into: &[Attribute],
    take: &BTreeSet<Single>,
    conflicts: &mut Vec<Conflict>,
) -> Vec<Attribute> {
    let mut merged = by_key(into);
    for Attribute { key, value: theirs } in from {
        let of = Single::Attribute(key.clone());
        match merged.get(key).filter(|own| *own != theirs) {
            Some(own) => {
                let taken = take.contains(&of);
                conflicts.push(Conflict { of, from: text(theirs), into: text(own) });
                if taken {
                    merged.insert(key.clone(), theirs.clone());
                }
            }
            None => drop(merged.insert(key.clone(), theirs.clone())),
        }
    }
    merged.into_iter().map(|(key, value)| Attribute { key, value }).collect()
}

/// The texts of a profile, of which there is one each.
fn fields() -> impl Iterator<Item = Field> {
    Field::ALL.into_iter().filter(|field| !matches!(field, Field::Emails | Field::Phones))
}

fn by_key(attributes: &[Attribute]) -> BTreeMap<Key, Value> {
    attributes.iter().map(|one| (one.key.clone(), one.value.clone())).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(line) | Value::Choice(line) => line.as_str().to_owned(),
        Value::Date(date) => date.as_str().to_owned(),
        Value::Link(link) => link.as_str().to_owned(),
        Value::Number(number) => number.get().to_string(),
        Value::Boolean(yes) => yes.to_string(),
    }
}

impl Snapshot {
    /// What the contact that stayed is to be once the merge is taken back, given what it is now: wherever it is still as the merge
    /// left it, what it was before; what changed since stays. What belongs to the other contact goes.
    pub fn parted(&self, now: &Side) -> Side {
        let (before, merged) = (&self.into.contact, &self.merged.contact);
        let only_theirs = |tag: &_| self.from.contact.tags.contains(tag) && !before.tags.contains(tag);
        let returned = |list: &ListId| self.from.lists.contains(list) && !self.into.lists.contains(list);
        let contact = &now.contact;
        Side {
            contact: Contact {
                profile: self.parted_profile(&contact.profile),
                tags: contact.tags.iter().filter(|tag| !only_theirs(tag)).cloned().collect(),
                attributes: self.parted_attributes(&contact.attributes),
                block: if contact.block == merged.block {
                    before.block.clone()
                } else {
                    contact.block.clone()
                },
                ..contact.clone()
            },
            lists: now.lists.iter().filter(|list| !returned(list)).copied().collect(),
        }
    }

    fn parted_profile(&self, now: &Profile) -> Profile {
        let (mut before, mut merged) =
            (self.into.contact.profile.clone(), self.merged.contact.profile.clone());
        let mut parted = now.clone();
        for field in fields() {
            let lines = (field.line(&mut parted), field.line(&mut merged), field.line(&mut before));
            if let (Some(line), Some(merged), Some(before)) = lines
                && line == merged
            {
                *line = std::mem::take(before);
            }
        }
        let theirs = self.from.contact.profile.addresses();
        let goes = |address: Address| theirs.iter().any(|one| one.key() == address.key());
        parted.emails.retain(|email| !goes(Address::of_email(email)));
        parted.phones.retain(|phone| !goes(Address::of_phone(phone)));
        parted
    }

    fn parted_attributes(&self, now: &[Attribute]) -> Vec<Attribute> {
        let (before, merged) =
            (by_key(&self.into.contact.attributes), by_key(&self.merged.contact.attributes));
        let now = by_key(now);
        let keys: BTreeSet<&Key> = before.keys().chain(merged.keys()).chain(now.keys()).collect();
        let value = |key: &Key| {
            let unchanged = now.get(key) == merged.get(key);
            let value = if unchanged { before.get(key) } else { now.get(key) };
            value.map(|value| Attribute { key: key.clone(), value: value.clone() })
        };
        keys.into_iter().filter_map(value).collect()
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
