//! The notes service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main("notes", notes::service)
}
