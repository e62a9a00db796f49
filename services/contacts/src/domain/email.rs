//! Email addresses.

use kernel::Malformed;
use serde::{Deserialize, Serialize};

use super::line::visible;

/// An email address, as it was written without the space around it.
///
/// Two are the same address if their [keys](Email::key), the Unicode lowercase forms, are: in principle the part before
/// the `@` may differ by case, in practice no provider lets it, and a customer who writes `Ana@` today and `ana@`
/// tomorrow is one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Trims the text and keeps it. Its grammar is the contract's matter where there is a profile; a channel may write
    /// addresses beyond that grammar (RFC 6531), so here only what could not be compared is refused.
    ///
    /// # Errors
    /// [`Malformed`] when there is no `@` between two texts, or there are spaces or control characters in it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        visible(text)?;
        let around = text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if around.is_none() || text.contains(char::is_whitespace) {
            return Err(Malformed::new("must be an email address such as ana@example.com"));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is compared: the Unicode lowercase form.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// Whether a profile may name it: the contract's grammar there is plain ASCII.
    pub fn fits_profile(&self) -> bool {
        let Some((local, domain)) = self.0.split_once('@') else { return false };
        let in_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        self.0.len() <= 254 && local.bytes().all(in_local) && domain.split('.').all(label)
    }
}

#[cfg(test)]
mod tests {
    use super::Email;
    use proptest::prelude::*;

    #[test]
    fn case_and_space_around_it_make_no_difference() {
        let email = Email::parse("  Ana.Müller@EXAMPLE.com\n").unwrap();
        assert_eq!(
            (email.as_str(), email.key().as_str()),
            ("Ana.Müller@EXAMPLE.com", "ana.müller@example.com")
        );
        assert_eq!(email.key(), Email::parse("ANA.MÜLLER@example.COM").unwrap().key());
        assert_ne!(email.key(), Email::parse("ana.muller@example.com").unwrap().key());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "ana", "@example.com", "ana@", "a b@example.com", "a\u{0}@b", "a@b\nc"] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_what_the_contract_takes_fits_a_profile() {
        for fits in ["ana@example.com", "o'neil+tag@mail.example.co.uk", "a@localhost"] {
            assert!(Email::parse(fits).unwrap().fits_profile(), "{fits}");
        }
        for beyond in ["δοκιμή@παράδειγμα.gr", "a@[192.0.2.1]", "a@-b.com", "\"a@b\"@c.com", "a@b..com"]
        {
            assert!(!Email::parse(beyond).unwrap().fits_profile(), "{beyond}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_the_key_is_its_own_key(text in "\\PC{0,20}@\\PC{0,20}") {
            if let Ok(email) = Email::parse(&text) {
                let key = email.key();
                prop_assert_eq!(Email::parse(&key).unwrap().key(), key);
            }
        }

        #[test]
        fn writing_it_in_capitals_changes_nothing(local in "[a-z0-9.+-]{1,20}", domain in "[a-z0-9-]{1,20}\\.[a-z]{2,5}") {
            let email = format!("{local}@{domain}");
            prop_assert_eq!(Email::parse(&email).unwrap().key(), Email::parse(&email.to_uppercase()).unwrap().key());
        }

        #[test]
        fn our_grammar_is_the_contracts(text in "[a-zA-Z0-9.!@ü_\\[\\]-]{1,12}@[a-z0-9.@-]{1,12}") {
            use proto::{Validate, contacts::v1::ContactProfile};
            let profile = ContactProfile { emails: vec![text.clone()], ..Default::default() };
            let fits = Email::parse(&text).is_ok_and(|email| email.fits_profile());
            prop_assert_eq!(fits, profile.violations().is_empty(), "{}", text);
        }
    }
}
