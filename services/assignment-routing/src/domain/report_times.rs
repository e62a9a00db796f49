//! How the times of a day are kept, so that more of them can be added without reading those that are there.

use std::fmt::Write;

/// Each with a comma behind it: what is added later stands behind what there is.
#[must_use]
pub fn written(numbers: &[u64]) -> String {
    numbers.iter().fold(String::new(), |mut text, it| {
        // Writing to a text does not fail.
        let _ = write!(text, "{it},");
        text
    })
}

/// Reads what [`written`] wrote; nothing for a text that it did not.
#[must_use]
pub fn read(text: &str) -> Option<Vec<u64>> {
    text.split_terminator(',').map(|it| it.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, written};

    // R19
    #[test]
    fn times_are_read_as_they_are_written_piece_by_piece() {
        assert_eq!(
            read(&(written(&[1, 0]) + &written(&[]) + &written(&[u64::MAX]))),
            Some(vec![1, 0, u64::MAX])
        );
        assert_eq!((read(""), read("1,x,")), (Some(vec![]), None));
    }
}
