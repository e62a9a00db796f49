//! Blocks one below the other, page after page.
//!
//! A page is compressed as soon as it is full, so that a long history costs little memory. What must know how many pages there
//! are, the line at the foot, is written when all are there.

use std::ops::Range;

use pdf_writer::{Content, Name, Str};

use super::Unwritable;
use super::blocks::Block;
use super::font::deflated;
use super::setting::{Glyph, Run, TypeCase, lines, width_of};
use super::style::{
    BAR, BOTTOM, Colour, Frame, HEAD_LINE, LEADING, LINE, MARGIN, MEASURE, PADDING, SMALL, STEP, Style, TOP,
    Tone,
};

/// The names of the faces on a page: regular, bold.
pub(super) const FACES: [&[u8]; 2] = [b"R", b"B"];
/// How far slanted text leans: there is no third face.
const SLANT: f32 = 0.2;

/// Pages, and what is being written on the last one.
pub(super) struct Flow {
    type_case: TypeCase,
    /// What stands at the head of every page but the first.
    running_head: Vec<Run>,
    full: Vec<Vec<u8>>,
    /// The grounds of boxes, which are known when a box ends, and stand under everything.
    ground: Content,
    text: Content,
    /// The upper edge of what comes next.
    y: f32,
    frame: Option<Open>,
}

/// A box that is open, and where it began on this page.
#[derive(Clone, Copy)]
struct Open {
    frame: Frame,
    top: f32,
}

impl Flow {
    pub(super) fn new(running_head: Vec<Run>) -> Result<Self, Unwritable> {
        let type_case = TypeCase::new()?;
        let (ground, text) = (Content::new(), Content::new());
        Ok(Self { type_case, running_head, full: Vec::new(), ground, text, y: TOP, frame: None })
    }

    /// Leaves this much free.
    pub(super) fn skip(&mut self, height: f32) {
        self.y -= height;
    }

    /// Makes sure that this much has room on the page.
    fn need(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.turn();
        }
    }

    /// Begins a box, where it has room for a few lines.
    pub(super) fn begin_box(&mut self, frame: Frame) {
        self.need(8.0 + PADDING.1 + 3.0 * LEADING * SMALL);
        self.y -= 8.0;
        self.open(frame);
    }

    fn open(&mut self, frame: Frame) {
        self.frame = Some(Open { frame, top: self.y });
        self.y -= PADDING.1;
    }

    /// Ends the box.
    pub(super) fn close(&mut self) {
        self.y -= PADDING.1;
        if let Some(open) = self.frame.take() {
            self.fill_frame(open);
        }
    }

    /// A thin line over the whole width.
    pub(super) fn rule(&mut self) {
        let (left, width) = self.column();
        rectangle(&mut self.ground, LINE, [left, self.y, width, 0.6]);
    }

    /// Writes a block, on as many pages as it takes.
    pub(super) fn write(&mut self, block: &Block) {
        let leading = block.size * LEADING;
        // What begins at the foot of a page has one more line there, and its gap does not begin a page.
        let beginning = if block.keeps { 2.4 * leading } else { leading };
        self.need(block.gap + beginning);
        self.y -= block.gap;
        let (left, measure) = self.column();
        let indent = STEP * f32::from(block.depth);
        let side = self.type_case.set(&block.side);
        let room = measure - indent - if side.is_empty() { 0.0 } else { width_of(&side, block.size) + STEP };
        let glyphs = self.type_case.set(&block.runs);
        let marker = self.type_case.set(&block.marker);
        for (index, line) in lines(&glyphs, block.size, room).into_iter().enumerate() {
            self.need(leading);
            let base = self.y - leading * 0.76;
            if index == 0 {
                let before = left + indent - width_of(&marker, block.size) - 4.0;
                self.show(&marker, before, base, block.size);
            }
            for quote in 0..block.quotes {
                let at = left + STEP * f32::from(quote) + 3.0;
                rectangle(&mut self.text, LINE, [at, self.y - leading, 1.5, leading]);
            }
            if block.code {
                let ground = [left + indent - 5.0, self.y - leading, 1.0, leading];
                rectangle(&mut self.text, LINE, ground);
            }
            self.show(part(&glyphs, line), left + indent, base, block.size);
            if index == 0 {
                self.show(&side, left + measure - width_of(&side, block.size), base, block.size);
            }
            self.y -= leading;
        }
    }

    /// A line that stands where it is told to, on this page.
    fn show(&mut self, glyphs: &[Glyph], x: f32, base: f32, size: f32) {
        show(&mut self.text, glyphs, x, base, size);
    }

    /// Where text stands now: its left side and its width.
    fn column(&self) -> (f32, f32) {
        match self.frame {
            Some(_) => (MARGIN + BAR + PADDING.0, MEASURE - BAR - 2.0 * PADDING.0),
            None => (MARGIN, MEASURE),
        }
    }

    fn fill_frame(&mut self, open: Open) {
        let height = open.top - self.y;
        rectangle(&mut self.ground, open.frame.fill(), [MARGIN, self.y, MEASURE, height]);
        rectangle(&mut self.ground, open.frame.bar(), [MARGIN, self.y, BAR, height]);
    }

    /// Goes on on another page. A box that is open is there again, with its label.
    fn turn(&mut self) {
        if let Some(open) = self.frame {
            self.y -= PADDING.1;
            self.fill_frame(open);
        }
        self.finish_page();
        let head = self.type_case.one_line(&self.running_head, SMALL, MEASURE);
        self.show(&head, MARGIN, HEAD_LINE, SMALL);
        self.y = TOP;
        if let Some(Open { frame, .. }) = self.frame {
            self.open(frame);
            let label = Run::new(format!("{} (continued)", frame.label()), Style::bold(Tone::On(frame)));
            let label = self.type_case.set(&[label]);
            let leading = SMALL * LEADING;
            self.show(&label, self.column().0, self.y - leading * 0.76, SMALL);
            self.y -= leading + 2.0;
        }
    }

    fn finish_page(&mut self) {
        let ground = std::mem::replace(&mut self.ground, Content::new()).finish();
        let text = std::mem::replace(&mut self.text, Content::new()).finish();
        let mut page = ground.into_vec();
        page.push(b'\n');
        page.extend_from_slice(text.as_slice());
        self.full.push(deflated(&page));
    }

    /// The compressed pages, and the type with which their feet are to be set.
    pub(super) fn finish(mut self) -> (Vec<Vec<u8>>, TypeCase) {
        self.finish_page();
        (self.full, self.type_case)
    }
}

/// The glyphs of a line.
fn part(glyphs: &[Glyph], line: Range<usize>) -> &[Glyph] {
    glyphs.get(line).unwrap_or_default()
}

/// Writes glyphs from a place on, those of one style at once.
pub(super) fn show(to: &mut Content, glyphs: &[Glyph], x: f32, base: f32, size: f32) {
    let mut x = x;
    for piece in glyphs.chunk_by(|one, other| one.style == other.style) {
        let Some(Glyph { style, .. }) = piece.first() else { continue };
        let [regular, bold] = FACES;
        let [red, green, blue] = style.tone.colour();
        let lean = if style.slanted { SLANT } else { 0.0 };
        let ids: Vec<u8> = piece.iter().flat_map(|glyph| glyph.cut.id.to_be_bytes()).collect();
        to.begin_text()
            .set_fill_rgb(red, green, blue)
            .set_font(Name(if style.bold { bold } else { regular }), size)
            .set_text_matrix([1.0, 0.0, lean, 1.0, x, base])
            .show(Str(&ids))
            .end_text();
        x += width_of(piece, size);
    }
}

fn rectangle(to: &mut Content, [red, green, blue]: Colour, [x, y, width, height]: [f32; 4]) {
    to.set_fill_rgb(red, green, blue).rect(x, y, width, height).fill_nonzero();
}
