//! Rows that were left out. Without a file for them the first ones are said; in a file each comes with the reason and as it was, in a
//! form which the import takes: columns that begin with `reject.` and lines of the type `rejected` are passed over.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use proto::contacts::v1::{RejectedRow, RowViolation};

use super::Format;
use crate::failure::Failure;
use crate::transfer::target::file_of_rejects;

/// Rows that are said where there is no file for them.
const SAID: u64 = 20;

pub(super) struct Rejects {
    file: Option<BufWriter<File>>,
    format: Format,
    delimiter: String,
    rows: u64,
}

impl Rejects {
    /// Makes the file, if there shall be one.
    pub(super) fn open(file: Option<&Path>, input: &Path, format: Format) -> Result<Self, Failure> {
        let file = file.map(|file| file_of_rejects(file, input)).transpose()?.map(BufWriter::new);
        Ok(Self { file, format, delimiter: ",".to_owned(), rows: 0 })
    }

    /// The header of the file that is imported.
    pub(super) fn header(&mut self, delimiter: &str, header: &[u8]) -> Result<(), Failure> {
        self.delimiter = delimiter.to_owned();
        let d = delimiter;
        let names = format!("reject.line{d}reject.field{d}reject.reason{d}");
        self.write(names.as_bytes(), header)
    }

    /// A row, as it was; what to say about it, if it is to be said.
    pub(super) fn add(&mut self, row: &RejectedRow, raw: &[u8]) -> Result<Option<String>, Failure> {
        self.rows += 1;
        if self.file.is_none() {
            return Ok((self.rows <= SAID).then(|| said(row)));
        }
        let nothing = RowViolation::default();
        let first = row.violations.first().unwrap_or(&nothing);
        let reason = all(row);
        match self.format {
            Format::Csv => {
                let d = &self.delimiter;
                let reason = reason.replace('"', "\"\"");
                let before = format!("{}{d}{}{d}\"{reason}\"{d}", row.line, first.field);
                self.write(before.as_bytes(), raw)?;
            }
            Format::Jsonl => {
                let line = serde_json::json!({
                    "type": "rejected", "line": row.line, "field": first.field, "reason": reason,
                });
                self.write(format!("{line}\n").as_bytes(), raw)?;
            }
        }
        Ok(None)
    }

    /// Closes the file; tells how many rows were said rather than written.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| Failure::because("the file of rejected rows", error))?;
            return Ok(0);
        }
        Ok(self.rows.min(SAID))
    }

    fn write(&mut self, before: &[u8], raw: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written =
            file.write_all(before).and_then(|()| file.write_all(raw)).and_then(|()| file.write_all(b"\n"));
        written.map_err(|error| Failure::because("the file of rejected rows", error))
    }
}

fn said(row: &RejectedRow) -> String {
    format!("line {}: {}", row.line, all(row))
}

/// All that is wrong with a row.
fn all(row: &RejectedRow) -> String {
    let mut said = String::new();
    for violation in &row.violations {
        let between = if said.is_empty() { "" } else { "; " };
        let field = if violation.field.is_empty() { String::new() } else { format!("{} ", violation.field) };
        // Writing to a String cannot fail.
        let _ = write!(said, "{between}{field}{}", violation.description);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> RejectedRow {
        let violations = vec![
            RowViolation { field: "emails[0]".into(), description: "must be an email".into() },
            RowViolation { field: String::new(), description: "and \"more\"".into() },
        ];
        RejectedRow { line: 7, violations, ..RejectedRow::default() }
    }

    fn written(format: Format, delimiter: &str, header: &[u8], raw: &[u8]) -> String {
        let folder = std::env::temp_dir().join(format!("rejects-{}-{delimiter:?}", std::process::id()));
        let mut rejects = Rejects::open(Some(&folder), Path::new("-"), format).unwrap();
        if format == Format::Csv {
            rejects.header(delimiter, header).unwrap();
        }
        assert_eq!(rejects.add(&row(), raw).unwrap(), None);
        assert_eq!(rejects.finish().unwrap(), 0);
        let written = std::fs::read_to_string(&folder).unwrap();
        std::fs::remove_file(folder).unwrap();
        written
    }

    // C10
    #[test]
    fn a_rejected_row_is_written_as_it_was_behind_the_reason() {
        assert_eq!(
            written(Format::Csv, ";", b"emails;company", b"x;\"a;b\""),
            "reject.line;reject.field;reject.reason;emails;company\n\
             7;emails[0];\"emails[0] must be an email; and \"\"more\"\"\";x;\"a;b\"\n"
        );
        let lines = written(Format::Jsonl, "", b"", br#"{"emails": ["x"]}"#);
        let (reason, raw) = lines.split_once('\n').unwrap();
        assert!(reason.contains(r#""type":"rejected""#) && reason.contains(r#""line":7"#), "{reason}");
        assert_eq!(raw, "{\"emails\": [\"x\"]}\n");
    }

    // C10
    #[test]
    fn without_a_file_the_first_are_said() {
        let mut rejects = Rejects::open(None, Path::new("-"), Format::Csv).unwrap();
        assert_eq!(
            rejects.add(&row(), b"").unwrap().as_deref(),
            Some("line 7: emails[0] must be an email; and \"more\"")
        );
        for _ in 0..50 {
            rejects.add(&row(), b"").unwrap();
        }
        assert_eq!(rejects.add(&row(), b"").unwrap(), None);
        assert_eq!(rejects.finish().unwrap(), SAID);
    }
}
