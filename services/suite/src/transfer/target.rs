//! Files that are written from a stream: plain, gzip, or standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::Failure;

/// Where the bytes go. A file gets its name when it is whole; what does not become whole is gone.
pub(super) struct Target {
    to: To,
    /// Dropped behind the file, which writes once more when it is dropped.
    part: Option<Part>,
}

enum To {
    /// Standard output.
    Out(io::Stdout),
    /// A file.
    Plain(BufWriter<File>),
    /// A gzip file.
    Packed(GzEncoder<BufWriter<File>>),
}

/// Whether standard output is meant.
pub(super) fn is_standard_output(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// What has become of a file that is not whole; `came` is what came of it.
pub(super) fn cut_short(file: &Path, came: &str) -> String {
    if is_standard_output(file) {
        format!("{came} went out, which is not all")
    } else {
        format!("{came} had come, nothing is written: run this again")
    }
}

impl Target {
    /// A file to be, or standard output for `-`.
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        if is_standard_output(file) {
            return Ok(Self { to: To::Out(io::stdout()), part: None });
        }
        let (part, made) = Part::beside(file)?;
        let buffered = BufWriter::new(made);
        let packed = file.extension().is_some_and(|ending| ending == "gz");
        let to = if packed {
            To::Packed(GzEncoder::new(buffered, Compression::default()))
        } else {
            To::Plain(buffered)
        };
        Ok(Self { to, part: Some(part) })
    }

    /// The next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.to {
            To::Out(out) => out.write_all(bytes),
            To::Plain(file) => file.write_all(bytes),
            To::Packed(file) => file.write_all(bytes),
        };
        written.map_err(|error| Failure::because(self.name(), error))
    }

    /// It is whole.
    pub(super) fn close(self) -> Result<(), Failure> {
        let name = self.name();
        let Self { to, part } = self;
        let closed = to.close().and_then(|()| part.map_or(Ok(()), Part::become_whole));
        closed.map_err(|error| Failure::because(name, error))
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        match &self.part {
            Some(part) => part.file.display().to_string(),
            None => "standard output".to_owned(),
        }
    }
}

impl To {
    fn close(self) -> io::Result<()> {
        match self {
            To::Out(mut out) => out.flush(),
            To::Plain(file) => file.into_inner()?.sync_all(),
            To::Packed(file) => file.finish()?.into_inner()?.sync_all(),
        }
    }
}

/// A file that is not whole yet. Gone when dropped.
struct Part {
    meanwhile: PathBuf,
    file: PathBuf,
}

impl Part {
    fn beside(file: &Path) -> Result<(Self, File), Failure> {
        let refused = |why: &dyn std::fmt::Display| {
            let file = file.display();
            Failure(format!("{file} cannot be written: {why}; name a file in a folder where you may write"))
        };
        let mut meanwhile = file.file_name().ok_or_else(|| refused(&"it is no file"))?.to_owned();
        meanwhile.push(".part");
        let part = Self { meanwhile: file.with_file_name(meanwhile), file: file.to_owned() };
        let made = File::create(&part.meanwhile).map_err(|error| refused(&error))?;
        Ok((part, made))
    }

    fn become_whole(self) -> io::Result<()> {
        std::fs::rename(&self.meanwhile, &self.file)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After the rename there is nothing here any more.
        drop(std::fs::remove_file(&self.meanwhile));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("backchannel-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    }

    // P13
    #[test]
    fn a_file_that_is_not_whole_is_gone_and_one_that_is_has_its_name() {
        let folder = folder("target");
        for name in ["cut.csv", "cut.csv.gz"] {
            let mut cut = Target::open(&folder.join(name)).unwrap();
            cut.write(b"external_id\n").unwrap();
        }
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
        for name in ["whole.csv", "whole.csv.gz"] {
            let mut whole = Target::open(&folder.join(name)).unwrap();
            whole.write(b"external_id\n").unwrap();
            assert!(!names(&folder).contains(&name.into()));
            whole.close().unwrap();
        }
        let (left, plain) = (names(&folder), std::fs::read(folder.join("whole.csv")).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, ["whole.csv", "whole.csv.gz"]);
        assert_eq!(plain, b"external_id\n");
    }

    // P8
    #[test]
    fn a_file_that_cannot_be_written_is_named_as_it_was_said() {
        for wrong in ["/", "/nowhere/at/all/x.csv"] {
            let refused = Target::open(Path::new(wrong)).err().unwrap().to_string();
            assert!(refused.starts_with(&format!("{wrong} cannot be written")), "{refused}");
            assert!(refused.contains("name a file") && !refused.contains(".part"), "{refused}");
        }
    }
}
