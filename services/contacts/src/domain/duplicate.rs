//! What makes two contacts look like one person (C6).
//!
//! Every contact has keys, and two who share one are suggested as duplicates. An address itself belongs to one contact, so keys are
//! coarser than addresses: they leave out what people and programs write differently for the same thing.

use std::collections::BTreeSet;

use kernel::Malformed;

use super::words::asked;
use super::{Contact, Email, Phone, Profile};

/// Bytes of a key that are compared: what is longer is the same if so much is.
const KEY_BYTES: usize = 256;

/// Digits of a national number below which equal ones say nothing: short numbers are many people's.
const LEAST_DIGITS: usize = 7;

/// Providers that ignore dots before the `@`.
const WITHOUT_DOTS: [&str; 2] = ["gmail.com", "googlemail.com"];

/// Why two contacts may be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DuplicateReason {
    /// The same email address in another form.
    Email,
    /// The same phone number in another form.
    Phone,
    /// The same name at the same company.
    NameAndCompany,
}

impl DuplicateReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::NameAndCompany];

    /// As it is stored: the number of the contract.
    pub const fn code(self) -> i32 {
        match self {
            Self::Email => 1,
            Self::Phone => 2,
            Self::NameAndCompany => 3,
        }
    }
}

db::read_as!(DuplicateReason: i32);

impl TryFrom<i32> for DuplicateReason {
    type Error = Malformed;

    fn try_from(code: i32) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|reason| reason.code() == code);
        known.ok_or_else(|| Malformed::new("is no reason"))
    }
}

/// Something that two contacts may share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuplicateKey {
    /// What it says of those who share it.
    pub reason: DuplicateReason,
    /// The compared form.
    pub key: String,
}

/// The keys of a contact.
pub fn duplicate_keys(contact: &Contact) -> BTreeSet<DuplicateKey> {
    let profile = &contact.profile;
    let written = contact.identities.iter().map(|identity| identity.address.as_str());
    let (mut emails, mut phones): (Vec<Email>, Vec<Phone>) = (profile.emails.clone(), profile.phones.clone());
    for address in written {
        // A channel of its own may know people by email or phone, too.
        emails.extend(Email::parse(address).ok().filter(|email| email.fits_profile()));
        phones.extend(Phone::parse(address).ok());
    }
    let emails = emails.iter().map(|email| (DuplicateReason::Email, email_key(email)));
    let phones = phones.iter().filter_map(phone_key).map(|key| (DuplicateReason::Phone, key));
    let names = name_keys(profile).into_iter().map(|key| (DuplicateReason::NameAndCompany, key));
    let all = emails.chain(phones).chain(names);
    all.map(|(reason, key)| DuplicateKey { reason, key: cut(key) }).collect()
}

/// The address in lowercase, without a tag behind `+`, and without dots where the provider ignores them.
fn email_key(email: &Email) -> String {
    let key = email.key();
    let Some((local, domain)) = key.rsplit_once('@') else { return key };
    let untagged = local.split_once('+').map_or(local, |(name, _)| name);
    let local = if untagged.is_empty() { local } else { untagged };
    match WITHOUT_DOTS.contains(&domain) {
        true => format!("{}@gmail.com", local.replace('.', "")),
        false => format!("{local}@{domain}"),
    }
}

/// The national number, without leading zeros: it is the same where a country code was guessed wrongly.
fn phone_key(phone: &Phone) -> Option<String> {
    let national = phone.national()?.trim_start_matches('0');
    (national.len() >= LEAST_DIGITS).then(|| national.to_owned())
}

/// The words of the name in any order, with those of the company: of the display name, and of given and family name.
fn name_keys(profile: &Profile) -> Vec<String> {
    let company = sorted_words(profile.company.as_str());
    let full = format!("{} {}", profile.given_name.as_str(), profile.family_name.as_str());
    // One word is too common a name.
    let names = [sorted_words(profile.display_name.as_str()), sorted_words(&full)];
    let names = names.into_iter().filter(|name| name.contains(' ') && !company.is_empty());
    names.map(|name| format!("{name}\n{company}")).collect()
}

fn sorted_words(text: &str) -> String {
    let words: BTreeSet<String> = asked(text).into_iter().collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn cut(mut key: String) -> String {
    key.truncate(key.floor_char_boundary(KEY_BYTES));
    key
}

#[cfg(test)]
mod tests {
    use super::{DuplicateReason, duplicate_keys};
    use crate::domain::{Channel, Contact, Email, Identity, Line, Phone, Profile};
    use kernel::{Clock, Timestamp};

    fn contact(profile: Profile) -> Contact {
        Contact {
            contact_id: Clock::system().new_id().into(),
            version: 1,
            profile,
            tags: Vec::new(),
            identities: Vec::new(),
            attributes: Vec::new(),
            block: None,
            create_time: Timestamp::from_micros(0),
            update_time: Timestamp::from_micros(0),
        }
    }

    fn line(text: &str) -> Line {
        Line::parse(text).unwrap()
    }

    fn of_email(text: &str) -> Contact {
        contact(Profile { emails: vec![Email::parse(text).unwrap()], ..Profile::default() })
    }

    fn of_phone(text: &str) -> Contact {
        contact(Profile { phones: vec![Phone::parse(text).unwrap()], ..Profile::default() })
    }

    fn named(display: &str, given: &str, family: &str, company: &str) -> Contact {
        contact(Profile {
            display_name: line(display),
            given_name: line(given),
            family_name: line(family),
            company: line(company),
            ..Profile::default()
        })
    }

    fn of_chat(address: &str) -> Contact {
        let channel = Channel::parse("chat").unwrap();
        let identity =
            Identity { channel, address: address.to_owned(), create_time: Timestamp::from_micros(0) };
        Contact { identities: vec![identity], ..contact(Profile::default()) }
    }

    fn share(one: &Contact, other: &Contact) -> Vec<DuplicateReason> {
        let keys = duplicate_keys(other);
        duplicate_keys(one).intersection(&keys).map(|key| key.reason).collect()
    }

    // C6
    #[test]
    fn an_email_is_the_same_in_other_forms() {
        for (one, other) in [
            ("ana+shop@x.org", "Ana@X.org"),
            ("ana+a@x.org", "ana+b@x.org"),
            ("a.n.a@gmail.com", "ana@googlemail.com"),
        ] {
            assert_eq!(share(&of_email(one), &of_email(other)), [DuplicateReason::Email], "{one} {other}");
        }
        for (one, other) in
            [("a.na@x.org", "ana@x.org"), ("ana@x.org", "ana@y.org"), ("+a@x.org", "+b@x.org")]
        {
            assert_eq!(share(&of_email(one), &of_email(other)), [], "{one} {other}");
        }
        assert_eq!(share(&of_chat("Ana+1@x.org"), &of_email("ana@x.org")), [DuplicateReason::Email]);
    }

    // C6
    #[test]
    fn a_phone_is_the_same_under_another_country_code() {
        assert_eq!(share(&of_phone("+49 89 123456"), &of_phone("+43 89 123456")), [DuplicateReason::Phone]);
        assert_eq!(share(&of_phone("+49 89 123456"), &of_phone("+49 89 123457")), []);
        assert_eq!(share(&of_phone("+49 89 1234"), &of_phone("+43 89 1234")), [], "too short to tell");
        assert_eq!(share(&of_chat("+49 89 123456"), &of_phone("+4989123456")), [DuplicateReason::Phone]);
    }

    // C6
    #[test]
    fn a_name_and_a_company_are_compared_without_case_accents_and_order() {
        let ana = named("Zoë Ångström", "", "", "Acme, Inc.");
        for other in [
            named("ANGSTROM, Zoe", "", "", "ACME Inc"),
            named("", "zoe", "ångström", "acme (inc)"),
            named("Z.", "Zoë", "Ångström", "Acme Inc."),
        ] {
            assert_eq!(share(&ana, &other), [DuplicateReason::NameAndCompany]);
        }
        assert_eq!(share(&ana, &named("Zoë Ångström", "", "", "")), [], "no company");
        assert_eq!(share(&named("Zoë", "", "", "Acme"), &named("Zoë", "", "", "Acme")), [], "one word");
    }

    #[test]
    fn no_key_is_longer_than_an_index_takes() {
        let long: String = (0..60).map(|n| format!("\u{fdfa}{n} ")).collect();
        let keys = duplicate_keys(&named(&long, &long, &long, &long));
        assert_eq!(keys.len(), 1);
        assert!(keys.iter().all(|key| key.key.len() <= super::KEY_BYTES));
    }

    #[test]
    fn the_reasons_are_the_contracts() {
        use proto::contacts::v1::DuplicateReason as Pb;
        for reason in DuplicateReason::ALL {
            let name = format!("{reason:?}").to_lowercase();
            let theirs = Pb::try_from(reason.code()).unwrap().as_str_name().to_lowercase().replace('_', "");
            assert_eq!(theirs, format!("duplicatereason{name}"));
            assert_eq!(DuplicateReason::try_from(reason.code()), Ok(reason));
        }
        assert!(DuplicateReason::try_from(0).is_err());
    }
}
