//! The beginning of a note, for emails about it.

/// The longest, in characters: as the contract of notifications says.
const LENGTH: usize = 300;

/// So many characters of a note are enough to make one of: white space becomes less.
pub const ENOUGH: i64 = 2_000;

/// The beginning of a text in one line.
#[must_use]
pub fn of(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::of;

    // D4
    #[test]
    fn an_excerpt_is_the_beginning_in_one_line() {
        assert_eq!(of("  Please\n\n- call\t him\u{0} back "), "Please - call him back");
        assert_eq!(of(&"ä".repeat(400)), "ä".repeat(300));
        assert_eq!(of(" \n"), "");
    }
}
