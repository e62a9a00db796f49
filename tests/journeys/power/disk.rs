//! A disk, from what was done to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What a disk writes whole.
const SECTOR: usize = 512;

/// One thing that was done to a file.
#[derive(Debug)]
pub(super) struct Event {
    /// When it was done.
    pub(super) at: Timestamp,
    file: PathBuf,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Written(usize, Vec<u8>),
    Cut(usize),
    Synced,
    Removed,
}

impl Event {
    /// Whether a file of this name was synced.
    pub(super) fn is_sync_of(&self, name: &str) -> bool {
        matches!(self.what, What::Synced) && self.file.ends_with(name)
    }
}

/// What `disk.c` wrote down.
pub(super) fn read(log: &Path) -> Vec<Event> {
    let log = std::fs::read(log).expect("the process wrote it down");
    let (mut rest, mut events) = (log.as_slice(), Vec::new());
    let mut take = |bytes: usize| rest.split_off(..bytes).expect("records are whole");
    let long = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let short = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()) as usize;
    let mut left = log.len();
    while left > 0 {
        let kind = take(1)[0];
        let at = Timestamp::from_micros(i64::try_from(long(take(8)) / 1_000).unwrap());
        let number = usize::try_from(long(take(8))).unwrap();
        let (name, data) = (short(take(4)), short(take(4)));
        let file = PathBuf::from(std::str::from_utf8(take(name)).unwrap());
        let data_of = take(data).to_vec();
        left -= 25 + name + data;
        let what = match kind {
            b'w' => What::Written(number, data_of),
            b't' => What::Cut(number),
            b's' => What::Synced,
            b'u' => What::Removed,
            other => panic!("no kind {other}"),
        };
        events.push(Event { at, file, what });
    }
    events
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
    pub(super) fn apply(&mut self, event: &Event) {
        if matches!(event.what, What::Removed) {
            self.0.remove(&event.file);
            return;
        }
        let file = self.0.entry(event.file.clone()).or_default();
        match &event.what {
            What::Synced => {
                let pending = std::mem::take(&mut file.pending);
                pending.iter().for_each(|what| change(&mut file.synced, what, |_| true));
            }
            what => file.pending.push(what.clone()),
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
