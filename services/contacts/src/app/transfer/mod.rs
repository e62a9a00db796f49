//! Contacts from files and to files (C10, P13).
//!
//! | module | story |
//! |---|---|
//! | `import` | rows go in, batch by batch; a batch that fails is halved until the row is alone that makes it fail |
//! | `batch` | one batch of contacts, in one transaction |
//! | `changes` | what a batch changed is stored |
//! | `duplicates` | whom it may have twice |
//! | `catalog` | one batch of lists and attribute definitions |
//! | `export` | contacts, lists and definitions, step by step |

mod batch;
mod catalog;
mod changes;
mod duplicates;
mod export;
mod import;

pub use export::{ExportFilter, ExportPlace, ExportStep, Exported};
pub use import::{ImportRows, Imported};
