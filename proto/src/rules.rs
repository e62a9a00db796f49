//! One function for each buf.validate rule that the contracts use. Meaning and units follow
//! <https://buf.build/docs/protovalidate/>: `len` counts Unicode code points, `bytes` counts UTF-8 bytes.

use std::sync::OnceLock;

use regex::Regex;

use crate::{Path, Violation};

pub(crate) fn no_nul(value: &str, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.as_bytes().contains(&0) {
        found.push(here.broken("must not contain the character U+0000"));
    }
}

pub(crate) fn min_len(value: &str, least: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.len() < least || value.chars().take(least).count() < least {
        let description = match (value.is_empty(), least) {
            (true, 1) => "is required".to_owned(),
            _ => format!("must have at least {least} characters"),
        };
        found.push(here.broken(description));
    }
}

/// Whether nothing of a text can be seen: white space, control characters, and what Unicode says to leave out where it is shown, such as
/// U+200B and marks of direction.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| letter.is_whitespace() || letter.is_control() || is_invisible(letter))
}

/// Unicode's Default_Ignorable_Code_Point, the marks of interlinear annotation, and the braille pattern without a dot.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The empty text is none of its concern: whether there may be one, other rules say.
pub(crate) fn not_blank(value: &str, here: &Path<'_>, found: &mut Vec<Violation>) {
    if !value.is_empty() && is_blank(value) {
        found.push(here.broken("must have something other than white space"));
    }
}

pub(crate) fn max_len(value: &str, most: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.len() > most && value.chars().count() > most {
        found.push(here.broken(format!("must have at most {most} characters")));
    }
}

pub(crate) fn max_bytes(value: &str, most: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.len() > most {
        found.push(here.broken(format!("must have at most {most} bytes in UTF-8, has {}", value.len())));
    }
}

pub(crate) fn max_size(size: usize, most: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if size > most {
        found.push(here.broken(format!("must have at most {most} bytes, has {size}")));
    }
}

pub(crate) fn uuid(value: &str, here: &Path<'_>, found: &mut Vec<Violation>) {
    let well_formed = value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if !well_formed {
        found.push(here.broken("must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"));
    }
}

pub(crate) fn email(value: &str, here: &Path<'_>, found: &mut Vec<Violation>) {
    // The grammar of the HTML standard, which buf.validate names as its own.
    static GRAMMAR: Pattern = Pattern::new(
        "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$",
    );
    if !GRAMMAR.matches(value) {
        found.push(here.broken("must be an email address such as ana@example.com"));
    }
}

pub(crate) fn min_items(count: usize, least: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if count < least {
        found.push(here.broken(format!("must have at least {least} items")));
    }
}

pub(crate) fn max_items(count: usize, most: usize, here: &Path<'_>, found: &mut Vec<Violation>) {
    if count > most {
        found.push(here.broken(format!("must have at most {most} items, has {count}")));
    }
}

pub(crate) fn at_least(value: impl Into<i64>, least: i64, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.into() < least {
        found.push(here.broken(format!("must be at least {least}")));
    }
}

pub(crate) fn at_most(value: impl Into<i64>, most: i64, here: &Path<'_>, found: &mut Vec<Violation>) {
    if value.into() > most {
        found.push(here.broken(format!("must be at most {most}")));
    }
}

pub(crate) fn one_of(value: i32, allowed: &[i32], here: &Path<'_>, found: &mut Vec<Violation>) {
    if !allowed.contains(&value) {
        found.push(
            here.broken(format!("{value} is not an allowed value of this enum; allowed are {allowed:?}")),
        );
    }
}

pub(crate) fn none_of(value: i32, refused: &[i32], here: &Path<'_>, found: &mut Vec<Violation>) {
    if refused.contains(&value) {
        let description =
            if value == 0 { "is required".to_owned() } else { format!("{value} is not allowed here") };
        found.push(here.broken(description));
    }
}

/// A pattern of a contract, compiled on first use. The build has compiled it before, so it cannot fail later.
pub(crate) struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    pub(crate) fn check(&self, value: &str, here: &Path<'_>, found: &mut Vec<Violation>) {
        if !self.matches(value) {
            found.push(here.broken(format!("must match {}", self.text)));
        }
    }

    fn matches(&self, value: &str) -> bool {
        self.compiled
            .get_or_init(|| Regex::new(self.text).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(value))
    }
}
