//! The beginning of what somebody wrote, for the emails about it: private, and kept apart from every feed.

use std::fmt;

/// The longest excerpt, in characters: as the contract says.
const LENGTH: usize = 300;

/// One line of at most 300 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// The beginning of a text as one line: white space becomes single spaces, what nobody can see goes. None if nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let line: String = words.join(" ").chars().filter(|letter| !turns(*letter)).take(LENGTH).collect();
        (!line.trim().is_empty()).then_some(Self(line))
    }

    /// An excerpt as it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Excerpt {
    /// What people write stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Excerpt(..)")
    }
}

/// Whether a character turns the direction of those behind it: a text could make what stands around it look like something else.
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Excerpt;
    use proptest::prelude::*;

    // D4
    #[test]
    fn an_excerpt_is_one_line_of_what_can_be_seen() {
        let of = |text: &str| Excerpt::of(text).map(|it| it.as_str().to_owned());
        assert_eq!(of("  Please\n\n- call\t him \u{202e}back "), Some("Please - call him back".to_owned()));
        let long = "ä".repeat(400);
        assert_eq!(of(long.as_str()), Some("ä".repeat(300)));
        for nothing in ["", " \n", "\u{0}", "\u{2066}"] {
            assert_eq!(of(nothing), None);
        }
        assert_eq!(format!("{:?}", Excerpt::of("secret")), "Some(Excerpt(..))");
    }

    proptest! {
        // D4
        #[test]
        fn no_text_makes_more_than_300_characters_or_a_second_line(text in any::<String>()) {
            if let Some(excerpt) = Excerpt::of(&text) {
                prop_assert!(excerpt.as_str().chars().count() <= 300);
                prop_assert!(!excerpt.as_str().chars().any(char::is_control));
            }
        }
    }
}
