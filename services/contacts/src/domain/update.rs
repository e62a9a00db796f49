//! Which fields a change names, and what it leaves as it is.

use std::collections::BTreeSet;

use super::address::every_key_of;
use super::{Address, AddressKey, Line, Profile};

/// A field of a profile that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `display_name`
    DisplayName,
    /// `given_name`
    GivenName,
    /// `family_name`
    FamilyName,
    /// `emails`: the whole list.
    Emails,
    /// `phones`: the whole list.
    Phones,
    /// `external_id`
    ExternalId,
    /// `language`
    Language,
    /// `time_zone`
    TimeZone,
    /// `default_channel`
    DefaultChannel,
    /// `avatar_url`
    AvatarUrl,
    /// `company`
    Company,
    /// `location`
    Location,
}

impl Field {
    /// Every field, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::DisplayName,
        Self::GivenName,
        Self::FamilyName,
        Self::Emails,
        Self::Phones,
        Self::ExternalId,
        Self::Language,
        Self::TimeZone,
        Self::DefaultChannel,
        Self::AvatarUrl,
        Self::Company,
        Self::Location,
    ];

    /// As an update mask spells it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Emails => "emails",
            Self::Phones => "phones",
            Self::ExternalId => "external_id",
            Self::Language => "language",
            Self::TimeZone => "time_zone",
            Self::DefaultChannel => "default_channel",
            Self::AvatarUrl => "avatar_url",
            Self::Company => "company",
            Self::Location => "location",
        }
    }

    /// The text of a field that is one; the two lists are none.
    pub(super) fn line(self, of: &mut Profile) -> Option<&mut Line> {
        match self {
            Self::DisplayName => Some(&mut of.display_name),
            Self::GivenName => Some(&mut of.given_name),
            Self::FamilyName => Some(&mut of.family_name),
            Self::ExternalId => Some(&mut of.external_id),
            Self::Language => Some(&mut of.language),
            Self::TimeZone => Some(&mut of.time_zone),
            Self::DefaultChannel => Some(&mut of.default_channel),
            Self::AvatarUrl => Some(&mut of.avatar_url),
            Self::Company => Some(&mut of.company),
            Self::Location => Some(&mut of.location),
            Self::Emails | Self::Phones => None,
        }
    }

    fn is_set(self, of: &mut Profile) -> bool {
        match self {
            Self::Emails => !of.emails.is_empty(),
            Self::Phones => !of.phones.is_empty(),
            _ => self.line(of).is_some_and(|line| !line.is_empty()),
        }
    }
}

/// An update mask names a path that a profile does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPath(pub String);

/// The fields that a change is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask(BTreeSet<Field>);

impl Mask {
    /// These fields.
    pub fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// Reads an update mask. No paths: the fields which are set in `new`.
    ///
    /// # Errors
    /// [`UnknownPath`] with the first path that is no field of a profile.
    pub fn read(paths: &[String], new: &Profile) -> Result<Self, UnknownPath> {
        if paths.is_empty() {
            let mut new = new.clone();
            return Ok(Self(Field::ALL.into_iter().filter(|field| field.is_set(&mut new)).collect()));
        }
        let field = |path: &String| {
            let known = Field::ALL.into_iter().find(|field| field.path() == path);
            known.ok_or_else(|| UnknownPath(path.clone()))
        };
        paths.iter().map(field).collect::<Result<_, _>>().map(Self)
    }

    /// `old` with the masked fields of `new`.
    pub fn merge(&self, old: &Profile, mut new: Profile) -> Profile {
        let mut merged = old.clone();
        for field in &self.0 {
            match field {
                Field::Emails => merged.emails = std::mem::take(&mut new.emails),
                Field::Phones => merged.phones = std::mem::take(&mut new.phones),
                line => {
                    if let (Some(old), Some(new)) = (line.line(&mut merged), line.line(&mut new)) {
                        *old = std::mem::take(new);
                    }
                }
            }
        }
        merged
    }
}

/// What becomes of a contact's addresses when the profile changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressChange {
    /// No longer the contact's: an address that leaves the profile is given up on every channel, so that it can be
    /// somebody else's.
    pub given_up: Vec<AddressKey>,
    /// To be the contact's.
    pub taken: Vec<Address>,
}

impl AddressChange {
    /// The change from one profile to another.
    pub fn between(old: &Profile, new: &Profile) -> Self {
        let (had, has) = (old.addresses(), new.addresses());
        let gone = had.iter().filter(|address| !names(&has, address));
        let given_up = gone.flat_map(every_key_of).collect();
        Self { given_up, taken: has.iter().filter(|address| !names(&had, address)).cloned().collect() }
    }
}

fn names(all: &[Address], address: &Address) -> bool {
    all.iter().any(|one| one.key() == address.key())
}

#[cfg(test)]
mod tests {
    use super::{AddressChange, Field, Mask, UnknownPath};
    use crate::domain::{Email, Line, Phone, Profile};
    use proptest::prelude::*;

    fn line(text: &str) -> Line {
        Line::parse(text).unwrap()
    }

    fn full(text: &str) -> Profile {
        let mut profile = Profile {
            emails: vec![Email::parse(&format!("{text}@x.org")).unwrap()],
            phones: vec![Phone::parse("+4989123456").unwrap()],
            ..Profile::default()
        };
        for field in Field::ALL {
            if let Some(place) = field.line(&mut profile) {
                *place = line(&format!("{text} {}", field.path()));
            }
        }
        profile
    }

    fn paths(fields: &[Field]) -> Vec<String> {
        fields.iter().map(|field| field.path().to_owned()).collect()
    }

    #[test]
    fn without_a_mask_the_fields_which_are_set_change() {
        let new = Profile { company: line("Acme"), ..Profile::default() };
        let merged = Mask::read(&[], &new).unwrap().merge(&full("old"), new);
        assert_eq!(merged, Profile { company: line("Acme"), ..full("old") });
    }

    #[test]
    fn a_masked_field_which_is_empty_is_emptied() {
        let mask = Mask::read(&paths(&[Field::Emails, Field::Company]), &Profile::default()).unwrap();
        let merged = mask.merge(&full("old"), Profile::default());
        assert_eq!(merged, Profile { company: Line::default(), emails: Vec::new(), ..full("old") });
    }

    #[test]
    fn an_unknown_path_is_named() {
        for path in ["tags", "", "*", "profile.company", "contact_id", "Company"] {
            let mask = Mask::read(&["company".to_owned(), path.to_owned()], &Profile::default());
            assert_eq!(mask, Err(UnknownPath(path.to_owned())));
        }
    }

    #[test]
    fn the_paths_are_the_contracts_fields() {
        let pool = prost_reflect::DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
        let profile = pool.get_message_by_name("backchannel.contacts.v1.ContactProfile").unwrap();
        let names: Vec<_> = profile.fields().map(|field| field.name().to_owned()).collect();
        assert_eq!(names, paths(&Field::ALL));
    }

    #[test]
    fn an_address_that_leaves_the_profile_is_given_up_on_every_channel() {
        let (mut old, mut new) = (full("ana"), full("ANA"));
        assert_eq!(AddressChange::between(&old, &new), AddressChange { given_up: vec![], taken: vec![] });
        new.phones.clear();
        let given_up = AddressChange::between(&old, &new).given_up;
        let channels: Vec<_> = given_up.iter().map(|key| key.channel.as_str()).collect();
        assert_eq!(channels, ["phone", "sms", "whatsapp"]);
        old.emails.clear();
        let taken = AddressChange::between(&old, &new).taken;
        assert_eq!(
            taken.iter().map(|address| address.key().address.as_str()).collect::<Vec<_>>(),
            ["ana@x.org"]
        );
    }

    proptest! {
        #[test]
        fn what_the_mask_does_not_name_stays(chosen in proptest::sample::subsequence(Field::ALL.to_vec(), 1..12)) {
            let mask = Mask::read(&paths(&chosen), &Profile::default()).unwrap();
            let (mut merged, mut old, mut new) = (mask.merge(&full("old"), full("new")), full("old"), full("new"));
            for field in Field::ALL {
                let from = if chosen.contains(&field) { &mut new } else { &mut old };
                prop_assert_eq!(field.line(&mut merged), field.line(from));
            }
            prop_assert_eq!(&merged.emails, if chosen.contains(&Field::Emails) { &new.emails } else { &old.emails });
        }
    }
}
