//! The newest of a sequence, for readers that each go their own pace.

use std::collections::VecDeque;

/// Keeps the newest items. Readers hold the index of the next item that they want; one who is too slow finds that it is gone.
#[derive(Debug)]
pub struct Ring<T> {
    /// The index of the oldest item that is kept.
    first: u64,
    items: VecDeque<T>,
    most: usize,
}

impl<T: Clone> Ring<T> {
    /// An empty one that keeps so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { first: 0, items: VecDeque::new(), most }
    }

    /// The index that the next item will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Adds an item.
    pub fn push(&mut self, item: T) {
        if self.items.len() >= self.most {
            self.items.pop_front();
            self.first += 1;
        }
        self.items.push_back(item);
    }

    /// Items were passed over: nobody goes on from before.
    pub fn skip(&mut self) {
        self.first = self.end() + 1;
        self.items.clear();
    }

    /// The item at an index; `None`: at the end, or not kept any more.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<T> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.items.get(at).cloned()
    }

    /// Whether a reader with this index can go on.
    #[must_use]
    pub fn keeps(&self, index: u64) -> bool {
        (self.first..=self.end()).contains(&index)
    }
}

#[cfg(test)]
mod tests {
    use super::Ring;

    // R16
    #[test]
    fn a_reader_who_is_too_slow_cannot_go_on_and_others_miss_nothing() {
        let mut ring = Ring::new(3);
        let start = ring.end();
        for item in 0..3 {
            ring.push(item);
        }
        assert!(ring.keeps(start));
        assert_eq!([0, 1, 2, 3].map(|index| ring.get(index)), [Some(0), Some(1), Some(2), None]);
        ring.push(3);
        assert!(!ring.keeps(start) && ring.keeps(1) && ring.keeps(ring.end()) && !ring.keeps(ring.end() + 1));
        assert_eq!((ring.get(0), ring.get(3)), (None, Some(3)));
        ring.skip();
        assert!(!ring.keeps(4) && ring.keeps(5) && ring.end() == 5);
    }
}
