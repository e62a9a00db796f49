//! The notifications service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(notifications::NAME, notifications::service)
}
