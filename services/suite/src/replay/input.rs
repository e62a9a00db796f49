//! Reads messages to replay: JSON Lines, plain or gzip, from a file or standard input. The format is in
//! `docs/message-import-format.md`.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

use super::line::Line;

/// A longer line is refused without being kept in memory.
const LONGEST_LINE: usize = 1 << 20;

/// Some programs begin a UTF-8 file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the file brings, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A message.
    Message(Line),
    /// A line which is none.
    Rejected(Rejected),
    /// The file cannot be read any further.
    CutShort(Rejected),
}

/// A line which is not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejected {
    /// From 1.
    pub(super) line: u64,
    /// Why.
    pub(super) reason: String,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Reads lines in order into a channel, until the end, `limit` messages, or nobody listens any more.
pub(super) fn read(mut from: Box<dyn BufRead + Send>, limit: Option<u64>, into: &mpsc::Sender<Piece>) {
    let (mut number, mut messages) = (0, 0);
    while limit.is_none_or(|limit| messages < limit) {
        number += 1;
        let rejected = |reason| Rejected { line: number, reason };
        let piece = match next_line(&mut from) {
            Ok(Next::End) => return,
            Ok(Next::TooLong) => Piece::Rejected(rejected(format!("is longer than {LONGEST_LINE} bytes"))),
            Ok(Next::Line(bytes)) => {
                let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
                    Some(rest) if number == 1 => rest,
                    _ => &bytes,
                };
                if bytes.trim_ascii().is_empty() {
                    continue;
                }
                match Line::parse(number, bytes) {
                    Ok(line) => Piece::Message(line),
                    Err(reason) => Piece::Rejected(rejected(reason)),
                }
            }
            Err(error) => Piece::CutShort(rejected(format!("the file cannot be read from here on: {error}"))),
        };
        messages += u64::from(matches!(piece, Piece::Message(_)));
        let last = matches!(piece, Piece::CutShort(_));
        if into.blocking_send(piece).is_err() || last {
            return;
        }
    }
}

enum Next {
    Line(Vec<u8>),
    TooLong,
    End,
}

fn next_line(from: &mut dyn BufRead) -> io::Result<Next> {
    let mut line = Vec::new();
    let read = from.take(LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(Next::End);
    }
    if line.ends_with(b"\n") || read < LONGEST_LINE {
        return Ok(Next::Line(line));
    }
    // The rest of a line that is too long is skipped, piece by piece.
    loop {
        let mut rest = Vec::new();
        let read = from.take(LONGEST_LINE as u64).read_until(b'\n', &mut rest)?;
        if read == 0 || rest.ends_with(b"\n") {
            return Ok(Next::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::source::open;

    const GOOD: &str = r#"{"at_ms":1,"conversation":"c","contact":"p","channel":"chat","source":"bank","turn":0,"text":"hi","intent":"openinggreeting"}"#;

    fn all(bytes: Vec<u8>, limit: Option<u64>) -> Vec<Piece> {
        pieces(Box::new(Cursor::new(bytes)), limit)
    }

    fn pieces(from: Box<dyn BufRead + Send>, limit: Option<u64>) -> Vec<Piece> {
        let (into, mut out) = mpsc::channel(1_000);
        read(from, limit, &into);
        drop(into);
        std::iter::from_fn(|| out.try_recv().ok()).collect()
    }

    fn messages(pieces: &[Piece]) -> usize {
        pieces.iter().filter(|piece| matches!(piece, Piece::Message(_))).count()
    }

    // P13
    #[test]
    fn a_malformed_line_is_reported_with_its_number_and_the_rest_goes_on() {
        let text = format!("{GOOD}\n\nnot json\n{GOOD}\n{{\"conversation\":\"c\"}}\n{GOOD}");
        let lines = all(text.into_bytes(), None);
        let rejected: Vec<u64> = lines
            .iter()
            .filter_map(|piece| match piece {
                Piece::Rejected(bad) => Some(bad.line),
                _ => None,
            })
            .collect();
        assert_eq!(rejected, [3, 5]);
        assert_eq!(messages(&lines), 3);
    }

    // P13
    #[test]
    fn a_line_without_end_is_refused_without_being_kept() {
        let mut text = vec![b'x'; LONGEST_LINE * 2 + 5];
        text.extend_from_slice(b"\n");
        text.extend_from_slice(GOOD.as_bytes());
        let lines = all(text, None);
        let Piece::Rejected(bad) = &lines[0] else { panic!("{lines:?}") };
        assert!(bad.line == 1 && bad.reason.contains("longer"), "{bad}");
        assert_eq!(messages(&lines), 1);
    }

    // P13
    #[test]
    fn a_byte_order_mark_is_skipped_at_the_beginning_only() {
        let text = format!("\u{feff}{GOOD}\n\u{feff}{GOOD}\n");
        let lines = all(text.into_bytes(), None);
        assert!(matches!(&lines[..], [Piece::Message(_), Piece::Rejected(_)]), "{lines:?}");
    }

    fn packed(lines: usize) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        for _ in 0..lines {
            writeln!(packed, "{GOOD}").unwrap();
        }
        packed.finish().unwrap()
    }

    // P13
    #[test]
    fn gzip_is_recognized_by_its_first_bytes_and_the_limit_counts_messages() {
        let file = std::env::temp_dir().join(format!("replay-input-{}.gz", std::process::id()));
        std::fs::write(&file, packed(3)).unwrap();
        let read = pieces(open(&file).unwrap().text, Some(2));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(messages(&read), 2);
    }

    // P13
    #[test]
    fn a_gzip_that_is_cut_short_says_so_after_what_can_be_read() {
        let file = std::env::temp_dir().join(format!("replay-cut-{}.gz", std::process::id()));
        let whole = packed(3);
        std::fs::write(&file, &whole[..whole.len() - GOOD.len()]).unwrap();
        let read = pieces(open(&file).unwrap().text, None);
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(read.last(), Some(Piece::CutShort(_))), "{read:?}");
        assert!(messages(&read) >= 1, "{read:?}");
    }
}
