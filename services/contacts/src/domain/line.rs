//! Texts of one line.

use kernel::Malformed;
use serde::{Deserialize, Serialize};

/// A text of one line, kept exactly as people write it: any script, any direction, emoji; no control characters.
///
/// Control characters are refused because a line break or an escape sequence in a name spoils every list and terminal
/// that shows it, and because PostgreSQL cannot store U+0000. How long it may be, the contract says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Line(String);

impl Line {
    /// Checks the text and keeps it. The empty text is the absence of one.
    ///
    /// # Errors
    /// [`Malformed`] when there is a control character in it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        visible(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Refuses control characters. Marks of direction and joiners of emoji are none.
pub(super) fn visible(text: &str) -> Result<(), Malformed> {
    if text.chars().any(char::is_control) {
        return Err(Malformed::new("may not contain control characters, such as line breaks"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Line;
    use proptest::prelude::*;

    #[test]
    fn every_script_and_direction_is_kept_as_it_is() {
        for text in
            ["", "Zoë Ångström", "محمد العربي", "שָׁלוֹם", "山田 太郎", "👩🏽‍💻 Ana", "\u{202e}abc\u{202c}", " a "]
        {
            assert_eq!(Line::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\u{0}", "\u{1b}[31m", "a\u{85}b", "\t"] {
            assert!(Line::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_kept(text in any::<String>()) {
            if let Ok(line) = Line::parse(&text) { prop_assert_eq!(line.as_str(), text); }
        }
    }
}
