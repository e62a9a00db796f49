//! Placeholders of a multi-row VALUES list.

use std::fmt::Write;

/// Rows of one statement that many callers wait behind. SQLite finds the place of each value by walking over those before it, so
/// that a statement of thousands of values takes longer than all that it writes.
pub const ROWS: usize = 50;

/// `rows(2, 2, 2)` is `($2,$3),($4,$5)`: `rows` rows of `cols` columns, numbered from `first`.
///
/// SQLite takes 32,766 values in one statement, PostgreSQL 65,535: split longer lists, best at [`ROWS`].
pub fn rows(first: usize, rows: usize, cols: usize) -> String {
    list(rows, cols, first, "(")
}

/// `org_rows(2, 2)` is `($1,$2,$3),($1,$4,$5)`: rows whose first column is the organization, `$1`, and which have
/// `cols` further columns.
pub fn org_rows(rows: usize, cols: usize) -> String {
    list(rows, cols, 2, "($1,")
}

fn list(rows: usize, cols: usize, first: usize, open: &str) -> String {
    let mut text = String::with_capacity(rows * (cols * 6 + 6));
    for row in 0..rows {
        text.push_str(if row == 0 { "" } else { "," });
        text.push_str(open);
        for col in 0..cols {
            let comma = if col == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}${}", first + row * cols + col);
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{org_rows, rows};

    #[test]
    fn placeholders_count_on_from_row_to_row() {
        assert_eq!(rows(2, 2, 2), "($2,$3),($4,$5)");
        assert_eq!(rows(1, 1, 3), "($1,$2,$3)");
        assert_eq!(org_rows(2, 2), "($1,$2,$3),($1,$4,$5)");
        assert_eq!(rows(1, 0, 2), "");
    }
}
