//! What somebody reads in a PDF, and whatever else is in it: enough of ISO 32000 for files whose text is in composite fonts with a
//! `ToUnicode` map, as ours is. It follows the file's own tables and knows nothing of who wrote it.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::ZlibDecoder;

/// A file, taken apart.
#[derive(Debug)]
pub struct PdfText {
    /// The text of each page, a line for each line.
    pub pages: Vec<String>,
    /// What the file is made of: every dictionary in it, without the streams.
    pub structure: String,
    /// Everything that is in the file, each stream also without its compression.
    pub everything: Vec<u8>,
}

impl PdfText {
    /// Takes a file apart.
    ///
    /// # Panics
    /// If it is no such file.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        assert!(file.starts_with(b"%PDF-") && file.trim_ascii_end().ends_with(b"%%EOF"), "it is a whole PDF");
        let objects = objects(file);
        let mut everything = file.to_vec();
        for object in objects.values() {
            everything.extend_from_slice(&object.stream);
        }
        let fonts: BTreeMap<u32, Font> = objects
            .iter()
            .filter_map(|(id, object)| Some((*id, object, reference(&object.dict, "/ToUnicode")?)))
            .map(|(id, object, map)| {
                let descendant = references(&object.dict, "/DescendantFonts")[0];
                let meanings = unicode(&objects[&map].stream);
                (id, Font { meanings, widths: widths(&objects[&descendant].dict) })
            })
            .collect();
        let tree = objects.values().find(|it| it.dict.contains("/Type/Pages")).expect("pages");
        let pages = references(&tree.dict, "/Kids").into_iter().map(|id| &objects[&id].dict);
        let pages = pages.map(|page| {
            let names = section(page, "/Font").expect("fonts");
            let mut told = Teller { fonts: &fonts, names, font: 0, size: 0.0, at: None, text: String::new() };
            for content in references(page, "/Contents") {
                told.tell(&objects[&content].stream);
            }
            told.text
        });
        let structure = objects.values().map(|object| object.dict.as_str()).collect::<Vec<_>>().join("\n");
        Self { pages: pages.collect(), structure, everything }
    }

    /// The text of all pages.
    #[must_use]
    pub fn text(&self) -> String {
        self.pages.join("\n")
    }

    /// Whether a text is anywhere in the file: on a page, in what it says about itself, in any encoding that a PDF has for it.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let hex: String = utf16.iter().map(|byte| format!("{byte:02X}")).collect();
        let forms =
            [text.as_bytes(), &utf16, hex.as_bytes(), &hex.to_lowercase().into_bytes()].map(<[u8]>::to_vec);
        self.text().contains(text)
            || forms.iter().any(|form| self.everything.windows(form.len()).any(|window| window == form))
    }
}

struct Object {
    dict: String,
    /// Without its compression.
    stream: Vec<u8>,
}

fn objects(file: &[u8]) -> BTreeMap<u32, Object> {
    let (mut found, mut at) = (BTreeMap::new(), 0);
    while let Some(begin) = find(file, b" 0 obj", at) {
        let digits = file[..begin].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let id = latin(&file[begin - digits..begin]).parse().expect("the number of an object");
        let end = find(file, b"endobj", begin).expect("the end of an object");
        let head = find(file, b"stream\n", begin).filter(|stream| *stream < end);
        let compact: String =
            latin(&file[begin + 6..head.unwrap_or(end)]).split_whitespace().collect::<Vec<_>>().join(" ");
        let dict = ["/", "<", ">", "[", "]"].iter().fold(compact, |text, mark| {
            text.replace(&format!(" {mark}"), mark).replace(&format!("{mark} "), mark)
        });
        let mut stream = Vec::new();
        at = end;
        if let Some(head) = head {
            let length: usize = number(&dict, "/Length").expect("the length of a stream");
            let bytes = &file[head + 7..head + 7 + length];
            at = find(file, b"endobj", head + 7 + length).expect("the end of a stream");
            if dict.contains("/FlateDecode") {
                ZlibDecoder::new(bytes).read_to_end(&mut stream).expect("a compressed stream");
            } else {
                stream = bytes.to_vec();
            }
        }
        found.insert(id, Object { dict, stream });
    }
    found
}

struct Font {
    meanings: BTreeMap<u16, String>,
    /// In thousandths of the size, by the numbers of the glyphs.
    widths: Vec<f32>,
}

/// The widths of a font whose glyphs are all in one list, from 0 on.
fn widths(dict: &str) -> Vec<f32> {
    let list = dict.split_once("/W[0[").expect("widths from 0 on").1.split_once(']').expect("a list").0;
    list.split_whitespace().map(|width| width.parse().expect("a width")).collect()
}

/// Glyphs and what they mean, of a `ToUnicode` map.
fn unicode(map: &[u8]) -> BTreeMap<u16, String> {
    let pairs = latin(map);
    let lines = pairs
        .split("beginbfchar")
        .skip(1)
        .flat_map(|part| part.split("endbfchar").next().unwrap_or_default().lines().collect::<Vec<_>>());
    let pair = |line: &str| {
        let (glyph, text) = line.trim().strip_prefix('<')?.strip_suffix('>')?.split_once("> <")?;
        let units: Vec<u16> =
            bytes_of_hex(text).chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
        Some((u16::from_str_radix(glyph, 16).ok()?, String::from_utf16_lossy(&units)))
    };
    lines.into_iter().filter_map(pair).collect()
}

/// Reads the operators of a page.
struct Teller<'a> {
    fonts: &'a BTreeMap<u32, Font>,
    names: &'a str,
    font: u32,
    size: f32,
    /// Where the text before ended, on which line.
    at: Option<(f32, f32)>,
    text: String,
}

impl Teller<'_> {
    fn tell(&mut self, content: &[u8]) {
        let (mut at, mut operands): (usize, Vec<Operand>) = (0, Vec::new());
        while let Some(byte) = content.get(at) {
            match byte {
                b'(' => operands.push(Operand::Glyphs(literal(content, &mut at))),
                b'<' => {
                    let end = find(content, b">", at).expect("the end of a string");
                    operands.push(Operand::Glyphs(bytes_of_hex(&latin(&content[at + 1..end]))));
                    at = end + 1;
                }
                byte if byte.is_ascii_whitespace() => at += 1,
                _ => {
                    let end = content[at + 1..]
                        .iter()
                        .position(|byte| byte.is_ascii_whitespace() || b"(<[]/".contains(byte));
                    let end = end.map_or(content.len(), |end| at + 1 + end);
                    let word = latin(&content[at..end]);
                    at = end;
                    match word.as_str() {
                        "Tf" | "Tj" | "Tm" => self.operate(&word, &std::mem::take(&mut operands)),
                        _ if word.starts_with('/') => operands.push(Operand::Name(word)),
                        _ => match word.parse() {
                            Ok(number) => operands.push(Operand::Number(number)),
                            Err(_) => operands.clear(),
                        },
                    }
                }
            }
        }
    }

    fn operate(&mut self, operator: &str, operands: &[Operand]) {
        match (operator, operands) {
            ("Tf", [Operand::Name(name), Operand::Number(size)]) => {
                self.font = reference(self.names, name).expect("the font");
                self.size = *size;
            }
            ("Tm", [.., Operand::Number(x), Operand::Number(base)]) => {
                match self.at {
                    Some((_, before)) if (before - base).abs() > 0.5 => self.text.push('\n'),
                    Some((end, _)) if x - end > 0.15 * self.size => self.text.push(' '),
                    _ => {}
                }
                self.at = Some((*x, *base));
            }
            ("Tj", [Operand::Glyphs(glyphs)]) => {
                let (font, (mut x, base)) = (&self.fonts[&self.font], self.at.expect("a place"));
                for glyph in glyphs.chunks(2) {
                    let glyph = u16::from_be_bytes([glyph[0], glyph[1]]);
                    self.text.push_str(font.meanings.get(&glyph).expect("the meaning of a glyph"));
                    x += font.widths[usize::from(glyph)] * self.size / 1000.0;
                }
                self.at = Some((x, base));
            }
            _ => panic!("{operator} with {operands:?}"),
        }
    }
}

#[derive(Debug)]
enum Operand {
    Name(String),
    Number(f32),
    Glyphs(Vec<u8>),
}

/// A string in parentheses, with its escapes undone.
fn literal(content: &[u8], at: &mut usize) -> Vec<u8> {
    let (mut bytes, mut depth) = (Vec::new(), 0);
    loop {
        let byte = content[*at];
        *at += 1;
        match byte {
            b'(' if depth == 0 => depth = 1,
            b'\\' => {
                let octal =
                    content[*at..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                if octal > 0 {
                    let code = u32::from_str_radix(&latin(&content[*at..*at + octal]), 8).expect("an escape");
                    bytes.push(u8::try_from(code & 0xff).expect("a byte"));
                    *at += octal;
                } else {
                    bytes.push(match content[*at] {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'f' => 12,
                        other => other,
                    });
                    *at += 1;
                }
            }
            b'(' => {
                depth += 1;
                bytes.push(byte);
            }
            b')' if depth == 1 => return bytes,
            b')' => {
                depth -= 1;
                bytes.push(byte);
            }
            _ => bytes.push(byte),
        }
    }
}

fn find(within: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let found = within.get(from..)?.windows(what.len()).position(|window| window == what);
    found.map(|found| from + found)
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
        .collect()
}

fn number<T: std::str::FromStr>(dict: &str, key: &str) -> Option<T> {
    let rest = dict.split_once(key)?.1.trim_start();
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn reference(dict: &str, key: &str) -> Option<u32> {
    number(dict, &format!("{key} ")).or_else(|| number(dict, key))
}

/// What stands in the brackets behind a key: numbers of objects.
fn references(dict: &str, key: &str) -> Vec<u32> {
    let list = dict.split_once(&format!("{key}[")).and_then(|(_, rest)| rest.split_once(']'));
    let words: Vec<&str> = list.expect("a list").0.split_whitespace().collect();
    words.chunks(3).filter_map(|word| word.first()?.parse().ok()).collect()
}

/// The dictionary behind a key.
fn section<'a>(dict: &'a str, key: &str) -> Option<&'a str> {
    dict.split_once(&format!("{key}<<"))?.1.split_once(">>").map(|(inside, _)| inside)
}
