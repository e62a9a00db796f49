//! Pages that end at their size or at so much text, whichever comes first.

/// Bytes of text on a page, after which it ends: clients refuse answers of more than 4 MiB unless told otherwise.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Rows read by one statement: so much of what a page then has no room for is in memory at most.
const STEP: usize = 32;

/// A page that is being filled.
pub(super) struct Filling<T> {
    items: Vec<T>,
    bytes: usize,
    size: usize,
}

impl<T> Filling<T> {
    /// An empty page with room for `size`.
    pub(super) fn new(size: usize) -> Self {
        Self { items: Vec::new(), bytes: 0, size }
    }

    /// How many rows to read next: one more than fits, which says that there is more.
    pub(super) fn step(&self) -> usize {
        STEP.min(self.size + 1 - self.items.len())
    }

    /// Puts an item with so many bytes of text on the page, if there is room for it. The first one always has room.
    pub(super) fn takes(&mut self, item: T, bytes: usize) -> bool {
        self.bytes += bytes;
        let room = self.items.len() < self.size && (self.bytes <= MOST_BYTES || self.items.is_empty());
        if room {
            self.items.push(item);
        }
        room
    }

    /// What is on it.
    pub(super) fn items(self) -> Vec<T> {
        self.items
    }
}

/// As SQL takes it.
pub(super) fn limit(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Filling, MOST_BYTES, STEP};

    // P7
    #[test]
    fn a_page_ends_at_its_size_or_at_its_bytes_and_holds_one_at_least() {
        let mut page = Filling::new(3);
        assert!(page.takes(1, 2 * MOST_BYTES) && page.step() == 3 && !page.takes(2, 1));
        let mut page = Filling::new(2);
        assert!(page.takes(1, 0) && page.takes(2, 0) && page.step() == 1 && !page.takes(3, 0));
        assert_eq!(page.items(), [1, 2]);
        assert_eq!(Filling::<u8>::new(200).step(), STEP);
    }
}
