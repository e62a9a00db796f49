//! `backchannel keys`: a development key, before anything serves.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kernel::Clock;
use rpc::DevKey;

use crate::failure::{Failure, print};

#[derive(clap::Args)]
pub(crate) struct KeysArgs {
    /// The folder to make it in; made if it is not there
    #[arg(long, value_name = "DIR", env = "BACKCHANNEL_DATA", default_value = "data")]
    data: PathBuf,
}

/// Makes the key that `backchannel up` would make. One that is there stays.
pub(crate) fn run(args: &KeysArgs, clock: Clock) -> Result<ExitCode, Failure> {
    private_folder(&args.data).map_err(|error| Failure::because(args.data.display(), error))?;
    DevKey::load_or_make(&args.data, clock)
        .map_err(|error| Failure::because("the development key", error))?;
    let folder = args.data.display();
    print(format_args!(
        "{folder}/{} signs tokens, whoever has it can be anybody; {folder}/jwks.json is its public part",
        DevKey::FILE
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder for its owner only. One that is there stays as it is.
fn private_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let mut made = std::fs::DirBuilder::new();
    made.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut made, 0o700);
    made.create(folder)
}
