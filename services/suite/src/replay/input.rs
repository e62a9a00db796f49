//! Reads messages to replay: JSON Lines, plain or gzip, from a file or standard input. The format is in
//! `docs/message-import-format.md`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use tokio::sync::mpsc;

/// A longer line is refused without being kept in memory.
const LONGEST_LINE: usize = 1 << 20;

/// What the channel said: one message of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Line {
    /// The channel's own id of the conversation.
    pub(super) conversation: String,
    /// The customer's address on the channel.
    pub(super) contact: String,
    /// The channel, such as `chat`.
    pub(super) channel: String,
    /// The line of business.
    pub(super) source: String,
    /// The customer's turn; with the conversation it makes the channel's id of the message.
    pub(super) turn: u64,
    /// What the customer wrote.
    pub(super) text: String,
    /// What it was about, as somebody labelled it; several joined by `|`.
    #[serde(default)]
    pub(super) intent: String,
}

impl Line {
    /// The channel's own id of this message.
    pub(super) fn external_id(&self) -> String {
        format!("{}/{}", self.conversation, self.turn)
    }

    /// Whether the customer says goodbye with it: it greets in closing, or thanks.
    pub(super) fn closes(&self) -> bool {
        self.intent.split('|').any(|intent| matches!(intent, "closinggreeting" | "thankyou"))
    }
}

/// A line which is not a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejected {
    /// From 1.
    pub(super) line: u64,
    /// Why.
    pub(super) reason: String,
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let source: Box<dyn Read + Send> =
        if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut buffered = BufReader::with_capacity(1 << 16, source);
    let gzip = buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if gzip { Ok(Box::new(BufReader::new(MultiGzDecoder::new(buffered)))) } else { Ok(Box::new(buffered)) }
}

/// Reads lines in order into a channel, until the end, `limit` messages, or nobody listens any more.
pub(super) fn read(
    mut from: Box<dyn BufRead + Send>,
    limit: Option<u64>,
    into: &mpsc::Sender<Result<Line, Rejected>>,
) {
    let (mut number, mut messages) = (0, 0);
    while limit.is_none_or(|limit| messages < limit) {
        number += 1;
        let line = match next_line(&mut from) {
            Ok(None) => return,
            Ok(Some(text)) if text.trim_ascii().is_empty() => continue,
            Ok(Some(text)) => parsed(&text).map_err(|reason| Rejected { line: number, reason }),
            Err(error) => Err(Rejected { line: number, reason: format!("cannot be read: {error}") }),
        };
        messages += u64::from(line.is_ok());
        let broken = line.as_ref().is_err_and(|rejected| rejected.reason.starts_with("cannot be read"));
        if into.blocking_send(line).is_err() || broken {
            return;
        }
    }
}

fn next_line(from: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = from.take(LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") || read < LONGEST_LINE {
        return Ok(Some(line));
    }
    // The rest of a line that is too long is skipped, piece by piece.
    loop {
        let mut rest = Vec::new();
        let read = from.take(LONGEST_LINE as u64).read_until(b'\n', &mut rest)?;
        if read == 0 || rest.ends_with(b"\n") {
            return Ok(Some(b"\xff".to_vec()));
        }
    }
}

fn parsed(text: &[u8]) -> Result<Line, String> {
    let text = std::str::from_utf8(text)
        .map_err(|_| format!("is not UTF-8, or longer than {LONGEST_LINE} bytes"))?;
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let empty = [
        ("conversation", line.conversation.is_empty()),
        ("contact", line.contact.is_empty()),
        ("channel", line.channel.is_empty()),
        ("source", line.source.is_empty()),
    ];
    match empty.iter().find(|(_, empty)| *empty) {
        Some((field, _)) => Err(format!("{field} is empty")),
        None => Ok(line),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    const GOOD: &str = r#"{"at_ms":1,"conversation":"c","contact":"p","channel":"chat","source":"bank","turn":0,"text":"hi","intent":"openinggreeting"}"#;

    fn all(bytes: Vec<u8>, limit: Option<u64>) -> Vec<Result<Line, Rejected>> {
        let (into, mut out) = mpsc::channel(1_000);
        read(Box::new(Cursor::new(bytes)), limit, &into);
        drop(into);
        std::iter::from_fn(|| out.try_recv().ok()).collect()
    }

    // P13
    #[test]
    fn a_malformed_line_is_reported_with_its_number_and_the_rest_goes_on() {
        let text = format!("{GOOD}\n\nnot json\n{GOOD}\n{{\"conversation\":\"c\"}}\n{GOOD}");
        let lines = all(text.into_bytes(), None);
        let rejected: Vec<u64> =
            lines.iter().filter_map(|line| line.as_ref().err()).map(|bad| bad.line).collect();
        assert_eq!(rejected, [3, 5]);
        assert_eq!(lines.iter().filter(|line| line.is_ok()).count(), 3);
    }

    // P13
    #[test]
    fn a_line_without_end_is_refused_without_being_kept() {
        let mut text = vec![b'x'; LONGEST_LINE * 2 + 5];
        text.extend_from_slice(b"\n");
        text.extend_from_slice(GOOD.as_bytes());
        let lines = all(text, None);
        assert!(lines[0].as_ref().is_err_and(|bad| bad.line == 1 && bad.reason.contains("longer")));
        assert!(lines[1].is_ok());
    }

    // P13
    #[test]
    fn gzip_is_recognized_by_its_first_bytes_and_the_limit_counts_messages() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(packed, "{GOOD}\n{GOOD}\n{GOOD}\n").unwrap();
        let file = std::env::temp_dir().join(format!("replay-input-{}.gz", std::process::id()));
        std::fs::write(&file, packed.finish().unwrap()).unwrap();
        let (into, mut out) = mpsc::channel(10);
        read(open(&file).unwrap(), Some(2), &into);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(std::iter::from_fn(|| out.try_recv().ok()).filter(Result::is_ok).count(), 2);
    }
}
