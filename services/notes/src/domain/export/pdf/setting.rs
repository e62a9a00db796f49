//! From characters to glyphs, and where a line may end (UAX #14).

use std::ops::Range;

use icu_segmenter::options::LineBreakOptions;
use icu_segmenter::{LineSegmenter, LineSegmenterBorrowed};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::Unwritable;
use super::font::{Cut, Face, is_shaped};
use super::style::Style;

/// What stands for a character that cannot be shown.
pub(super) const BOX: char = '□';

/// What stands in a text for a character that would need shaping, as no word of its script can be told from the next one here
/// either. It is no character, and in no font.
const UNSHAPED: char = '\u{fdd0}';

/// Text of one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Run {
    pub(super) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

/// A glyph in its text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glyph {
    pub(super) cut: Cut,
    pub(super) style: Style,
    /// A line may begin with it.
    begins: bool,
    /// It begins what people see as one character.
    whole: bool,
    /// It is white.
    white: bool,
    /// It is none: the line ends here.
    ends_line: bool,
}

#[cfg(test)]
impl Glyph {
    /// It may be between two lines.
    pub(super) fn is_white(&self) -> bool {
        self.white || self.ends_line
    }

    /// It stays with the one before it.
    pub(super) fn is_joined(&self) -> bool {
        !self.whole
    }
}

/// The faces, and what was set with them.
pub(super) struct TypeCase {
    faces: [Face; 2],
    breaks: LineSegmenterBorrowed<'static>,
    unshown: u64,
}

impl TypeCase {
    pub(super) fn new() -> Result<Self, Unwritable> {
        let breaks = LineSegmenter::new_for_non_complex_scripts(LineBreakOptions::default());
        Ok(Self { faces: Face::both()?, breaks, unshown: 0 })
    }

    /// How many characters a box stands for.
    pub(super) fn unshown(&self) -> u64 {
        self.unshown
    }

    /// Regular and bold, in this order.
    pub(super) fn faces(&self) -> &[Face; 2] {
        &self.faces
    }

    /// The glyphs of a text.
    pub(super) fn set(&mut self, runs: &[Run]) -> Vec<Glyph> {
        let mut text = String::new();
        let mut ends = Vec::with_capacity(runs.len());
        for run in runs {
            let normal: String = run.text.nfc().collect();
            for cluster in normal.graphemes(true) {
                match cluster.chars().next() {
                    Some(first) if is_shaped(first) => text.push(UNSHAPED),
                    _ => cluster.chars().for_each(|character| push_clean(&mut text, character)),
                }
            }
            ends.push((text.len(), run.style));
        }
        let breaks = self.breaks;
        let mut places = breaks.segment_str(&text).peekable();
        let mut styles = ends.iter().peekable();
        let mut glyphs = Vec::with_capacity(text.len());
        let mut cuts = Vec::new();
        for (at, cluster) in text.grapheme_indices(true) {
            while styles.next_if(|(end, _)| *end <= at).is_some() {}
            let style = styles.peek().map(|(_, style)| *style).unwrap_or_default();
            while places.next_if(|place| *place < at).is_some() {}
            let begins = places.peek() == Some(&at);
            let white = cluster.chars().all(char::is_whitespace);
            let mut glyph = Glyph { cut: Cut::NONE, style, begins, whole: true, white, ends_line: false };
            if cluster.chars().all(ends_line) {
                glyphs.push(Glyph { ends_line: true, ..glyph });
                continue;
            }
            cuts.clear();
            self.cuts(cluster, style, &mut cuts);
            for cut in &cuts {
                // What has a width of its own may stand apart: a box for the rest of what is seen as one.
                glyphs.push(Glyph { cut: *cut, whole: glyph.whole || cut.width > 0.0, ..glyph });
                (glyph.begins, glyph.whole) = (false, false);
            }
        }
        glyphs
    }

    /// The glyphs of what people see as one character; one box for all of it that cannot be shown.
    fn cuts(&mut self, cluster: &str, style: Style, to: &mut Vec<Cut>) {
        let [regular, bold] = &mut self.faces;
        let face = if style.bold { bold } else { regular };
        let mut boxed = false;
        for character in cluster.chars() {
            if let Some(cut) = face.cut(character) {
                to.push(cut);
            } else if character.is_whitespace() {
                to.extend(face.cut(' '));
            } else if !boxed && (to.is_empty() || !is_finish(character)) {
                to.extend(face.cut(BOX));
                boxed = true;
                self.unshown += 1;
            }
        }
    }

    /// A text in one line of at most this width, shortened with an ellipsis if it is longer.
    pub(super) fn one_line(&mut self, runs: &[Run], size: f32, width: f32) -> Vec<Glyph> {
        let mut glyphs = self.set(runs);
        glyphs.retain(|glyph| !glyph.ends_line);
        let Some(last) = glyphs.last().copied() else { return glyphs };
        if width_of(&glyphs, size) <= width {
            return glyphs;
        }
        let ellipsis = self.set(&[Run::new("…", last.style)]);
        let room = width - width_of(&ellipsis, size);
        while width_of(&glyphs, size) > room && glyphs.pop().is_some() {}
        glyphs.extend(ellipsis);
        glyphs
    }
}

/// What gives the character before it another look, and is nothing by itself: variants, joiners, tones of skin, tags.
fn is_finish(character: char) -> bool {
    matches!(character,
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}')
}

fn ends_line(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Without what shows nothing, and without what turns the direction of reading: in a text it could make others read something
/// else than what is there.
fn push_clean(text: &mut String, character: char) {
    match character {
        '\t' => text.push_str("    "),
        '\u{ad}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => {}
        character => text.push(character),
    }
}

/// How wide glyphs are at a size.
pub(super) fn width_of(glyphs: &[Glyph], size: f32) -> f32 {
    glyphs.iter().map(|glyph| glyph.cut.width).sum::<f32>() * size / 1000.0
}

/// Where the lines of a text are, if none is wider than `width`. White at the end of a line has no width. A word that is wider
/// than a line goes on in the next one.
pub(super) fn lines(glyphs: &[Glyph], size: f32, width: f32) -> Vec<Range<usize>> {
    let most = width * 1000.0 / size;
    let mut lines = Vec::new();
    // The line begins at `start`, and may end before `turn`.
    let (mut start, mut turn, mut used, mut at) = (0, 0, 0.0, 0);
    while let Some(glyph) = glyphs.get(at) {
        if glyph.ends_line {
            lines.push(start..at);
            at += 1;
            (start, turn, used) = (at, at, 0.0);
            continue;
        }
        if glyph.begins || (turn == start && glyph.whole && at > start && used + glyph.cut.width > most) {
            turn = at;
        }
        if used + glyph.cut.width > most && !glyph.white && turn > start {
            lines.push(start..turn);
            (start, at, used) = (turn, turn, 0.0);
            continue;
        }
        used += glyph.cut.width;
        at += 1;
    }
    lines.push(start..glyphs.len());
    for line in &mut lines {
        while line.end > line.start && glyphs.get(line.end - 1).is_some_and(|glyph| glyph.white) {
            line.end -= 1;
        }
    }
    lines
}
