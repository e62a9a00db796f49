//! How much of a list one answer may hold.

use crate::Malformed;

/// Entries per page: 50 unless asked otherwise, never more than 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// What a caller gets who names no size.
    pub const DEFAULT: Self = Self(50);
    /// What a caller gets who asks for more than that.
    pub const MOST: Self = Self(200);

    /// Reads `page_size` of a request: zero means the default, more than the most means the most.
    ///
    /// # Errors
    /// [`Malformed`] when it is negative.
    pub fn of(requested: i32) -> Result<Self, Malformed> {
        match u32::try_from(requested) {
            Err(_) => Err(Malformed::new("may not be negative").at("page_size")),
            Ok(0) => Ok(Self::DEFAULT),
            Ok(size) => Ok(Self(size.min(Self::MOST.0))),
        }
    }

    /// Entries on the page.
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// What to ask the database for: one row more than the page, which tells whether there is a next one.
    pub const fn and_one(self) -> i64 {
        self.0 as i64 + 1
    }
}

/// Bytes of text on a page, after which it ends: clients refuse answers of more than 4 MiB unless told otherwise.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Rows read by one statement: so much of what a page then has no room for is in memory at most.
const STEP: usize = 32;

/// A page that is being filled: it ends at its size or at [`MOST_BYTES`], whichever comes first.
#[derive(Debug)]
pub struct Filling<T> {
    items: Vec<T>,
    bytes: usize,
    size: usize,
}

impl<T> Filling<T> {
    /// An empty page with room for `size`.
    pub fn new(size: usize) -> Self {
        Self { items: Vec::new(), bytes: 0, size }
    }

    /// How many rows to read next: one more than fits, which says that there is more.
    pub fn step(&self) -> usize {
        STEP.min(self.size + 1 - self.items.len())
    }

    /// Puts an item with so many bytes of text on the page, if there is room for it. The first one always has room.
    pub fn takes(&mut self, item: T, bytes: usize) -> bool {
        self.bytes += bytes;
        let room = self.items.len() < self.size && (self.bytes <= MOST_BYTES || self.items.is_empty());
        if room {
            self.items.push(item);
        }
        room
    }

    /// What is on it.
    pub fn items(self) -> Vec<T> {
        self.items
    }
}

/// Rows to read, as SQL takes it.
#[must_use]
pub fn limit(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Filling, MOST_BYTES, PageSize, STEP};

    #[test]
    fn sizes_are_clamped_and_never_negative() {
        let size = |n| PageSize::of(n).map(PageSize::get);
        assert_eq!((size(0), size(1), size(200), size(i32::MAX)), (Ok(50), Ok(1), Ok(200), Ok(200)));
        assert_eq!(size(-1).unwrap_err().field(), Some("page_size"));
        assert_eq!(PageSize::DEFAULT.and_one(), 51);
    }

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
