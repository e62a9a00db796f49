//! The history for people: A4 pages with their numbers, embedded fonts, and everything internal in a labelled, tinted box.
//!
//! Deliberately little of what PDF can do: text and rectangles. No scripts, no forms, no links to follow, no file of somebody
//! else's: what people wrote is only ever text on a page (faults.md 29).
//!
//! | file | story |
//! |---|---|
//! | [`style`] | sizes, colours, and the boxes around what is internal |
//! | [`blocks`] | texts as blocks: paragraphs, items of lists, code; Markdown or not |
//! | [`font`] | the two faces: which characters they have, how wide those are, how they are embedded |
//! | [`setting`] | from characters to glyphs, and where a line may end |
//! | [`flow`] | blocks one below the other, page after page |
//! | [`title`], [`entries`] | what is on the first page before the history, and each entry of it |
//! | [`file`] | the bytes |

mod blocks;
mod entries;
mod file;
mod flow;
mod font;
mod setting;
mod style;
#[cfg(test)]
mod tests;
mod title;

use super::Edition;
use super::history::{Entry, Heading};

/// A file.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many characters a box stands for.
    pub unshown: u64,
}

/// Why there is no file. Nothing that people write brings it about: it would be in the fonts.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// A font cannot be read.
    #[error("a font cannot be read: {0}")]
    Font(#[from] ttf_parser::FaceParsingError),
    /// No part of a font can be made.
    #[error("a font cannot be embedded: {0}")]
    Subset(#[from] subsetter::Error),
}

/// Most entries of a file: about 7,000 pages of short messages.
pub const MOST_ENTRIES: usize = 50_000;
/// Most text of a file, in bytes.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Writes the history on pages.
///
/// # Errors
/// [`Unwritable`].
pub fn render(heading: &Heading, entries: &[Entry], edition: &Edition) -> Result<Pdf, Unwritable> {
    let mut flow = flow::Flow::new(title::running_head(heading, edition))?;
    title::write(&mut flow, heading, entries, edition);
    entries::write(&mut flow, heading, entries, edition);
    let (pages, type_case) = flow.finish();
    let unshown = type_case.unshown();
    let bytes = file::written(pages, type_case, heading, edition)?;
    Ok(Pdf { bytes, unshown })
}
