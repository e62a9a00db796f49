//! Files to read: plain or gzip, or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::failure::Failure;

/// Opens a file, or standard input for `-`; gzip is recognized by its first bytes.
///
/// # Errors
/// [`Failure`] of the file, by its name.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    unpacked(path).map_err(|error| {
        Failure(format!("{}: {error}; name a file that can be read, or - for standard input", path.display()))
    })
}

fn unpacked(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let source: Box<dyn Read + Send> =
        if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut buffered = BufReader::with_capacity(1 << 16, source);
    let gzip = buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if gzip { Ok(Box::new(BufReader::new(MultiGzDecoder::new(buffered)))) } else { Ok(Box::new(buffered)) }
}
