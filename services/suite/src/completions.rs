//! `backchannel completions`: what a shell needs to complete commands and flags.

use std::process::ExitCode;

use clap_complete::{Shell, generate};

use crate::failure::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Prints the script for that shell.
pub(crate) fn run(args: &CompletionsArgs, mut commands: clap::Command) -> Result<ExitCode, Failure> {
    let name = commands.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut commands, name, &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
