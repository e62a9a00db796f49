//! Contacts in and out.
//!
//! | module | story |
//! |---|---|
//! | [`import`] | an import, and what becomes of its rows |
//! | [`rejects`] | rows that were left out: said, or written so that they can be mended and imported |
//! | [`export`] | an export, into a file |
//! | [`report`] | what an import came to |

mod export;
mod import;
mod rejects;
mod report;

use std::path::Path;

use proto::contacts::v1 as pb;

use crate::failure::Failure;

pub(super) use export::ExportContacts;
pub(super) use import::ImportContacts;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Comma-separated values with a header
    Csv,
    /// JSON Lines
    Jsonl,
}

impl Format {
    /// As it was said, or as the name of the file says.
    fn of(said: Option<Self>, file: &Path) -> Result<Self, Failure> {
        let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.trim_end_matches(".gz");
        let named = match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("csv" | "tsv") => Some(Self::Csv),
            Some("jsonl" | "ndjson" | "json") => Some(Self::Jsonl),
            _ => None,
        };
        let unknown = || Failure(format!("say how {} is written with --format csv or jsonl", file.display()));
        said.or(named).ok_or_else(unknown)
    }

    fn proto(self) -> pb::ContactFileFormat {
        match self {
            Self::Csv => pb::ContactFileFormat::Csv,
            Self::Jsonl => pb::ContactFileFormat::JsonLines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;
    use std::path::Path;

    // C10
    #[test]
    fn the_name_of_a_file_says_how_it_is_written() {
        let of = |name: &str| Format::of(None, Path::new(name)).ok();
        for name in ["people.csv", "a/People.CSV.gz", "x.tsv"] {
            assert_eq!(of(name), Some(Format::Csv), "{name}");
        }
        for name in ["people.jsonl", "people.ndjson.gz", "p.json"] {
            assert_eq!(of(name), Some(Format::Jsonl), "{name}");
        }
        assert_eq!((of("-"), of("people"), of("people.gz")), (None, None, None));
        assert_eq!(Format::of(Some(Format::Jsonl), Path::new("people.csv")).unwrap(), Format::Jsonl);
    }
}
