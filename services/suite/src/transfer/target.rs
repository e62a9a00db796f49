//! Files that are written from a stream: plain, gzip, or standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::Failure;

/// Where the bytes go. A file gets its name when it is whole.
pub(super) struct Target {
    to: To,
    /// Its name meanwhile, and then.
    names: Option<(PathBuf, PathBuf)>,
}

enum To {
    /// Standard output.
    Out(io::Stdout),
    /// A file.
    Plain(BufWriter<File>),
    /// A gzip file.
    Packed(GzEncoder<BufWriter<File>>),
}

impl Target {
    /// A file to be, or standard output for `-`.
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        if file.as_os_str() == "-" {
            return Ok(Self { to: To::Out(io::stdout()), names: None });
        }
        let mut meanwhile = file.as_os_str().to_owned();
        meanwhile.push(".part");
        let meanwhile = PathBuf::from(meanwhile);
        let made = File::create(&meanwhile).map_err(|error| Failure::because(meanwhile.display(), error))?;
        let buffered = BufWriter::new(made);
        let packed = file.extension().is_some_and(|ending| ending == "gz");
        let to = if packed {
            To::Packed(GzEncoder::new(buffered, Compression::default()))
        } else {
            To::Plain(buffered)
        };
        Ok(Self { to, names: Some((meanwhile, file.to_owned())) })
    }

    /// The next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.to {
            To::Out(out) => out.write_all(bytes),
            To::Plain(file) => file.write_all(bytes),
            To::Packed(file) => file.write_all(bytes),
        };
        written.map_err(|error| Failure::because("the file", error))
    }

    /// It is whole.
    pub(super) fn close(self) -> Result<(), Failure> {
        let closed = match self.to {
            To::Out(mut out) => out.flush(),
            To::Plain(mut file) => file.flush(),
            To::Packed(file) => file.finish().and_then(|mut file| file.flush()),
        };
        let named = closed.and_then(|()| match &self.names {
            Some((meanwhile, file)) => std::fs::rename(meanwhile, file),
            None => Ok(()),
        });
        named.map_err(|error| Failure::because("the file", error))
    }
}
