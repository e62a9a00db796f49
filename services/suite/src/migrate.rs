//! `backchannel migrate`: the tables of a release, before its first process serves.

use std::process::ExitCode;

use kernel::Clock;
use runtime::{ServeFlags, StartError, Telemetry};

use crate::up::ServiceName;

/// Migrates every service's database, and says what was done to each.
pub(crate) fn run(flags: ServeFlags, clock: Clock) -> ExitCode {
    runtime::exit_code(migrate(flags, clock))
}

fn migrate(flags: ServeFlags, clock: Clock) -> Result<bool, StartError> {
    let config = flags.load()?;
    let threads = tokio::runtime::Runtime::new()
        .map_err(|error| StartError::Process(format!("no threads: {error}")))?;
    let done = threads.block_on(async {
        let _telemetry = Telemetry::start("migrate", &config.telemetry)?;
        let services = ServiceName::ALL.map(|it| (it.unit().name(), it.migrations()));
        runtime::migrate(config, clock, services.into()).await
    })?;
    for (service, steps) in done {
        let said = match steps.as_slice() {
            [] => format!("{service}: nothing was due"),
            [one] => format!("{service}: {one}"),
            [first, .., last] => format!("{service}: {} steps, {first} to {last}", steps.len()),
        };
        runtime::say::output(said)
            .map_err(|error| StartError::Process(format!("standard output: {error}")))?;
    }
    Ok(true)
}
