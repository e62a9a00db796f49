//! When two texts are the same to somebody who searches.
//!
//! Done here and not by the databases, because they disagree: SQLite knows case and accents of ASCII only unless it is built
//! otherwise, PostgreSQL asks its locale. Every character is folded by itself, so that the beginning of a text folds to the
//! beginning of the folded text.

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

/// The text without case, accents, vowel points and compatibility forms.
///
/// | folds | to |
/// |---|---|
/// | `Ä`, `é`, `Ñ`, `й` | `a`, `e`, `n`, `и` |
/// | `ß`, `ẞ`, `ς`, `ı` | `ss`, `ss`, `σ`, `i` |
/// | `ø`, `ł`, `đ`, `ð`, `þ`, `æ`, `œ`, `ħ`, with either case | `o`, `l`, `d`, `d`, `th`, `ae`, `oe`, `h` |
/// | `ﬁ`, `Ａ`, `①`, `ｶ` | `fi`, `a`, `1`, `カ` |
/// | Hebrew points, Arabic vowel signs, tatweel | nothing |
/// | marks of other scripts, such as Thai and Devanagari vowels | stay |
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        for cased in letter.to_uppercase().flat_map(char::to_lowercase) {
            decompose_compatible(cased, |part| push(&mut folded, part));
        }
    }
    folded
}

/// A part of a letter, in lower case: a decomposition may have brought a capital to light.
fn push(folded: &mut String, part: char) {
    if is_dropped(part) {
        return;
    }
    for lower in part.to_uppercase().flat_map(char::to_lowercase) {
        match plain(lower) {
            Some(plain) => folded.push_str(plain),
            None if is_dropped(lower) => {}
            None => folded.push(lower),
        }
    }
}

/// Letters with a stroke and ligatures, which Unicode does not decompose, as most people type them.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'æ' => "ae",
        'œ' => "oe",
        'ħ' => "h",
        _ => return None,
    })
}

/// Accents (combining classes 200 to 240), the points of Hebrew and Arabic (10 to 35), variation selectors, tatweel.
fn is_dropped(part: char) -> bool {
    matches!(canonical_combining_class(part), 10..=35 | 200..=240)
        || matches!(part, '\u{fe00}'..='\u{fe0f}' | '\u{640}')
}

#[cfg(test)]
mod tests {
    use super::fold;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_forms_fold() {
        for (written, folded) in [
            ("Zoë ÅNGSTRÖM", "zoe angstrom"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
            ("Σίσυφος", "σισυφοσ"),
            ("Łukasz Þór Søren Đorđe Æsa", "lukasz thor soren dorde aesa"),
            ("İstanbul ısı", "istanbul isi"),
            ("Йосиф", "иосиф"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("ﬁn Ａ１ ℌ", "fin a1 h"),
            ("e\u{301}\u{fe0f}", "e"),
        ] {
            assert_eq!(fold(written), folded, "{written}");
        }
    }

    #[test]
    fn marks_that_are_letters_stay() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("กิน"), fold("กน"));
        assert_ne!(fold("कि"), fold("क"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_beginning_folds_to_the_beginning(text in any::<String>(), cut in 0_usize..20) {
            let beginning: String = text.chars().take(cut).collect();
            prop_assert!(fold(&text).starts_with(&fold(&beginning)));
        }

        #[test]
        fn case_makes_no_difference(text in any::<String>()) {
            prop_assert_eq!(fold(&text.to_uppercase()), fold(&text));
        }
    }
}
