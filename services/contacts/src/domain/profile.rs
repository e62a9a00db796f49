//! What a caller says of a contact.

use std::collections::HashSet;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::{Address, Email, Line, Phone};

/// What is known of a contact, as callers write it. An empty text says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What to call them.
    pub display_name: Line,
    /// Given name.
    pub given_name: Line,
    /// Family name.
    pub family_name: Line,
    /// Email addresses, none twice.
    pub emails: Vec<Email>,
    /// Phone numbers, none twice.
    pub phones: Vec<Phone>,
    /// The id of this person in the organization's own systems; unique there.
    pub external_id: Line,
    /// Preferred language, a BCP 47 tag.
    pub language: Line,
    /// IANA time zone.
    pub time_zone: Line,
    /// The channel to answer on where there is a choice.
    pub default_channel: Line,
    /// Where a picture of them is.
    pub avatar_url: Line,
    /// The company they belong to.
    pub company: Line,
    /// Where they are.
    pub location: Line,
}

impl Profile {
    /// Of emails and phones that name the same address, only the first is kept.
    #[must_use]
    pub fn without_repeats(mut self) -> Self {
        self.emails = firsts(self.emails, Email::key);
        self.phones = firsts(self.phones, Phone::clone);
        self
    }

    /// What is known of somebody who is heard of by an address for the first time.
    pub fn of_stranger(address: &Address, display_name: Line) -> Self {
        Self {
            display_name,
            emails: address.email().into_iter().filter(Email::fits_profile).collect(),
            phones: address.phone().into_iter().collect(),
            ..Self::default()
        }
    }

    /// The addresses that the emails and phones are on their channels.
    pub fn addresses(&self) -> Vec<Address> {
        let emails = self.emails.iter().map(Address::of_email);
        emails.chain(self.phones.iter().map(Address::of_phone)).collect()
    }
}

fn firsts<T, K: Eq + Hash>(mut all: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = HashSet::new();
    all.retain(|one| seen.insert(key(one)));
    all
}

#[cfg(test)]
mod tests {
    use super::{Address, Email, Line, Phone, Profile};
    use crate::domain::Channel;

    fn stranger(channel: &str, address: &str) -> Profile {
        let address = Address::parse(Channel::parse(channel).unwrap(), address).unwrap();
        Profile::of_stranger(&address, Line::default())
    }

    #[test]
    fn the_first_of_equal_addresses_is_kept() {
        let email = |text| Email::parse(text).unwrap();
        let profile = Profile {
            emails: vec![email("Ana@x.org"), email("b@x.org"), email("ana@X.org")],
            phones: vec![Phone::parse("+49 89 123456").unwrap(), Phone::parse("+4989123456").unwrap()],
            ..Profile::default()
        }
        .without_repeats();
        assert_eq!(profile.emails.iter().map(Email::as_str).collect::<Vec<_>>(), ["Ana@x.org", "b@x.org"]);
        assert_eq!((profile.phones.len(), profile.addresses().len()), (1, 3));
    }

    #[test]
    fn a_stranger_has_the_email_or_phone_they_came_by() {
        assert_eq!(stranger("email", "Ana@x.org").emails.first().map(Email::as_str), Some("Ana@x.org"));
        assert_eq!(stranger("whatsapp", "+4989123456").phones.len(), 1);
        assert_eq!(stranger("chat", "visitor-1"), Profile::default());
        assert_eq!(stranger("email", "δοκιμή@παράδειγμα.gr"), Profile::default());
    }
}
