//! The routing service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(assignment_routing::NAME, assignment_routing::service)
}
