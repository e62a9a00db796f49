//! A disk, from what was done to it. It is kinder than real ones in one thing: that a file was made or removed is never lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What a disk writes whole.
const SECTOR: usize = 512;

/// One thing that was done to a file.
#[derive(Debug)]
pub(super) struct Event {
    /// Where its record ends in the log: it happened before whatever saw the log that long, and after what saw it shorter.
    pub(super) end: u64,
    file: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    Written(usize, Vec<u8>),
    Cut(usize),
    Synced,
    Removed,
}

impl Event {
    /// Whether a log of SQLite's was synced.
    pub(super) fn is_sync_of_log(&self) -> bool {
        matches!(self.what, What::Synced) && self.file.as_os_str().as_encoded_bytes().ends_with(b"-wal")
    }
}

/// What `disk.c` wrote down of these databases. A record that the end of the process cut off is left out.
pub(super) fn read(log: &Path, databases: &[&str]) -> Vec<Event> {
    let log = std::fs::read(log).expect("the process wrote it down");
    let (mut rest, mut events) = (log.as_slice(), Vec::new());
    while let Some((kind, number, file, data)) = record(&mut rest) {
        let end = (log.len() - rest.len()) as u64;
        let name = file.file_name().unwrap().to_str().unwrap();
        if !databases.iter().any(|database| name.starts_with(database)) {
            continue;
        }
        let what = match kind {
            b'w' => What::Written(number, data.to_vec()),
            b't' => What::Cut(number),
            b's' => What::Synced,
            b'u' => What::Removed,
            other => panic!("no kind {other}"),
        };
        events.push(Event { end, file, what });
    }
    events
}

/// The next record: its kind, its number, its file, its data.
fn record<'a>(rest: &mut &'a [u8]) -> Option<(u8, usize, PathBuf, &'a [u8])> {
    let kind = *rest.split_off_first()?;
    let number = u64::from_le_bytes(rest.split_off(..8)?.try_into().unwrap());
    let mut bytes = || Some(u32::from_le_bytes(rest.split_off(..4)?.try_into().unwrap()) as usize);
    let (name, data) = (bytes()?, bytes()?);
    let file = PathBuf::from(std::str::from_utf8(rest.split_off(..name)?).unwrap());
    Some((kind, usize::try_from(number).unwrap(), file, rest.split_off(..data)?))
}

/// What is left of what was not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Remains {
    /// Nothing.
    Synced,
    /// Some of it, sector by sector, as this number decides.
    Some(u64),
}

/// The files of a disk.
#[derive(Debug, Default)]
pub(super) struct Disk(BTreeMap<PathBuf, File>);

#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    /// Since then.
    pending: Vec<What>,
}

impl Disk {
    /// Does what was done.
    pub(super) fn apply(&mut self, Event { file, what, .. }: Event) {
        if matches!(what, What::Removed) {
            self.0.remove(&file);
            return;
        }
        let file = self.0.entry(file).or_default();
        if matches!(what, What::Synced) {
            let pending = std::mem::take(&mut file.pending);
            pending.iter().for_each(|what| change(&mut file.synced, what, |_| true));
        } else {
            file.pending.push(what);
        }
    }

    /// Leaves the files under `folder` as they are after a loss of power, under another one.
    pub(super) fn leave(&self, folder: &Path, under: &Path, remains: Remains) {
        let _ = std::fs::remove_dir_all(under);
        std::fs::create_dir(under).unwrap();
        for (path, File { synced, pending }) in &self.0 {
            let mut content = synced.clone();
            if let Remains::Some(seed) = remains {
                let mut chance = StdRng::seed_from_u64(seed);
                pending.iter().for_each(|what| change(&mut content, what, |_| chance.random_bool(0.5)));
            }
            std::fs::write(under.join(path.strip_prefix(folder).unwrap()), content).unwrap();
        }
    }
}

/// Changes a file's content, those sectors of it that remain.
fn change(content: &mut Vec<u8>, what: &What, mut remains: impl FnMut(usize) -> bool) {
    match what {
        What::Written(offset, data) => {
            for (number, sector) in data.chunks(SECTOR).enumerate() {
                if !remains(number) {
                    continue;
                }
                let begin = offset + number * SECTOR;
                let end = begin + sector.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[begin..end].copy_from_slice(sector);
            }
        }
        What::Cut(length) if remains(0) => content.resize(*length, 0),
        What::Cut(_) | What::Synced | What::Removed => {}
    }
}
