//! Everything that an organization has here, as lines of a file, and back (P13). `docs/note-file-format.md` tells the format to those
//! who write such files.
//!
//! | file | story |
//! |---|---|
//! | [`value`] | [`Type`] and [`Value`]: what a field may say, as JSON and as a column |
//! | [`format`](mod@format) | [`KINDS`]: which lines there are, and what is in each |
//! | [`checks`] | what the fields of a line must be to each other |
//! | [`line`] | [`Line`]: one line, read and written |
//! | [`cursor`] | [`Cursor`]: where a file that leaves goes on |
//! | [`intake`] | [`Intake`]: pieces of a file, cut anywhere, as lines |

pub mod checks;
pub mod cursor;
pub mod format;
pub mod intake;
pub mod line;
pub mod value;

pub use cursor::Cursor;
pub use format::{Derived, Field, KINDS, Kind, Parent, kind_named};
pub use intake::{Intake, Piece, Span};
pub use line::{Line, Reason, Rejection};
pub use value::{Type, Value};
