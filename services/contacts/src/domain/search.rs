//! What is asked for (C5).
//!
//! A query asks for several [`Term`]s, each of them a range of entries in the order of code points, which both databases keep
//! alike. So a search is the same statement on both, with the same result.

use std::collections::BTreeSet;
use std::ops::Bound;

use kernel::Malformed;

use super::attribute::Value;
use super::entry::{MOST_WHOLE, whole_attribute, whole_tag};
use super::words::{AFTER_ALL, sought};
use super::{Attribute, Key, Line, SearchField, Tag, Tier};

/// Words that one query may ask for.
const MOST_WORDS: usize = 20;
/// After an entry and before every longer one: no entry holds a control character.
const AFTER_WHOLE: char = '\u{1}';

/// A range of entries, one of which a contact must have: from `low`, below `high`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The first entry of the range.
    pub low: String,
    /// What is after the last.
    pub high: String,
    /// Whether it is a word, which may be looked for in some fields only.
    pub is_word: bool,
}

impl Term {
    /// Every word that begins so.
    fn word(word: String) -> Self {
        Self { high: format!("{word}{AFTER_ALL}"), low: word, is_word: true }
    }

    /// One whole tag or value.
    fn whole(entry: String) -> Self {
        Self { high: format!("{entry}{AFTER_WHOLE}"), low: entry, is_word: false }
    }

    /// The entry of a choice of an attribute.
    pub fn choice(key: &Key, choice: &Line) -> Self {
        let value = Value::Choice(choice.clone());
        Self::whole(whole_attribute(key.as_str(), &value).unwrap_or_default())
    }

    /// The tiers in which the range has entries, best first.
    pub const fn tiers(&self) -> &'static [Tier] {
        if self.is_word { &[Tier::Name, Tier::Address, Tier::Other] } else { &[Tier::Whole] }
    }
}

/// What is asked for: contacts which have an entry of each term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// At least one.
    pub terms: Vec<Term>,
    /// Where words are looked for; none: everywhere.
    pub fields: BTreeSet<SearchField>,
}

impl Search {
    /// Reads what is asked for. A word that only begins another one of the query asks for nothing more.
    ///
    /// # Errors
    /// [`Malformed`] at `query` when nothing is asked for or too many words are, at `attributes` for a text too long to be asked
    /// for as a whole.
    pub fn read(
        query: &str,
        fields: BTreeSet<SearchField>,
        tags: BTreeSet<Tag>,
        attributes: &[Attribute],
    ) -> Result<Self, Malformed> {
        let words: BTreeSet<String> = sought(query).into_iter().collect();
        let longer = |word: &String| {
            let mut after = words.range::<String, _>((Bound::Excluded(word), Bound::Unbounded));
            after.next().is_some_and(|next| next.starts_with(word.as_str()))
        };
        let mut terms: Vec<Term> =
            words.iter().filter(|word| !longer(word)).cloned().map(Term::word).collect();
        if terms.len() > MOST_WORDS {
            return Err(Malformed::new(format!("may ask for {MOST_WORDS} words at most")).at("query"));
        }
        terms.extend(tags.iter().map(|tag| Term::whole(whole_tag(tag))));
        for Attribute { key, value } in attributes {
            let entry = whole_attribute(key.as_str(), value);
            let too_long =
                || Malformed::new(format!("may have {MOST_WHOLE} characters in a search")).at("attributes");
            terms.push(Term::whole(entry.ok_or_else(too_long)?));
        }
        if terms.is_empty() {
            return Err(
                Malformed::new("asks for no word, and neither for a tag nor an attribute").at("query")
            );
        }
        Ok(Self { terms, fields })
    }

    /// The term that decides the order, by how many entries each has: the rarest, and of equals the longest.
    pub fn leader(&self, counts: &[i64]) -> usize {
        let rarity = |index: &usize| {
            let length = self.terms.get(*index).map_or(0, |term| term.low.len());
            (counts.get(*index).copied().unwrap_or(i64::MAX), std::cmp::Reverse(length), *index)
        };
        (0..self.terms.len()).min_by_key(rarity).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: &str) -> Result<Search, Malformed> {
        Search::read(query, BTreeSet::new(), BTreeSet::new(), &[])
    }

    fn lows(search: &Search) -> Vec<&str> {
        search.terms.iter().map(|term| term.low.as_str()).collect()
    }

    #[test]
    fn every_word_is_asked_for_once_and_by_its_longest_form() {
        assert_eq!(lows(&search("Anna ann ANNA meier an").unwrap()), ["anna", "meier"]);
        assert_eq!(lows(&search("+49 89 12").unwrap()), ["498912"]);
    }

    #[test]
    fn what_asks_for_nothing_or_too_much_is_refused() {
        assert_eq!(search(" -., ").unwrap_err().field(), Some("query"));
        let many: String = ('a'..='z').map(|letter| format!("{letter} ")).collect();
        assert_eq!(search(&many).unwrap_err().field(), Some("query"));
        let long = Attribute {
            key: Key::parse("note").unwrap(),
            value: Value::Text(Line::parse(&"x".repeat(201)).unwrap()),
        };
        let refused = Search::read("", BTreeSet::new(), BTreeSet::new(), &[long]).unwrap_err();
        assert_eq!(refused.field(), Some("attributes"));
    }

    #[test]
    fn the_rarest_term_leads_and_of_equals_the_longest() {
        let search = search("an berlin meier").unwrap();
        assert_eq!(search.leader(&[5, 2, 9]), 1);
        assert_eq!(search.leader(&[7, 7, 7]), 1);
        assert_eq!(search.leader(&[1, 1, 0]), 2);
    }

    #[test]
    fn a_whole_value_is_never_taken_for_a_word_or_for_a_longer_one() {
        let tag = whole_tag(&Tag::parse("vip").unwrap());
        let longer = whole_tag(&Tag::parse("vip 2").unwrap());
        let word = Term::word("vip".to_owned());
        let whole = Term::whole(tag.clone());
        let within = |term: &Term, entry: &String| *entry >= term.low && *entry < term.high;
        assert!(within(&whole, &tag) && !within(&whole, &longer) && !within(&word, &tag));
        assert!(within(&word, &"vipera".to_owned()) && !within(&word, &"viq".to_owned()));
    }
}
