//! What programs say at a terminal. Whoever listens may have left (`| head`): the program goes on, and does not panic as
//! `println!` does.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// A line of what the program was called for, on standard output.
pub fn output(line: impl Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// A line about it, on standard error.
pub fn aside(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}
