//! Files that are written from a stream: plain, gzip, or standard output.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempPath;

use crate::failure::Failure;

/// Where the bytes go. A file gets its name when it is whole; what does not become whole is gone.
pub(super) struct Target {
    to: To,
    /// Dropped behind the file, which writes once more when it is dropped.
    part: Option<Part>,
    /// What people call it.
    name: String,
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
            return Ok(Self { to: To::Out(io::stdout()), part: None, name: "standard output".to_owned() });
        }
        let (part, made) = place(file).map_err(|error| refused(file, &error))?;
        let buffered = BufWriter::new(made);
        let packed = file.extension().is_some_and(|ending| ending == "gz");
        let to = if packed {
            To::Packed(GzEncoder::new(buffered, Compression::default()))
        } else {
            To::Plain(buffered)
        };
        Ok(Self { to, part, name: file.display().to_string() })
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
        let Self { to, part, name } = self;
        let closed = to.close().and_then(|()| part.map_or(Ok(()), Part::become_whole));
        closed.map_err(|error| Failure::because(name, error))
    }

    /// What people call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl To {
    fn close(self) -> io::Result<()> {
        match self {
            To::Out(mut out) => out.flush(),
            To::Plain(file) => kept(&file.into_inner()?),
            To::Packed(file) => kept(&file.finish()?.into_inner()?),
        }
    }
}

/// Waits until a file is on its disk. Pipes and devices have none.
fn kept(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
}

/// A file that is not whole yet, beside the one that it is to be; for its owner only. Gone when dropped.
struct Part {
    meanwhile: TempPath,
    file: PathBuf,
    /// What the file that is replaced lets others do.
    permissions: Option<Permissions>,
}

impl Part {
    /// A part of the file of this name, which is no link, and what to write to.
    fn of(file: PathBuf, permissions: Option<Permissions>) -> io::Result<(Self, File)> {
        let name = file.file_name().ok_or_else(|| io::Error::other("it is no file"))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let prefix = format!(".{}.", name.to_string_lossy());
        let made = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".part")
            .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
            .map_err(without_path)?;
        let (made, meanwhile) = made.into_parts();
        Ok((Self { meanwhile, file, permissions }, made))
    }

    fn become_whole(self) -> io::Result<()> {
        if let Some(permissions) = self.permissions {
            std::fs::set_permissions(&self.meanwhile, permissions)?;
        }
        self.meanwhile.persist(&self.file).map_err(|refused| refused.error)
    }
}

/// What stands at a name: a device or a pipe, which is written to as it is, or the place of a file to be.
fn place(file: &Path) -> io::Result<(Option<Part>, File)> {
    let Ok(there) = std::fs::metadata(file) else {
        return Part::of(file.to_owned(), None).map(|(part, made)| (Some(part), made));
    };
    if there.is_file() {
        // The file that a link leads to is replaced, and not the link.
        let (part, made) = Part::of(file.canonicalize()?, Some(there.permissions()))?;
        return Ok((Some(part), made));
    }
    File::options().write(true).open(file).map(|made| (None, made))
}

/// The library names the file by its name of the meantime.
fn without_path(error: io::Error) -> io::Error {
    let said = error.to_string();
    match said.split_once(" at path ") {
        Some((why, _)) => io::Error::other(why),
        None => error,
    }
}

fn refused(file: &Path, why: &io::Error) -> Failure {
    let file = file.display();
    Failure(format!("{file} cannot be written: {why}; name a file in a folder where you may write"))
}

/// A file for what was left out of another one: for its owner only, as that may say anything.
pub(super) fn file_of_rejects(file: &Path, input: &Path) -> Result<File, Failure> {
    let same =
        file.canonicalize().ok().zip(input.canonicalize().ok()).is_some_and(|(one, other)| one == other);
    if same {
        return Err(Failure(format!(
            "{} is the file that is imported: name another for --rejects",
            file.display()
        )));
    }
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(|error| refused(file, &error))
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

    // P13
    #[cfg(unix)]
    #[test]
    fn what_stands_at_the_name_is_kept_but_for_the_bytes_of_a_file() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("kinds");
        let write = |name: &str| {
            let mut target = Target::open(&folder.join(name)).unwrap();
            target.write(b"new").unwrap();
            target.close().unwrap();
        };
        let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        std::fs::write(folder.join("real.csv"), "old").unwrap();
        std::fs::write(folder.join("real.csv.part"), "somebody's").unwrap();
        std::fs::set_permissions(folder.join("real.csv"), Permissions::from_mode(0o640)).unwrap();
        symlink(folder.join("real.csv"), folder.join("link.csv")).unwrap();
        write("link.csv");
        assert_eq!((read("real.csv").as_str(), mode("real.csv")), ("new", 0o640));
        assert!(std::fs::symlink_metadata(folder.join("link.csv")).unwrap().is_symlink());
        assert_eq!(read("real.csv.part"), "somebody's");
        write("made.csv");
        assert_eq!((read("made.csv").as_str(), mode("made.csv")), ("new", 0o600), "personal data");
        assert!(std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = folder.join("pipe");
            move || std::fs::read_to_string(pipe).unwrap()
        });
        write("pipe");
        assert_eq!(reader.join().unwrap(), "new");
        let left = names(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, ["link.csv", "made.csv", "pipe", "real.csv", "real.csv.part"]);
    }

    // P13
    #[test]
    fn the_file_that_is_imported_is_not_where_its_rejects_go() {
        let folder = folder("rejects");
        let (input, other) = (folder.join("in.csv"), folder.join("out.csv"));
        std::fs::write(&input, "rows").unwrap();
        let refused =
            file_of_rejects(&folder.join("../").join(folder.file_name().unwrap()).join("in.csv"), &input);
        let (refused, made) = (refused.unwrap_err().to_string(), file_of_rejects(&other, &input).is_ok());
        let kept = std::fs::read_to_string(&input).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(refused.contains("--rejects") && made, "{refused}");
        assert_eq!(kept, "rows");
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
