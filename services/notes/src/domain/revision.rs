//! The texts a note had.

use kernel::Timestamp;

use super::{Author, Body};

/// One text of a note, exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// 1 for the first text, one more with each edit.
    pub revision: i64,
    /// Who wrote this text.
    pub actor: Author,
    /// The text.
    pub body: Body,
    /// When it was written.
    pub write_time: Timestamp,
}
