//! Pieces of a file, cut anywhere, as lines.

/// Longest line, in bytes: a longer one is passed over without being kept.
pub const LONGEST: usize = 4 * 1024 * 1024;

/// Some programs begin a UTF-8 file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where a line is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Which one, from 1.
    pub line: u64,
    /// Its first byte, from 0.
    pub offset: u64,
    /// Its bytes, without what ends it.
    pub length: u64,
}

/// A line of the file.
#[derive(PartialEq, Eq)]
pub struct Piece {
    /// Where it is.
    pub span: Span,
    /// What it says; none if it is longer than a line may be.
    pub bytes: Option<Vec<u8>>,
}

impl std::fmt::Debug for Piece {
    /// Without what it says, which is private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({:?})", self.span)
    }
}

impl Piece {
    /// Nothing but space.
    pub fn is_blank(&self) -> bool {
        self.bytes.as_ref().is_some_and(|bytes| bytes.trim_ascii().is_empty())
    }
}

/// Takes a file piece by piece.
pub struct Intake {
    line: u64,
    offset: u64,
    /// What has come of the present line, unless it is too long.
    kept: Option<Vec<u8>>,
    /// How much has come of it.
    length: u64,
}

impl Intake {
    /// From behind so many lines and bytes on.
    pub fn from(lines: u64, offset: u64) -> Self {
        Self { line: lines, offset, kept: Some(Vec::new()), length: 0 }
    }

    /// The first byte of the present line, behind all that ended.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next bytes; puts the lines that end in them behind `lines`.
    pub fn take(&mut self, mut bytes: &[u8], lines: &mut Vec<Piece>) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.keep(line);
            lines.push(self.cut(1));
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    /// The last line, if the file does not end with the end of one.
    pub fn rest(&mut self) -> Option<Piece> {
        (self.length > 0).then(|| self.cut(0))
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.kept = self.kept.take().filter(|kept| kept.len() + bytes.len() <= LONGEST);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
    }

    /// The present line, ended by so many bytes.
    fn cut(&mut self, end: u64) -> Piece {
        self.line += 1;
        let span = Span { line: self.line, offset: self.offset, length: self.length };
        self.offset += self.length + end;
        self.length = 0;
        let mut bytes = self.kept.replace(Vec::new());
        if let Some(bytes) = &mut bytes
            && span.offset == 0
            && bytes.starts_with(BYTE_ORDER_MARK)
        {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Piece { span, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::{Intake, LONGEST, Piece, Span};

    fn lines(file: &[u8], piece: usize) -> Vec<Piece> {
        let (mut intake, mut lines) = (Intake::from(0, 0), Vec::new());
        for bytes in file.chunks(piece) {
            intake.take(bytes, &mut lines);
        }
        lines.extend(intake.rest());
        lines
    }

    // P13
    #[test]
    fn lines_are_the_same_however_a_file_is_cut() {
        let file = "\u{feff}{\"a\":\"é\"}\r\n\n  \n{\"b\":\"مرحبا\"}\nlast".as_bytes();
        let whole = lines(file, file.len());
        assert_eq!(whole.len(), 5);
        assert_eq!(
            whole[0].bytes.as_deref(),
            Some("{\"a\":\"é\"}\r".as_bytes()),
            "without a byte order mark"
        );
        assert_eq!(whole.iter().filter(|line| line.is_blank()).count(), 2);
        for line in &whole {
            let Span { offset, length, .. } = line.span;
            let there = &file[offset as usize..(offset + length) as usize];
            assert!(there.ends_with(line.bytes.as_ref().unwrap()), "{line:?} is where it says");
        }
        for piece in 1..file.len() {
            assert_eq!(lines(file, piece), whole, "{piece}");
        }
        assert!(lines(b"", 1).is_empty() && lines(b"a\n", 1).len() == 1);
    }

    // P13
    #[test]
    fn who_goes_on_behind_a_line_finds_the_same_lines() {
        let file = b"one\ntwo\nthree\n";
        let whole = lines(file, 5);
        let (mut intake, mut rest) = (Intake::from(1, 4), Vec::new());
        intake.take(&file[4..], &mut rest);
        assert_eq!(rest, whole[1..]);
    }

    // P13
    #[test]
    fn a_line_that_is_too_long_is_not_kept_and_the_next_one_is_read() {
        let mut file = vec![b'x'; LONGEST + 1];
        file.extend_from_slice(b"\nnext\n");
        let found = lines(&file, 100_000);
        assert_eq!((found[0].bytes.is_none(), found[0].span.length), (true, LONGEST as u64 + 1));
        assert_eq!(found[1].bytes.as_deref(), Some(&b"next"[..]));
        assert_eq!(lines(&file[1..], 100_000)[0].bytes.as_ref().map(Vec::len), Some(LONGEST));
    }
}
