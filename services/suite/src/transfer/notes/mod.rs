//! Everything private that an organization has, out and in.
//!
//! | module | story |
//! |---|---|
//! | [`export`] | an export, into a file |
//! | [`import`] | an import, and the lines that were left out |

mod export;
mod import;

pub(super) use export::ExportNotes;
pub(super) use import::ImportNotes;
