//! The names after `@` in the text of a note.

use std::collections::HashSet;
use std::ops::Range;

use kernel::Malformed;
use pulldown_cmark::{Event, Parser, Tag};
use serde::{Deserialize, Serialize};

/// Different names in one note, at most: what the directory answers in one question.
pub const MOST_HANDLES: usize = 50;

/// Longest username or team handle, in bytes.
const LONGEST: usize = 64;

/// A name after `@`, without the `@`, lowercase: `[a-z0-9][a-z0-9._-]*`, not ending with punctuation, at most 64 bytes.
/// Whether anybody has this name is for the directory to say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Handle(String);

impl Handle {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name from elsewhere than a text, without the `@`; none if no text can mention it.
    pub fn parse(name: &str) -> Option<Self> {
        let all = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let ends = name.bytes().last().is_some_and(|byte| byte.is_ascii_alphanumeric());
        Self::new(name).filter(|_| all && ends)
    }

    fn new(name: &str) -> Option<Self> {
        let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        (begins && name.len() <= LONGEST).then(|| Self(name.to_ascii_lowercase()))
    }
}

impl std::fmt::Display for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names which a Markdown text mentions, each once, in the order of the text.
///
/// A mention begins with an `@` that does not continue a word, so that `bob@example.com` mentions nobody; nor does code,
/// an address of the web, or an `@` behind a backslash. Punctuation at its end is not part of it: `@ana, @bob.`
/// mentions `ana` and `bob`.
///
/// # Errors
/// [`Malformed`] at `body` for more than [`MOST_HANDLES`] names.
pub fn handles_in(text: &str) -> Result<Vec<Handle>, Malformed> {
    if !text.contains('@') {
        return Ok(Vec::new());
    }
    let mut code = code_in(text).into_iter().peekable();
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for (at, handle) in candidates(text) {
        while code.next_if(|range| range.end <= at).is_some() {}
        if code.peek().is_some_and(|range| range.contains(&at)) || !seen.insert(handle.clone()) {
            continue;
        }
        found.push(handle);
        if found.len() > MOST_HANDLES {
            return Err(Malformed::new("mentions more than 50 names").at("body"));
        }
    }
    Ok(found)
}

/// Where code spans and code blocks are, in the order of the text.
fn code_in(text: &str) -> Vec<Range<usize>> {
    let code = |event: &Event<'_>| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_)));
    let events = Parser::new(text).into_offset_iter();
    let mut ranges: Vec<_> = events.filter(|(event, _)| code(event)).map(|(_, range)| range).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    ranges
}

/// Everything that looks like a mention, with the place of its `@`. One pass over the text, however it is made.
fn candidates(text: &str) -> impl Iterator<Item = (usize, Handle)> {
    let words = text.split_whitespace().map(|word| (offset_in(text, word), word));
    words.flat_map(|(start, word)| {
        let address = word.find("://").unwrap_or(word.len());
        let signs = word.match_indices('@').map(|(at, _)| at).take_while(move |at| *at < address);
        signs.filter_map(move |at| Some((start + at, handle_at(word, at)?)))
    })
}

fn offset_in(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

fn handle_at(word: &str, at: usize) -> Option<Handle> {
    let (before, after) = (word.get(..at)?, word.get(at + 1..)?);
    if !may_open(before) {
        return None;
    }
    let run = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).count();
    let (run, rest) = after.split_at_checked(run)?;
    // The name of somebody else begins like this one, or this is an address after all.
    let goes_on =
        rest.chars().next().is_some_and(|next| continues_word(next) || (next == '@' && !run.ends_with('.')));
    if goes_on { None } else { Handle::new(run.trim_end_matches(['.', '_', '-'])) }
}

/// Whether a mention may follow this part of a word. `_`, `-`, `+` and `%` belong to the address `ana_@example.com`, but
/// also to the emphasis `_@ana_`: what is before them decides.
fn may_open(before: &str) -> bool {
    let last = before.trim_end_matches(['_', '-', '+', '%']).chars().next_back();
    !last.is_some_and(|last| continues_word(last) || matches!(last, '@' | '\\'))
}

/// Whether a letter next to a name makes another word of it. Not in scripts that put no spaces between words
/// (Thai, Chinese, Japanese): there, a name ends where its letters end.
fn continues_word(letter: char) -> bool {
    let spaced = letter < '\u{0e00}' || ('\u{1e00}'..'\u{2000}').contains(&letter);
    let accent = ('\u{0300}'..='\u{036f}').contains(&letter);
    (spaced && letter.is_alphanumeric()) || accent
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
