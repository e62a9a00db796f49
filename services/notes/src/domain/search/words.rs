//! The words of a text.
//!
//! A word is what Unicode takes for one (UAX #29), cut again at everything that is neither letter, digit nor mark: so
//! `bob@example.com` is three words, in whichever way it is written. Where a script puts no spaces between words
//! (Chinese, Hiragana, Thai and others) each character is a word, and a search for several looks for them in a row. An
//! emoji is a word as well.
//!
//! Words are compared folded: compatibility forms made equal (NFKD), lowercase, without the accents and points of Latin,
//! Greek, Cyrillic, Hebrew and Arabic. The marks of other scripts stay: in them they make another word.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// Longest folded word, in characters; longer ones are compared by their beginning. The databases' own limits lie far above.
const LONGEST: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// What it is compared by: letters, digits, marks and emoji, never a space, never empty.
    pub folded: String,
}

/// The words of a text, in its order.
pub fn words_in(text: &str) -> impl Iterator<Item = Word> + '_ {
    text.split_word_bound_indices().flat_map(move |(at, piece)| {
        let mut rest = at..at + piece.len();
        std::iter::from_fn(move || next_word(text, &mut rest))
    })
}

/// The first word of what is left of a piece, and what is left behind it.
fn next_word(text: &str, rest: &mut Range<usize>) -> Option<Word> {
    loop {
        let piece = text.get(rest.clone()).filter(|piece| !piece.is_empty())?;
        if piece.chars().next().is_some_and(is_pictograph) {
            let range = std::mem::replace(rest, rest.end..rest.end);
            return Some(Word { range, folded: fold_emoji(piece) }).filter(|word| !word.folded.is_empty());
        }
        let begin = rest.start + piece.find(is_part_of_word).unwrap_or(piece.len());
        let run = text.get(begin..rest.end).unwrap_or_default();
        let end = begin + run.find(|letter| !is_part_of_word(letter)).unwrap_or(run.len());
        rest.start = end;
        let run = text.get(begin..end).unwrap_or_default();
        let folded = if run.contains(char::is_alphanumeric) { fold(run) } else { String::new() };
        if !folded.is_empty() {
            return Some(Word { range: begin..end, folded });
        }
    }
}

/// Letters, digits, marks, and what joins letters without being seen.
fn is_part_of_word(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric();
    }
    letter.is_alphanumeric() || is_combining_mark(letter) || is_joiner(letter)
}

/// Soft hyphens, joiners and direction marks: none of them is seen, and people do not search for them.
fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn fold(run: &str) -> String {
    if run.is_ascii() {
        return run.chars().take(LONGEST).map(|letter| letter.to_ascii_lowercase()).collect();
    }
    let bare = run.nfkd().filter(|letter| !is_dropped(*letter)).flat_map(char::to_lowercase);
    bare.flat_map(simplified).nfc().take(LONGEST).collect()
}

/// What a folded word does not have: the accents and points of some scripts, and what is no part of a word but came out
/// of a compatibility form.
fn is_dropped(letter: char) -> bool {
    const TATWEEL: char = '\u{640}';
    // Hebrew and Arabic points are of the classes 10 to 36; the accents of Latin, Greek and Cyrillic of 200 and above.
    let class = canonical_combining_class(letter);
    let accent = (10..=36).contains(&class) || class >= 200;
    let variation = ('\u{fe00}'..='\u{fe0f}').contains(&letter);
    accent || variation || letter == TATWEEL || !(letter.is_alphanumeric() || is_combining_mark(letter))
}

/// What lowercase leaves different although it is the same in capitals.
fn simplified(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        'ς' => ('σ', None),
        'ß' => ('s', Some('s')),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

/// The blocks of pictures, from watches and weather to faces and flags, but for the letters in frames among them.
fn is_pictograph(letter: char) -> bool {
    matches!(letter, '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
        && !letter.is_alphanumeric()
}

/// Without the tone of a skin and the choice between picture and text.
fn fold_emoji(piece: &str) -> String {
    let kept = |letter: &char| !matches!(letter, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    piece.chars().filter(kept).filter(|letter| !letter.is_whitespace()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::words_in;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        words_in(text).map(|word| word.folded).collect()
    }

    // N8
    #[test]
    fn case_accents_and_compatibility_forms_make_no_difference() {
        for (one, other) in [
            ("Rückerstattung", "RUCKERSTATTUNG"),
            ("straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("café", "cafe\u{301}"),
            ("ﬁnal", "Final"),
            ("ＡＢＣ１２", "abc12"),
            ("🄰B", "ab"),
            ("İstanbul", "istanbul"),
            ("Ёлка", "елка"),
            ("שָׁלוֹם", "שלום"),
            ("كِتَاب", "كتاب"),
            ("كـــتاب", "كتاب"),
            ("hy\u{ad}phen", "hyphen"),
            ("👍🏽", "👍"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert_eq!(words(one), words(other), "{one}");
            assert_eq!(words(one).len(), 1, "{one}: {:?}", words(one));
        }
        // Marks that make another word stay.
        assert_ne!(words("が"), words("か"));
        assert_ne!(words("कि"), words("का"));
    }

    // N8
    #[test]
    fn punctuation_cuts_and_scripts_without_spaces_are_cut_everywhere() {
        assert_eq!(words("bob@example.com"), ["bob", "example", "com"]);
        assert_eq!(words("https://a.b/c?d=e#f"), ["https", "a", "b", "c", "d", "e", "f"]);
        assert_eq!(words("re-book don't foo_bar `x+=1`"), ["re", "book", "don", "t", "foo", "bar", "x", "1"]);
        assert_eq!(words("返金です"), ["返", "金", "で", "す"]);
        assert_eq!(words("환불 요청"), ["환불", "요청"]);
        assert_eq!(words("🔥🔥 👩‍💻!"), ["🔥", "🔥", "👩‍💻"]);
        assert_eq!(words("--- *** \u{fe0f} \u{301} \0"), Vec::<String>::new());
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(64)]);
    }

    proptest! {
        #[test]
        fn every_word_is_where_it_says_and_fits_both_databases(text in "\\PC{0,60}|[a-zé\u{300}\u{fe0f}👍ก가漢ﷺ½ \u{200d}@.\"*]{0,40}") {
            let mut behind = 0;
            for word in words_in(&text) {
                prop_assert!(word.range.start >= behind && word.range.end > word.range.start);
                prop_assert!(text.get(word.range.clone()).is_some());
                prop_assert!(!word.folded.is_empty());
                // Nothing at which a database's tokenizer would cut.
                let whole = |letter: char| !letter.is_whitespace() && (!letter.is_ascii() || letter.is_ascii_lowercase() || letter.is_ascii_digit());
                prop_assert!(word.folded.chars().all(whole), "{:?}", word.folded);
                behind = word.range.end;
            }
        }
    }
}
