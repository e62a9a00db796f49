//! Files to read: plain or gzip, or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::failure::Failure;

/// A file that is open, unpacked where it is packed.
pub(crate) struct Source {
    /// Its text.
    pub(crate) text: Box<dyn BufRead + Send>,
    /// How much of it is read.
    pub(crate) share: Share,
}

/// How much of a file is read, as it lies on the disk. What has no length, such as standard input, has no share either.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share {
    read: Arc<AtomicU64>,
    length: Option<u64>,
}

impl Share {
    /// In percent.
    pub(crate) fn percent(&self) -> Option<u64> {
        let length = self.length.filter(|length| *length > 0)?;
        Some((self.read.load(Ordering::Relaxed).saturating_mul(100) / length).min(100))
    }
}

/// Opens a file, or standard input for `-`; gzip is recognized by its first bytes.
///
/// # Errors
/// [`Failure`] of the file, by its name.
pub(crate) fn open(path: &Path) -> Result<Source, Failure> {
    unpacked(path).map_err(|error| {
        Failure(format!("{}: {error}; name a file that can be read, or - for standard input", path.display()))
    })
}

fn unpacked(path: &Path) -> io::Result<Source> {
    let (bytes, length): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path)?;
        let length = file.metadata().ok().filter(|it| it.is_file()).map(|it| it.len());
        (Box::new(file), length)
    };
    let share = Share { length, ..Share::default() };
    let counted = Counted { bytes, read: Arc::clone(&share.read) };
    let mut buffered = BufReader::with_capacity(1 << 16, counted);
    let gzip = buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn BufRead + Send> =
        if gzip { Box::new(BufReader::new(MultiGzDecoder::new(buffered))) } else { Box::new(buffered) };
    Ok(Source { text, share })
}

/// Counts what is read.
struct Counted {
    bytes: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    // G8
    #[test]
    fn the_share_is_that_of_the_file_and_not_of_what_it_unpacks_to() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("plain"), folder.path().join("packed.gz"));
        std::fs::write(&plain, vec![b'x'; 1 << 20]).unwrap();
        let mut writer =
            flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::best());
        writer.write_all(&vec![b'x'; 1 << 20]).unwrap();
        writer.finish().unwrap();
        for path in [plain, packed] {
            let mut source = open(&path).unwrap();
            source.text.read_exact(&mut vec![0; 1 << 19]).unwrap();
            let half = source.share.percent().unwrap();
            io::copy(&mut source.text, &mut io::sink()).unwrap();
            assert_eq!(source.share.percent(), Some(100), "{}", path.display());
            assert!((50..=100).contains(&half), "{half} {}", path.display());
        }
    }

    // G8
    #[test]
    fn what_has_no_length_has_no_share() {
        assert_eq!(Share::default().percent(), None);
        assert_eq!(Share { length: Some(0), ..Share::default() }.percent(), None);
        assert_eq!(open(Path::new("/dev/null")).unwrap().share.percent(), None);
    }
}
