//! What somebody typed into a search.

use std::ops::Range;

use kernel::Malformed;

use super::{Word, words_in};

/// Words of a query, at most.
const MOST_WORDS: usize = 32;
/// Letters before a `*`, at least: fewer begin too many words.
const SHORTEST_PREFIX: usize = 2;

/// A search: all of its terms must be in a text. Every text is one; nothing in it is an error of syntax.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

/// Words that must follow one another; mostly one.
#[derive(Clone, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    /// The last word may go on.
    open: bool,
}

impl std::fmt::Debug for Query {
    /// Without the words, which people take from private texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Query({} terms)", self.terms.len())
    }
}

impl std::fmt::Debug for Term {
    /// Without the words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Term({} words)", self.words.len())
    }
}

impl Query {
    /// Reads what was typed. Words in quotes follow one another, and so do those written in one piece; a `*` at the end of a
    /// word stands for its rest; everything else is plain text.
    ///
    /// # Errors
    /// [`Malformed`] at `query` for a text that is not blank and has no word, or more than 32.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut terms: Vec<Term> = Vec::new();
        for (number, part) in text.split(['"', '“', '”', '„']).enumerate() {
            // What is behind an odd quote is in quotes.
            if number % 2 == 1 {
                add(&mut terms, Term::of(part, false));
            } else {
                part.split_whitespace().for_each(|piece| add(&mut terms, Term::of(piece, ends_open(piece))));
            }
        }
        let count: usize = terms.iter().map(|term| term.words.len()).sum();
        let reason = match count {
            0 if !text.trim().is_empty() => "must have a word: letters, digits or an emoji",
            count if count > MOST_WORDS => "must have at most 32 words",
            _ => return Ok(Self { terms }),
        };
        Err(Malformed::new(reason).at("query"))
    }

    /// True if nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The same for queries that mean the same: a line for each term.
    pub fn normal_form(&self) -> String {
        let term = |term: &Term| format!("{}{}\n", term.words.join(" "), if term.open { "*" } else { "" });
        self.terms.iter().map(term).collect()
    }

    /// Every word which a text must have, and whether it is the beginning of one only.
    pub fn words(&self) -> impl Iterator<Item = (&str, bool)> {
        self.terms.iter().flat_map(|term| {
            let last = term.words.len() - 1;
            term.words.iter().enumerate().map(move |(at, word)| (word.as_str(), term.open && at == last))
        })
    }

    /// True if a text with all the words may still not be meant, as some must follow one another.
    pub fn needs_order(&self) -> bool {
        self.terms.iter().any(|term| term.words.len() > 1)
    }

    /// True if a text of these words is meant.
    pub fn admits(&self, words: &[Word]) -> bool {
        self.terms.iter().all(|term| term.places(words).next().is_some())
    }

    /// Where in a text of these words the terms are, in bytes, and which: in the order of the text.
    pub fn places(&self, words: &[Word]) -> Vec<(Range<usize>, usize)> {
        let of_term = |(number, term): (usize, &Term)| -> Vec<_> {
            term.places(words).map(|range| (range, number)).collect()
        };
        let mut places: Vec<_> = self.terms.iter().enumerate().flat_map(of_term).collect();
        places.sort_by_key(|(range, _)| (range.start, range.end));
        places
    }
}

impl Term {
    fn of(text: &str, open: bool) -> Self {
        Self { words: words_in(text).map(|word| word.folded).collect(), open }
    }

    fn places<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Range<usize>> + 'a {
        words.windows(self.words.len()).filter(|window| self.is(window)).filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            Some(first.range.start..last.range.end)
        })
    }

    fn is(&self, window: &[Word]) -> bool {
        let last = self.words.len() - 1;
        self.words.iter().zip(window).enumerate().all(|(at, (wanted, word))| {
            if self.open && at == last { word.folded.starts_with(wanted) } else { word.folded == *wanted }
        })
    }
}

fn add(terms: &mut Vec<Term>, term: Term) {
    if !term.words.is_empty() && !terms.contains(&term) {
        terms.push(term);
    }
}

/// True for a piece that ends with enough of a word and a star.
fn ends_open(piece: &str) -> bool {
    let Some(stem) = piece.strip_suffix('*') else { return false };
    let last = words_in(stem).last();
    last.is_some_and(|word| {
        word.range.end == stem.len() && word.folded.chars().nth(SHORTEST_PREFIX - 1).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::{Query, Term};
    use crate::domain::search::words_in;
    use proptest::prelude::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    fn term(words: &[&str], open: bool) -> Term {
        Term { words: words.iter().map(|word| (*word).to_owned()).collect(), open }
    }

    fn finds(asked: &str, text: &str) -> bool {
        query(asked).admits(&words_in(text).collect::<Vec<_>>())
    }

    // N8
    #[test]
    fn words_phrases_prefixes_and_nothing_else() {
        assert_eq!(query("Refund parcel refund").terms, [term(&["refund"], false), term(&["parcel"], false)]);
        assert_eq!(
            query("\"second  Parcel\" ref*").terms,
            [term(&["second", "parcel"], false), term(&["ref"], true)]
        );
        assert_eq!(query("„zweites Paket“").terms, [term(&["zweites", "paket"], false)]);
        assert_eq!(
            query("bob@example.c* ").terms,
            [term(&["bob", "example", "c"], false)],
            "too short a stem"
        );
        assert_eq!(query("bob@example.co*").terms, [term(&["bob", "example", "co"], true)]);
        assert_eq!(query("r* *x x.*").terms, [term(&["r"], false), term(&["x"], false)], "plain text");
        assert_eq!(query("not OR near(a) col:b ^c -d 'e").terms.len(), 7);
        assert_eq!(query("\"unclosed phrase").terms, [term(&["unclosed", "phrase"], false)]);
        assert!(query("").is_empty() && query(" \t").is_empty());
        for bad in ["*", "\"\"", "!?", &"a b ".repeat(100).replace('a', "x1 y2")] {
            let parsed = Query::parse(bad);
            assert!(parsed.is_ok() || parsed.unwrap_err().field() == Some("query"));
        }
        assert!(
            Query::parse("*").is_err()
                && Query::parse(&(0..33).map(|n| format!("{n} ")).collect::<String>()).is_err()
        );
    }

    // N8
    #[test]
    fn what_is_written_in_one_piece_is_found_in_one_piece() {
        assert!(finds("example.com", "mail bob@Example.COM now"));
        assert!(!finds("example.com", "com example"));
        assert!(finds("com example", "example.com"));
        assert!(finds("返金", "彼は返金を希望") && !finds("金返", "彼は返金を希望"));
        assert!(finds("\"a b a c\"", "a b a b a c"));
        assert!(finds("re-bo*", "please re-book") && !finds("re-bo*", "please book re"));
    }

    // N8
    #[test]
    fn places_are_in_the_order_of_the_text() {
        let text = "Ref. refund of the second parcel";
        let words: Vec<_> = words_in(text).collect();
        let places = query("\"second parcel\" ref* of").places(&words);
        let shown: Vec<_> = places.iter().map(|(range, term)| (&text[range.clone()], *term)).collect();
        assert_eq!(shown, [("Ref", 1), ("refund", 1), ("of", 2), ("second parcel", 0)]);
    }

    proptest! {
        #[test]
        fn no_text_is_a_mistake_of_syntax(text in "\\PC{0,80}|[a-c\"*' :()^.-]{0,40}") {
            if let Ok(query) = Query::parse(&text) {
                prop_assert!(query.words().all(|(word, _)| !word.is_empty()));
                prop_assert!(query.len() <= 32);
            }
        }
    }
}
