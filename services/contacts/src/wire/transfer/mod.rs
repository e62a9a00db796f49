//! Files of contacts: bytes to rows, and contacts to bytes. The format is in `docs/contact-file-format.md`.
//!
//! | module | story |
//! |---|---|
//! | `records` | bytes, however they are cut, to records with their place in the file |
//! | `look` | where a record ends, and when it is a quote that nobody closed which keeps it from ending |
//! | `columns` | what columns there are, and the header of a CSV |
//! | `cell` | several values in a cell, and cells that a spreadsheet would take for formulas |
//! | `csv`, `json` | a record to what it says, text by text |
//! | `draft` | what a record says, held against the contract's rules: a [`Row`](crate::domain::transfer::Row) |
//! | `write` | contacts, lists and definitions to rows |
//! | `start` | the first message of an import, the request of an export, and what counts are on the wire |

mod cell;
mod columns;
mod csv;
mod draft;
mod json;
mod look;
mod records;
mod start;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use columns::{Column, Columns};
pub(crate) use csv::cells as read_cells;
pub(crate) use json::line as read_line;
pub(crate) use records::{Content, Place, Record, Records, guess_delimiter};
pub(crate) use start::{ExportStart, FileFormat, ImportStart, export, import, proto_counts, proto_rejection};
pub(crate) use write::{Writer, definition as write_definition, list as write_list};
