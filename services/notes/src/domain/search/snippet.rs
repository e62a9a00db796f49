//! The part of a note that a search shows.

use std::ops::Range;

use super::{Query, Word};

/// Characters of a snippet, at most.
const LONGEST: usize = 240;
/// Characters before the first word that was searched for, at most.
const LEAD: usize = 60;

/// A part of a text, and where in it the searched words are.
#[derive(Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The part, as it was written.
    pub text: String,
    /// In characters from the beginning of the part; in order, none within another.
    pub highlights: Vec<Range<usize>>,
    /// The text begins earlier.
    pub cut_before: bool,
    /// The text goes on.
    pub cut_after: bool,
}

impl std::fmt::Debug for Snippet {
    /// Without the text, which is private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snippet({} highlights)", self.highlights.len())
    }
}

impl Snippet {
    /// The part of `text`, of which these are the words, that has the most of the query's terms; the first of them if there are
    /// several, and the beginning if it has none.
    pub fn of(text: &str, words: &[Word], query: &Query) -> Self {
        let places = query.places(words);
        let part = part(text, words, best(text, &places, query.len()));
        let shown = text.get(part.clone()).unwrap_or_default();
        let inside = places
            .into_iter()
            .map(|(place, _)| place)
            .filter(|place| place.start < part.end && part.start < place.end);
        let mut highlights: Vec<Range<usize>> = Vec::new();
        for place in inside {
            let place = place.start.max(part.start)..place.end.min(part.end);
            match highlights.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => highlights.push(place),
            }
        }
        Self {
            highlights: in_characters(text, part.start, highlights),
            cut_before: part.start > 0,
            cut_after: part.end < text.len(),
            text: shown.to_owned(),
        }
    }
}

/// Where the part with the most terms begins: at one of the places.
fn best(text: &str, places: &[(Range<usize>, usize)], terms: usize) -> usize {
    let mut of_term = vec![0_usize; terms];
    let (mut distinct, mut behind, mut most, mut best) = (0, 0, 0, 0);
    for (first, (place, term)) in places.iter().enumerate() {
        let reach = characters_on(text, place.start, LONGEST - LEAD);
        while let Some((_, other)) =
            places.get(behind).filter(|(other, _)| other.end <= reach || behind == first)
        {
            let count = of_term.get_mut(*other);
            distinct += usize::from(count.as_deref() == Some(&0));
            count.into_iter().for_each(|count| *count += 1);
            behind += 1;
        }
        if distinct > most {
            (most, best) = (distinct, place.start);
        }
        let count = of_term.get_mut(*term);
        distinct -= usize::from(count.as_deref() == Some(&1));
        count.into_iter().for_each(|count| *count = count.saturating_sub(1));
    }
    best
}

/// The part around a place: from a word a little before it to the end of the last word that fits.
fn part(text: &str, words: &[Word], place: usize) -> Range<usize> {
    if characters_on(text, 0, LONGEST) == text.len() {
        return 0..text.len();
    }
    let before = text.get(..place).unwrap_or_default();
    let earliest = before.char_indices().rev().nth(LEAD - 1).map_or(0, |(at, _)| at);
    let first = words.get(words.partition_point(|word| word.range.start < earliest));
    let begin = match first {
        _ if earliest == 0 => 0,
        Some(word) if word.range.start <= place => word.range.start,
        _ => place,
    };
    let limit = characters_on(text, begin, LONGEST);
    if limit == text.len() {
        return begin..limit;
    }
    let fitting = words.partition_point(|word| word.range.end <= limit);
    let last = fitting.checked_sub(1).and_then(|last| words.get(last)).map(|word| word.range.end);
    // A word longer than all the room is cut.
    begin..last.filter(|end| *end > place).unwrap_or(limit)
}

/// The place so many characters behind another, or the end.
fn characters_on(text: &str, from: usize, count: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.char_indices().nth(count).map_or(text.len(), |(at, _)| from + at)
}

/// Places in bytes of the text as places in characters from `begin`.
fn in_characters(text: &str, begin: usize, places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let (mut at, mut characters) = (begin, 0);
    let mut count = |to: usize| {
        characters += text.get(at..to).map_or(0, |between| between.chars().count());
        at = to;
        characters
    };
    places.into_iter().map(|place| count(place.start)..count(place.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Snippet};
    use crate::domain::search::{Query, words_in};
    use proptest::prelude::*;

    fn snippet(text: &str, query: &str) -> Snippet {
        Snippet::of(text, &words_in(text).collect::<Vec<_>>(), &Query::parse(query).unwrap())
    }

    fn marked(snippet: &Snippet) -> Vec<String> {
        let letters: Vec<char> = snippet.text.chars().collect();
        snippet.highlights.iter().map(|place| letters[place.clone()].iter().collect()).collect()
    }

    // N8
    #[test]
    fn a_short_text_is_shown_whole_with_every_hit() {
        let shown = snippet("Der **Rückruf** — RÜCKRUF! 👍 rückrufen", "ruckruf 👍");
        assert_eq!(marked(&shown), ["Rückruf", "RÜCKRUF", "👍"]);
        assert!(!shown.cut_before && !shown.cut_after);
        assert_eq!(marked(&snippet("a b a b c", "\"a b\" b")), ["a b", "a b"]);
        assert!(snippet("a b", "").highlights.is_empty());
    }

    // N8
    #[test]
    fn a_long_text_is_shown_where_most_of_the_terms_are() {
        let filler = "lorem ipsum dolor ".repeat(40);
        let text = format!("refund {filler}the refund of the parcel {filler}parcel");
        let shown = snippet(&text, "refund parcel");
        assert_eq!(marked(&shown), ["refund", "parcel"]);
        assert!(shown.cut_before && shown.cut_after);
        assert!(shown.text.starts_with(char::is_alphabetic) && shown.text.ends_with(char::is_alphabetic));
        let first = snippet(&text, "refund");
        assert!(!first.cut_before && first.cut_after && first.text.starts_with("refund lorem"));
        let end = snippet(&format!("{filler}last"), "last");
        assert!(end.cut_before && !end.cut_after && end.text.ends_with("last"));
        let plain = snippet(&text, "");
        assert!(plain.text.starts_with("refund lorem") && plain.cut_after);
        assert_eq!(snippet(&"x".repeat(1_000), "").text.len(), LONGEST);
    }

    proptest! {
        #[test]
        fn a_snippet_is_a_part_of_the_text_whose_highlights_are_in_it(
            text in "([a-cé漢👍]{1,3}[ .]){0,200}",
            query in "[a-cé漢👍]( [a-c]){0,3}",
        ) {
            let shown = snippet(&text, &query);
            let length = shown.text.chars().count();
            prop_assert!(text.contains(&shown.text) && length <= LONGEST);
            let mut behind = 0;
            for place in &shown.highlights {
                prop_assert!(place.start >= behind && place.start < place.end && place.end <= length);
                behind = place.end;
            }
            let words: Vec<_> = words_in(&text).collect();
            prop_assert!(!Query::parse(&query).unwrap().admits(&words) || !shown.highlights.is_empty());
        }
    }
}
