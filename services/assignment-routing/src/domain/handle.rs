//! What `@` resolves: agents' usernames and teams' handles, in one namespace.

use std::fmt;

use kernel::Malformed;
use serde::{Deserialize, Serialize};

/// Characters of the longest handle.
const MOST: usize = 64;

/// Lowercase letters, digits, `.`, `_` and `-`, beginning with a letter or digit; at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// Reads a handle.
    ///
    /// # Errors
    /// [`Malformed`] for anything else than the above.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let fits = text.starts_with(begins) && text.chars().all(continues) && text.len() <= MOST;
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "must be lowercase letters, digits, '.', '_' or '-', at most 64, the first a letter or digit",
            ))
        }
    }

    /// The handle nearest to what a token says: lowercase, every other character as `-`.
    #[must_use]
    pub fn cleaned(claim: &str) -> Self {
        // The name before an address's @ is what people would mention.
        let name = claim.split('@').next().unwrap_or_default().to_lowercase();
        let fitting: String =
            name.chars().map(|letter| if continues(letter) { letter } else { '-' }).collect();
        let short: String = fitting.trim_matches(['-', '.', '_']).chars().take(MOST).collect();
        Self(if short.is_empty() { "agent".to_owned() } else { short })
    }

    /// This handle with a number behind it, for when it is taken.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let kept: String = self.0.chars().take(MOST - suffix.len()).collect();
        Self(kept + &suffix)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn begins(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

fn continues(letter: char) -> bool {
    begins(letter) || matches!(letter, '.' | '_' | '-')
}

impl TryFrom<String> for Handle {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Handle;

    // R1
    #[test]
    fn a_claim_becomes_the_nearest_handle() {
        for (claim, handle) in [
            ("Ana", "ana"),
            ("ana.lima@example.org", "ana.lima"),
            ("Jörg Maß", "j-rg-ma"),
            ("auth0|5F", "auth0-5f"),
            ("@@@", "agent"),
            ("-_-", "agent"),
        ] {
            assert_eq!(Handle::cleaned(claim).as_str(), handle, "{claim}");
        }
    }

    #[test]
    fn a_number_never_makes_a_handle_too_long() {
        let long = Handle::parse(&"a".repeat(64)).unwrap();
        assert!(long.numbered(12).as_str().ends_with("a-12"));
        assert_eq!(long.numbered(12).as_str().len(), 64);
    }

    proptest! {
        #[test]
        fn every_cleaned_claim_is_a_handle(claim in ".{0,200}", number in 2u32..10_000) {
            let handle = Handle::cleaned(&claim);
            prop_assert_eq!(Handle::parse(handle.as_str()), Ok(handle.clone()));
            prop_assert!(Handle::parse(handle.numbered(number).as_str()).is_ok());
        }
    }
}
