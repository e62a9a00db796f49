//! Bytes to records. Bytes come cut anywhere; what is in memory is one record, 1 MiB at most.

use serde::{Deserialize, Serialize};

/// A longer record is left out without being kept in memory.
pub(crate) const LONGEST: usize = 1 << 20;
/// More cells than a header may have make a record unreadable, whatever they are.
const MOST_CELLS: usize = 1_024;
/// Some programs begin a UTF-8 file with it.
const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// A place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// The line it is in, from 1.
    pub(crate) line: u64,
    /// Whether a carriage return is right before it, so that a line feed right behind it ends no further line.
    pub(crate) after_return: bool,
}

impl Place {
    /// The beginning of a file.
    pub(crate) const BEGINNING: Self = Self { offset: 0, line: 1, after_return: false };

    fn pass(&mut self, byte: u8) {
        self.offset += 1;
        if byte == b'\r' || (byte == b'\n' && !self.after_return) {
            self.line += 1;
        }
        self.after_return = byte == b'\r';
    }
}

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The line in which it begins.
    pub(crate) line: u64,
    /// The line in which it ends.
    pub(crate) last_line: u64,
    /// Its first byte.
    pub(crate) offset: u64,
    /// Its bytes, without the end of the line.
    pub(crate) length: u64,
    /// What it is.
    pub(crate) content: Content,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Cells of a CSV.
    Cells(Vec<Vec<u8>>),
    /// A line.
    Line(Vec<u8>),
    /// Nothing that could be read, and why.
    Unreadable(&'static str),
}

/// Takes bytes, gives records.
pub(crate) struct Records {
    place: Place,
    /// Behind the last record.
    boundary: Place,
    /// Bytes of a byte order mark seen so far; 3 when it can no longer come.
    mark: usize,
    /// The record that has begun.
    begun: Option<Begun>,
    reading: Reading,
    /// The record's bytes, or its cells', as far as they came.
    text: Vec<u8>,
    filled: usize,
}

/// What is known of a record that is not over.
#[derive(Debug, Clone, Copy)]
struct Begun {
    line: u64,
    last_line: u64,
    offset: u64,
    /// Behind its last byte that ends no line.
    end: u64,
    too_long: bool,
}

enum Reading {
    Csv { reader: Box<csv_core::Reader>, ends: Vec<usize>, cells: usize },
    Lines,
}

impl Records {
    /// Of a CSV with this between cells.
    pub(crate) fn csv(delimiter: u8, from: Place) -> Self {
        let reader = Box::new(csv_core::ReaderBuilder::new().delimiter(delimiter).build());
        Self::at(from, Reading::Csv { reader, ends: vec![0; MOST_CELLS], cells: 0 })
    }

    /// Of lines.
    pub(crate) fn lines(from: Place) -> Self {
        Self::at(from, Reading::Lines)
    }

    fn at(place: Place, reading: Reading) -> Self {
        let mark = if place.offset == 0 { 0 } else { BYTE_ORDER_MARK.len() };
        Self { place, boundary: place, mark, begun: None, reading, text: Vec::new(), filled: 0 }
    }

    /// Where the last record ended.
    pub(crate) fn boundary(&self) -> Place {
        self.boundary
    }

    /// The next record of what came, which is left out of `input`; none when more must come first.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Option<Record> {
        self.skip_mark(input);
        loop {
            if self.begun.is_none() {
                self.skip_blank(input);
            }
            if input.is_empty() {
                return None;
            }
            if let Some(record) = self.go_on(input) {
                return Some(record);
            }
        }
    }

    /// The record that the end of the file ends, if one has begun.
    pub(crate) fn end(&mut self) -> Option<Record> {
        self.begun?;
        let place = self.place;
        let record = self.go_on(&mut b"\n".as_slice());
        // The end of the line that ended it is not in the file.
        self.place = place;
        let record =
            record.unwrap_or_else(|| self.over(Content::Unreadable("has a quote that is not closed")));
        self.boundary = place;
        Some(record)
    }

    fn skip_mark(&mut self, input: &mut &[u8]) {
        while self.mark < BYTE_ORDER_MARK.len() {
            match input.split_first() {
                None => return,
                Some((byte, rest)) if *byte == BYTE_ORDER_MARK[self.mark] => {
                    self.mark += 1;
                    self.place.offset += 1;
                    *input = rest;
                }
                Some(_) => self.mark = BYTE_ORDER_MARK.len(),
            }
        }
    }

    fn skip_blank(&mut self, input: &mut &[u8]) {
        while let Some((byte @ (b'\r' | b'\n'), rest)) = input.split_first() {
            self.place.pass(*byte);
            *input = rest;
        }
    }

    fn go_on(&mut self, input: &mut &[u8]) -> Option<Record> {
        let Place { offset, line, .. } = self.place;
        let fresh = Begun { line, last_line: line, offset, end: offset, too_long: false };
        let mut begun = *self.begun.get_or_insert(fresh);
        let (taken, over) = match &mut self.reading {
            Reading::Lines => take_line(input, &mut self.text, &mut begun.too_long),
            Reading::Csv { reader, ends, cells } => {
                take_cells(reader, input, &mut self.text, &mut self.filled, ends, cells, &mut begun.too_long)
            }
        };
        for byte in &input[..taken] {
            if !matches!(byte, b'\r' | b'\n') {
                (begun.last_line, begun.end) = (self.place.line, self.place.offset + 1);
            }
            self.place.pass(*byte);
        }
        *input = &input[taken..];
        self.begun = Some(begun);
        if !over {
            return None;
        }
        let content = match &self.reading {
            _ if begun.too_long => {
                Content::Unreadable("is longer than 1 MiB, or a quote in it is not closed")
            }
            Reading::Lines => Content::Line(self.text.trim_ascii_end().to_vec()),
            Reading::Csv { ends, cells, .. } => {
                let begins = std::iter::once(0).chain(ends[..*cells].iter().copied());
                let cell = |(begin, end): (usize, &usize)| self.text[begin..*end].to_vec();
                Content::Cells(begins.zip(&ends[..*cells]).map(cell).collect())
            }
        };
        Some(self.over(content))
    }

    fn over(&mut self, content: Content) -> Record {
        let Place { offset, line, .. } = self.place;
        let nothing = Begun { line, last_line: line, offset, end: offset, too_long: false };
        let begun = self.begun.take().unwrap_or(nothing);
        self.boundary = self.place;
        (self.text, self.filled) = (Vec::new(), 0);
        if let Reading::Csv { cells, .. } = &mut self.reading {
            *cells = 0;
        }
        let length = begun.end - begun.offset;
        Record { line: begun.line, last_line: begun.last_line, offset: begun.offset, length, content }
    }
}

/// Takes bytes up to the end of the line; tells how many, and whether it is there.
fn take_line(input: &[u8], text: &mut Vec<u8>, too_long: &mut bool) -> (usize, bool) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let taken = end.map_or(input.len(), |end| end + 1);
    *too_long |= text.len() + taken > LONGEST;
    if *too_long {
        text.clear();
    } else {
        text.extend_from_slice(&input[..taken]);
    }
    (taken, end.is_some())
}

/// Takes bytes until the record is over or more must come; tells how many, and whether it is over.
fn take_cells(
    reader: &mut csv_core::Reader,
    input: &[u8],
    text: &mut Vec<u8>,
    filled: &mut usize,
    ends: &mut [usize],
    cells: &mut usize,
    too_long: &mut bool,
) -> (usize, bool) {
    use csv_core::ReadRecordResult as Read;
    let mut taken = 0;
    // No bytes would tell the reader that the file is at its end.
    while taken < input.len() {
        if *filled == text.len() {
            text.resize((text.len() * 2).clamp(1 << 10, LONGEST), 0);
        }
        let (read, took, wrote, ended) =
            reader.read_record(&input[taken..], &mut text[*filled..], &mut ends[*cells..]);
        taken += took;
        *filled += wrote;
        *cells += ended;
        match read {
            Read::Record => return (taken, true),
            Read::InputEmpty | Read::End => return (taken, false),
            Read::OutputFull if text.len() < LONGEST => {}
            // What is left of it is read over what there is.
            Read::OutputFull => (*too_long, *filled, *cells) = (true, 0, 0),
            Read::OutputEndsFull => (*too_long, *cells) = (true, 0),
        }
    }
    (taken, false)
}

/// What is between the cells of a header: the one of comma, semicolon and tab that comes most often outside quotes.
pub(crate) fn guess_delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            byte if !quoted => {
                counts
                    .iter_mut()
                    .filter(|(delimiter, _)| delimiter == byte)
                    .for_each(|(_, count)| *count += 1);
            }
            _ => {}
        }
    }
    // Of equals the first: a header of one column has none of them.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}
