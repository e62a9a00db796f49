//! What a command says when it cannot go on, and the exit code: 0 done, 1 done but not as it should be, 2 not done.

use std::fmt::Display;
use std::process::ExitCode;

use tonic::Code;

use crate::client::is_passing;

/// A command that could not go on. The text says why, and what to do where that is known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn because(what: impl Display, error: impl Display) -> Self {
        Self(format!("{what}: {error}"))
    }

    /// A call that was refused, with the reason of its `ErrorInfo`.
    pub(crate) fn call(what: impl Display, status: &tonic::Status) -> Self {
        let reason = rpc::reason_of(status)
            .map(|reason| format!(" [{}]", proto::refusal::reason_name(reason)))
            .unwrap_or_default();
        let advice = match status.code() {
            Code::Unauthenticated => {
                "; that server knows another key or audience: name its data folder with --data and the audience it is configured \
                 with by --audience, or the right server with --addr"
            }
            Code::Unimplemented => "; what answers there is not this service: see --addr and --at",
            _ if is_passing(status) => {
                "; it was tried for a minute: start the server, or name another with --addr or --at, and run this again"
            }
            _ => "",
        };
        Self(format!("{what}: {:?}{reason}: {}{advice}", status.code(), status.message()))
    }
}

/// Prints a line of what a command was called for.
pub(crate) fn print(line: impl Display) -> Result<(), Failure> {
    runtime::say::output(line).map_err(|error| Failure::because("standard output", error))
}

/// Tells the outcome of a command to the system, and the reason of a failure to the person at the terminal.
pub(crate) fn told(outcome: Result<ExitCode, Failure>) -> ExitCode {
    outcome.unwrap_or_else(|failure| {
        runtime::say::aside(format_args!("error: {failure}"));
        ExitCode::from(2)
    })
}
