//! The words of a text, as they are stored for searches and as queries are read: by one function, so that what is stored is
//! found.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::fold::fold;

/// Characters of a word that count; what is longer is found by these.
const WORD_CHARS: usize = 64;

/// Digits of a number that count where it is put together from groups.
const NUMBER_DIGITS: usize = 24;

/// No word holds it, so a word's beginning with it appended is after every word that begins so.
pub(super) const AFTER_ALL: char = '\u{10ffff}';

/// Before each word of an address that is one entry; no word holds it.
const ADDRESS: char = '@';

/// Characters of an address that count.
const ADDRESS_CHARS: usize = 200;

/// Words before the `@` from which an address is also found.
const ADDRESS_BEGINNINGS: usize = 8;

/// A part of a text.
enum Token {
    Word(String),
    /// A group of digits.
    Digits(String),
}

/// The words to store of a text: each, the number that a group of digits makes with the digits right after it, and each address
/// as one.
pub(super) fn stored(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut words = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => words.push(word.clone()),
            Token::Digits(group) => {
                words.push(group.clone());
                let number = growing_number(tokens.get(index..).unwrap_or_default());
                if number != *group {
                    words.push(number);
                }
            }
        }
    }
    let mut words = cut(words);
    words.extend(text.split_whitespace().flat_map(addresses));
    words
}

/// What a query asks for: its addresses, each as one, as many contacts share words such as `com`; and the words of the rest.
pub(super) fn sought(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = String::with_capacity(text.len());
    for piece in text.split_whitespace() {
        match address(piece) {
            Some(address) => found.push(address),
            None => rest.extend([piece, " "]),
        }
    }
    found.extend(asked(&rest));
    found
}

/// A piece with words on both sides of an `@`, as one: `@ana@example@com`. The beginning of the piece gives the beginning of it.
fn address(piece: &str) -> Option<String> {
    addresses(piece).into_iter().next()
}

/// The same from each word before the `@`: `ana.lima@example.com` is also found as `lima@example.com`.
fn addresses(piece: &str) -> Vec<String> {
    let folded = fold(piece);
    let Some((before, after)) = folded.split_once('@') else { return Vec::new() };
    let (before, after) = (tokens(before), tokens(after));
    if after.is_empty() {
        return Vec::new();
    }
    let from = |first: usize| {
        let mut whole = String::with_capacity(folded.len() + 1);
        for Token::Word(word) | Token::Digits(word) in before.iter().skip(first).chain(&after) {
            whole.push(ADDRESS);
            whole.push_str(word);
        }
        whole.chars().take(ADDRESS_CHARS).collect()
    };
    (0..before.len().min(ADDRESS_BEGINNINGS)).map(from).collect()
}

/// The words of a text that is looked for: groups of digits beside one another are one number.
pub(super) fn asked(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut words: Vec<String> = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        match first {
            Token::Word(word) => {
                words.push(word.clone());
                rest = after;
            }
            Token::Digits(_) => {
                words.push(number(rest));
                rest = rest.get(groups(rest).len()..).unwrap_or_default();
            }
        }
    }
    cut(words)
}

/// The number that the groups of digits at the beginning of `tokens` make. A single group is kept whole.
fn number(tokens: &[Token]) -> String {
    put_together(&groups(tokens))
}

/// The same, with the digits that the word behind them begins with: who types `12 3b` asks for `12 3` on the way.
fn growing_number(tokens: &[Token]) -> String {
    let mut groups = groups(tokens);
    if let Some(Token::Word(word)) = tokens.get(groups.len()) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        groups.extend(word.get(..digits).filter(|digits| !digits.is_empty()));
    }
    put_together(&groups)
}

fn groups(tokens: &[Token]) -> Vec<&str> {
    let groups = tokens.iter().map_while(|token| match token {
        Token::Digits(group) => Some(group.as_str()),
        Token::Word(_) => None,
    });
    groups.collect()
}

fn put_together(groups: &[&str]) -> String {
    match groups {
        [alone] => (*alone).to_owned(),
        several => several.concat().chars().take(NUMBER_DIGITS).collect(),
    }
}

fn cut(words: Vec<String>) -> Vec<String> {
    words.into_iter().map(|word| word.chars().take(WORD_CHARS).collect()).collect()
}

/// What a character is to words.
enum Part {
    Letter,
    /// A word by itself: an emoji, a sign, a Han character (Chinese and Japanese set no spaces).
    Alone,
    Between,
    /// Neither seen nor typed, such as marks of direction and joiners of emoji.
    Unseen,
}

fn part(character: char) -> Part {
    use GeneralCategoryGroup as Group;
    match character.general_category_group() {
        _ if character == AFTER_ALL => Part::Between,
        Group::Letter if is_han(character) => Part::Alone,
        Group::Letter | Group::Mark | Group::Number => Part::Letter,
        Group::Symbol if character.is_ascii() => Part::Between,
        Group::Symbol => Part::Alone,
        Group::Punctuation | Group::Separator => Part::Between,
        Group::Other => match character.general_category() {
            GeneralCategory::Control => Part::Between,
            GeneralCategory::Format => Part::Unseen,
            // Private characters, and those of a Unicode to come.
            _ => Part::Letter,
        },
    }
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in fold(text).chars() {
        match part(character) {
            Part::Letter => word.push(character),
            Part::Unseen => {}
            Part::Between => end(&mut word, &mut found),
            Part::Alone => {
                end(&mut word, &mut found);
                found.push(Token::Word(character.to_string()));
            }
        }
    }
    end(&mut word, &mut found);
    found
}

fn end(word: &mut String, found: &mut Vec<Token>) {
    if word.is_empty() {
        return;
    }
    let word = std::mem::take(word);
    found.push(match word.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Token::Digits(word),
        false => Token::Word(word),
    });
}

#[cfg(test)]
mod tests {
    use super::{asked, sought, stored};
    use proptest::prelude::*;

    #[test]
    fn words_of_every_script_and_emoji_are_told_apart() {
        for (text, words) in [
            ("Zoë Ångström-Müller", &["zoe", "angstrom", "muller"][..]),
            ("ana.b@example.com", &["ana", "b", "example", "com", "@ana@b@example@com", "@b@example@com"]),
            ("\u{202b}القاهرة\u{202c}, Ägypten", &["القاهرة", "agypten"]),
            ("Ana👩🏽‍💻", &["ana", "👩", "🏽", "💻"]),
            ("株式会社アクメ", &["株", "式", "会", "社", "アクメ"]),
            ("C++ & „quoted“ €", &["c", "quoted", "€"]),
            ("می\u{200c}خواهم", &["میخواهم"]),
            ("crm/4711_ab", &["crm", "4711", "ab"]),
            (" -.,+ ", &[]),
        ] {
            assert_eq!(stored(text), words, "{text}");
        }
    }

    #[test]
    fn groups_of_digits_are_also_one_number() {
        assert_eq!(stored("12 34-5 b 6"), ["12", "12345", "34", "345", "5", "b", "6"]);
        assert_eq!(stored("1.2a 3"), ["1", "12", "2a", "3"], "asked for before the letter is typed");
        assert_eq!(asked("12 34-5 b 6"), ["12345", "b", "6"]);
        assert_eq!(asked("+49 (89) 12 34"), ["49891234"]);
        assert_eq!(stored(&"1234567890".repeat(4)), ["1234567890".repeat(4)]);
    }

    #[test]
    fn an_address_is_asked_for_as_one_and_half_of_one_by_its_words() {
        assert_eq!(sought("Zoë <zoe@Example.com>, 12 34"), ["@zoe@example@com", "zoe", "1234"]);
        assert_eq!(sought("zoe@ @example.com"), ["zoe", "example", "com"]);
        assert!(stored("zoe@example.com").iter().any(|stored| stored.starts_with(&sought("zoe@ex")[0])));
    }

    proptest! {
        #[test]
        fn what_is_stored_as_a_word_is_asked_for_by_its_beginning(text in "\\PC{0,40}|[a-c.0-1@ ]{0,30}") {
            let all = stored(&text);
            for written in text.split_whitespace() {
                for (end, character) in written.char_indices() {
                    let beginning = &written[..end + character.len_utf8()];
                    for word in sought(beginning).into_iter().chain(asked(beginning)) {
                        prop_assert!(all.iter().any(|stored| stored.starts_with(&word)), "{word:?} of {written:?}");
                    }
                }
            }
        }

        #[test]
        fn numbers_are_found_however_they_are_grouped(groups in proptest::collection::vec("[0-9]{1,5}", 1..8), spaces in "[ ./()-]") {
            let text = groups.join(&spaces);
            let all = stored(&text);
            for length in 1..=text.len() {
                for word in asked(&text[..length]) {
                    prop_assert!(all.iter().any(|stored| stored.starts_with(&word)), "{word} of {text}");
                }
            }
        }

        #[test]
        fn no_word_is_empty_or_long(text in any::<String>()) {
            let most = |word: &String| if word.starts_with('@') { 200 } else { 64 };
            prop_assert!(stored(&text).iter().all(|word| !word.is_empty() && word.chars().count() <= most(word)));
        }
    }
}
