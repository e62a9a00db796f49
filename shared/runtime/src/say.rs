//! What programs say at a terminal. Whoever listens may have left (`| head`): the program goes on, and does not panic as
//! `println!` does.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr, stdout};

/// A line of what the program was called for, on standard output.
///
/// # Errors
/// What kept it from being written, such as a full disk, except that nobody listens any more.
pub fn output(line: impl Display) -> io::Result<()> {
    match writeln!(stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A line about it, on standard error.
pub fn aside(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}
