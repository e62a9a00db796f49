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

#[cfg(test)]
mod tests {
    use super::PageSize;

    #[test]
    fn sizes_are_clamped_and_never_negative() {
        let size = |n| PageSize::of(n).map(PageSize::get);
        assert_eq!((size(0), size(1), size(200), size(i32::MAX)), (Ok(50), Ok(1), Ok(200), Ok(200)));
        assert_eq!(size(-1).unwrap_err().field(), Some("page_size"));
        assert_eq!(PageSize::DEFAULT.and_one(), 51);
    }
}
