//! The two texts a token brings: the organization and the person.

use crate::Malformed;

/// Longest organization slug, in bytes: a DNS label, so that it fits host names and NATS subjects.
const ORG_BYTES: usize = 63;
/// Longest subject, in characters.
const SUBJECT_CHARS: usize = 128;

/// Makes a checked text newtype: parse, serde and both databases.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx_macros::Type)]
        #[serde(try_from = "String", into = "String")]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks the text and keeps it.
            ///
            /// # Errors
            /// [`Malformed`] when the text does not have the form described on the type.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

name_type! {
    /// An organization, the tenant: a slug `[a-z0-9][a-z0-9-]{0,62}`, from the token's `org` claim.
    ///
    /// The form is narrow on purpose: the value goes into session settings, NATS subjects and metrics labels.
    OrgId, org
}

name_type! {
    /// A person or machine as the token's `sub` claim names them: 1 to 128 visible characters.
    ///
    /// Agents and contacts are referred to by it everywhere outside the service that owns their profile.
    Subject, subject
}

fn org(text: &str) -> Result<(), Malformed> {
    let slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match text.as_bytes() {
        [] => Err(Malformed::new("an organization may not be empty")),
        bytes if bytes.len() > ORG_BYTES => Err(Malformed::new("an organization has at most 63 characters")),
        [first, rest @ ..] if slug(*first) && rest.iter().all(|b| slug(*b) || *b == b'-') => Ok(()),
        _ => Err(Malformed::new("an organization is a slug of a-z, 0-9 and -, not starting with -")),
    }
}

fn subject(text: &str) -> Result<(), Malformed> {
    if text.is_empty() {
        return Err(Malformed::new("a subject may not be empty"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Malformed::new("a subject consists of visible characters"));
    }
    if text.chars().count() > SUBJECT_CHARS {
        return Err(Malformed::new("a subject has at most 128 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{OrgId, Subject};
    use proptest::prelude::*;

    #[test]
    fn an_organization_is_a_slug() {
        for good in ["a", "0", "acme", "acme-2", &"a".repeat(63)] {
            assert_eq!(OrgId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "Acme", "a_b", "a b", "a'b", "*", "ä", &"a".repeat(64)] {
            assert!(OrgId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_subject_is_visible_and_short() {
        for good in
            ["ana", "auth0|5f", "ana@example.org", "01890a5d-ac96-774b-bcce-b302099a8057", &"ä".repeat(128)]
        {
            assert!(Subject::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", "a b", "a\n", "\u{0}", &"a".repeat(129)] {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn deserializing_checks_too() {
        assert!(serde_json::from_str::<OrgId>("\"acme\"").is_ok());
        assert!(serde_json::from_str::<OrgId>("\"ACME\"").is_err());
        assert_eq!(serde_json::to_string(&Subject::parse("ana").unwrap()).unwrap(), "\"ana\"");
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic_and_what_passes_is_kept(text in ".{0,140}") {
            if let Ok(org) = OrgId::parse(&text) { prop_assert_eq!(org.as_str(), &text); }
            if let Ok(subject) = Subject::parse(&text) { prop_assert_eq!(subject.as_str(), &text); }
        }
    }
}
