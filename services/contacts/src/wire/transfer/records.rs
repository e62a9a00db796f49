//! Bytes to records. Bytes come cut anywhere; what is in memory is one record, 1 MiB at most.

use serde::{Deserialize, Serialize};

use super::look::{Ending, Look, MOST_CELLS};

/// Some programs begin a UTF-8 file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    reading: Reading,
    look: Look,
    /// The record of which the rest of a line is passed over.
    long: Option<Begun>,
}

/// What is known of a record that is not over.
#[derive(Debug, Clone, Copy)]
struct Begun {
    line: u64,
    last_line: u64,
    offset: u64,
    /// Behind its last byte that ends no line.
    end: u64,
}

enum Reading {
    Csv { delimiter: u8, reader: Box<csv_core::Reader>, ends: Vec<usize> },
    Lines,
}

impl Records {
    /// Of a CSV with this between cells.
    pub(crate) fn csv(delimiter: u8, from: Place) -> Self {
        let reader = Box::new(csv_core::ReaderBuilder::new().delimiter(delimiter).build());
        // The reader stops before a full one.
        Self::at(from, Reading::Csv { delimiter, reader, ends: vec![0; MOST_CELLS + 1] })
    }

    /// Of lines.
    pub(crate) fn lines(from: Place) -> Self {
        Self::at(from, Reading::Lines)
    }

    fn at(place: Place, reading: Reading) -> Self {
        Self { place, boundary: place, reading, look: Look::default(), long: None }
    }

    /// Where the last record ended.
    pub(crate) fn boundary(&self) -> Place {
        self.boundary
    }

    /// The next record of what came, which is left out of `input`; none when more must come first. What is in `input` then is to be
    /// there again, before what comes next. `ended`: nothing comes any more, and none means that there is none.
    pub(crate) fn next(&mut self, input: &mut &[u8], ended: bool) -> Option<Record> {
        if self.place.offset == 0 {
            self.skip_mark(input, ended)?;
        }
        if let Some(begun) = self.long.take() {
            return self.pass_over(begun, input, ended);
        }
        self.skip_blank(input);
        if input.is_empty() {
            return None;
        }
        let Place { offset, line, .. } = self.place;
        let begun = Begun { line, last_line: line, offset, end: offset };
        let ending = match &self.reading {
            Reading::Csv { delimiter, .. } => self.look.csv(*delimiter, input, ended),
            Reading::Lines => self.look.lines(input, ended),
        };
        let (length, content) = match ending? {
            Ending::Whole(length) => (length, self.reading.content(&input[..length])),
            Ending::Line(length, why) => (length, Content::Unreadable(why)),
            Ending::Long => return self.pass_over(begun, input, ended),
        };
        let begun = self.take(begun, input, length);
        Some(self.over(begun, content))
    }

    /// Nothing until it is known whether the file begins with a byte order mark.
    fn skip_mark(&mut self, input: &mut &[u8], ended: bool) -> Option<()> {
        if let Some(rest) = input.strip_prefix(BYTE_ORDER_MARK) {
            self.place.offset = BYTE_ORDER_MARK.len() as u64;
            *input = rest;
        }
        (ended || self.place.offset > 0 || !BYTE_ORDER_MARK.starts_with(input)).then_some(())
    }

    fn skip_blank(&mut self, input: &mut &[u8]) {
        while let Some((byte @ (b'\r' | b'\n'), rest)) = input.split_first() {
            self.place.pass(*byte);
            *input = rest;
        }
    }

    /// Passes over a line that is too long.
    fn pass_over(&mut self, begun: Begun, input: &mut &[u8], ended: bool) -> Option<Record> {
        let end = input.iter().position(|byte| self.reading.is_line_end(*byte));
        let begun = self.take(begun, input, end.map_or(input.len(), |end| end + 1));
        if end.is_none() && !ended {
            self.long = Some(begun);
            return None;
        }
        Some(self.over(begun, Content::Unreadable("is longer than 1 MiB")))
    }

    fn take(&mut self, mut begun: Begun, input: &mut &[u8], length: usize) -> Begun {
        let (taken, rest) = input.split_at(length);
        for byte in taken {
            if !matches!(byte, b'\r' | b'\n') {
                (begun.last_line, begun.end) = (self.place.line, self.place.offset + 1);
            }
            self.place.pass(*byte);
        }
        *input = rest;
        begun
    }

    fn over(&mut self, begun: Begun, content: Content) -> Record {
        self.boundary = self.place;
        self.look = Look::default();
        let Begun { line, last_line, offset, end } = begun;
        Record { line, last_line, offset, length: end - offset, content }
    }
}

impl Reading {
    fn is_line_end(&self, byte: u8) -> bool {
        byte == b'\n' || (byte == b'\r' && matches!(self, Self::Csv { .. }))
    }

    /// What a whole record says.
    fn content(&mut self, record: &[u8]) -> Content {
        let Self::Csv { reader, ends, .. } = self else {
            return Content::Line(record.trim_ascii_end().to_vec());
        };
        let mut text = vec![0; record.len() + 1];
        let (_, _, written, mut cells) = reader.read_record(record, &mut text, ends);
        if !record.ends_with(b"\n") && !record.ends_with(b"\r") {
            // The file ended it.
            cells += reader.read_record(b"\n", &mut text[written..], &mut ends[cells..]).3;
        }
        let begins = std::iter::once(0).chain(ends[..cells].iter().copied());
        let cell = |(begin, end): (usize, &usize)| text[begin..*end].to_vec();
        Content::Cells(begins.zip(&ends[..cells]).map(cell).collect())
    }
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
