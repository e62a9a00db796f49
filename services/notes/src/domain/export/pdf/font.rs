//! The two faces: which characters they have, how wide those are, how they are embedded.
//!
//! Only the glyphs that a file uses are in it. Characters of scripts that are written from the right, or whose letters change with
//! their neighbours, count as not there even where the font has them: without shaping they would be shown wrongly, and a box
//! is honest.

use std::collections::HashMap;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use sha2::{Digest, Sha256};
use std::io::Write;
use subsetter::GlyphRemapper;
use ttf_parser::FaceParsingError;

use super::Unwritable;

/// Regular, then bold. Their licence is beside them.
const PROGRAMS: [(&str, &[u8]); 2] = [
    ("DejaVuSansCondensed", include_bytes!("../../../../fonts/DejaVuSansCondensed.ttf")),
    ("DejaVuSansCondensed-Bold", include_bytes!("../../../../fonts/DejaVuSansCondensed-Bold.ttf")),
];

/// The height of its capitals in thousandths of the size; the fonts do not say it.
const CAP_HEIGHT: f32 = 729.0;

/// Characters which are written from the right, or need shaping.
const SHAPED: [std::ops::RangeInclusive<char>; 7] = [
    // Hebrew, Arabic, Syriac, N'Ko and their neighbours; the scripts of India, Thai, Lao, Tibetan, Myanmar.
    '\u{590}'..='\u{109f}',
    '\u{1100}'..='\u{11ff}',
    // Philippine scripts, Khmer, Mongolian.
    '\u{1700}'..='\u{18af}',
    '\u{1900}'..='\u{1c7f}',
    '\u{fb1d}'..='\u{fdff}',
    '\u{fe70}'..='\u{fefe}',
    '\u{10800}'..='\u{10fff}',
];

/// Whether a character is written from the right, or needs shaping.
pub(super) fn is_shaped(character: char) -> bool {
    SHAPED.iter().any(|range| range.contains(&character))
}

/// A glyph in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    /// Its number there.
    pub(super) id: u16,
    /// Its width in thousandths of the size.
    pub(super) width: f32,
}

impl Cut {
    /// The first glyph of every font, which stands for what it does not have. It is in the file, and never shown.
    pub(super) const NONE: Self = Self { id: 0, width: 0.0 };
}

/// One face, and what of it a file uses.
pub(super) struct Face {
    name: &'static str,
    program: &'static [u8],
    font: ttf_parser::Face<'static>,
    /// What turns the font's units into thousandths of the size.
    scale: f32,
    known: HashMap<char, Option<Cut>>,
    chosen: GlyphRemapper,
    /// The glyphs of the file by their numbers, and the characters that they were first used for.
    used: Vec<(Cut, Option<char>)>,
}

impl Face {
    /// Regular and bold.
    pub(super) fn both() -> Result<[Self; 2], Unwritable> {
        let [regular, bold] = PROGRAMS;
        Ok([Self::read(regular)?, Self::read(bold)?])
    }

    fn read((name, program): (&'static str, &'static [u8])) -> Result<Self, FaceParsingError> {
        let font = ttf_parser::Face::parse(program, 0)?;
        let scale = 1000.0 / f32::from(font.units_per_em());
        let used = vec![(Cut::NONE, None)];
        let (known, chosen) = (HashMap::new(), GlyphRemapper::new());
        Ok(Self { name, program, font, scale, known, chosen, used })
    }

    /// The glyph of a character, if it is shown.
    pub(super) fn cut(&mut self, of: char) -> Option<Cut> {
        if let Some(known) = self.known.get(&of) {
            return *known;
        }
        let cut = self.choose(of);
        self.known.insert(of, cut);
        cut
    }

    fn choose(&mut self, of: char) -> Option<Cut> {
        if is_shaped(of) {
            return None;
        }
        let glyph = self.font.glyph_index(of).filter(|glyph| glyph.0 != 0)?;
        let width = f32::from(self.font.glyph_hor_advance(glyph)?) * self.scale;
        let cut = Cut { id: self.chosen.remap(glyph.0), width };
        if usize::from(cut.id) == self.used.len() {
            self.used.push((cut, Some(of)));
        }
        Some(cut)
    }

    /// Writes the face into a file: as `font`, with further objects from `next` on.
    pub(super) fn embed(&self, pdf: &mut Pdf, font: Ref, next: &mut Ref) -> Result<(), Unwritable> {
        let subset = subsetter::subset(self.program, 0, &self.chosen)?;
        let name = format!("{}+{}", tag(&subset), self.name);
        let (cid, descriptor, program, unicode) = (next.bump(), next.bump(), next.bump(), next.bump());
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

        pdf.type0_font(font)
            .base_font(Name(name.as_bytes()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(unicode);

        let mut cid_font = pdf.cid_font(cid);
        cid_font
            .subtype(CidFontType::Type2)
            .base_font(Name(name.as_bytes()))
            .system_info(system)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        cid_font.widths().consecutive(0, self.used.iter().map(|(cut, _)| cut.width));
        cid_font.finish();

        let (corners, lines) = (self.font.global_bounding_box(), self.font.tables().hhea);
        let scaled = |units: i16| f32::from(units) * self.scale;
        let corners = [corners.x_min, corners.y_min, corners.x_max, corners.y_max].map(scaled);
        let [x_min, y_min, x_max, y_max] = corners;
        pdf.font_descriptor(descriptor)
            .name(Name(name.as_bytes()))
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(x_min, y_min, x_max, y_max))
            .italic_angle(0.0)
            .ascent(scaled(lines.ascender))
            .descent(scaled(lines.descender))
            .cap_height(CAP_HEIGHT)
            .stem_v(80.0)
            .font_file2(program);
        pdf.stream(program, &deflated(&subset)).filter(Filter::FlateDecode);

        let mut text = UnicodeCmap::new(Name(b"Text"), system);
        for (cut, character) in &self.used {
            if let Some(character) = character {
                text.pair(cut.id, *character);
            }
        }
        pdf.stream(unicode, &deflated(text.finish().as_slice())).filter(Filter::FlateDecode);
        Ok(())
    }
}

/// Six letters that tell one part of a font from another.
fn tag(subset: &[u8]) -> String {
    let digest = Sha256::digest(subset);
    digest.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

/// Compressed. Writing into memory does not fail; if it did, an empty stream would be found by every reader.
pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
