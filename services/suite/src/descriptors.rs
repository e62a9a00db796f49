//! `backchannel descriptors`: the contracts as programs read them.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::Failure;

#[derive(clap::Args)]
pub(crate) struct DescriptorsArgs {
    /// The file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the descriptor set of all contracts that this binary serves, so that what stands in front of it knows the same ones.
pub(crate) fn run(args: &DescriptorsArgs) -> Result<ExitCode, Failure> {
    let written = if args.out == Path::new("-") {
        stdout().lock().write_all(proto::FILE_DESCRIPTOR_SET)
    } else {
        fs::write(&args.out, proto::FILE_DESCRIPTOR_SET)
    };
    written.map_err(|error| Failure::because(args.out.display(), error))?;
    Ok(ExitCode::SUCCESS)
}
