//! Cells of a CSV: several values in one, and what a spreadsheet must not take for a formula.

/// Between the values of a cell.
const BETWEEN: char = ';';
/// Makes a value of what would otherwise be between values.
const ESCAPE: char = '\\';

/// Several values in one cell: `a;b`. A semicolon or backslash in a value, and a space it begins with, get a backslash.
pub(super) fn join<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let mut cell = String::new();
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            cell.push(BETWEEN);
        }
        for (place, letter) in value.chars().enumerate() {
            if matches!(letter, BETWEEN | ESCAPE) || (place == 0 && letter.is_whitespace()) {
                cell.push(ESCAPE);
            }
            cell.push(letter);
        }
    }
    cell
}

/// The values of a cell. Space before a value is none of it; what is empty is no value.
pub(super) fn split(cell: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = cell.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(value) = values.last_mut() else { break };
        match letter {
            BETWEEN => values.push(String::new()),
            ESCAPE => match letters.next_if(|next| matches!(*next, BETWEEN | ESCAPE) || next.is_whitespace())
            {
                Some(escaped) => value.push(escaped),
                None => value.push(ESCAPE),
            },
            letter if value.is_empty() && letter.is_whitespace() => {}
            letter => value.push(letter),
        }
    }
    values.retain(|value| !value.is_empty());
    values
}

/// What formulas begin with; in their full-width forms, too, which spreadsheets of East Asia take for the same.
const BEGINS_FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet would take the cell for a formula once its apostrophes are off.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(BEGINS_FORMULA)
}

/// The cell with an apostrophe before what a spreadsheet would take for a formula: no other program may run what a customer wrote.
pub(super) fn defuse(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// The cell as it is, with one more apostrophe where [`fuse`] would take one off.
pub(super) fn guard(cell: String) -> String {
    if cell.starts_with('\'') { defuse(cell) } else { cell }
}

/// What [`defuse`] or [`guard`] was given.
pub(super) fn fuse(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// Writes a cell by RFC 4180.
pub(super) fn quote(cell: &str, into: &mut Vec<u8>) {
    if !cell.contains([',', ';', '\t', '"', '\r', '\n']) {
        into.extend_from_slice(cell.as_bytes());
        return;
    }
    into.push(b'"');
    into.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    into.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_holds_several_values() {
        assert_eq!(split("a@x.org; b@x.org;;"), ["a@x.org", "b@x.org"]);
        assert_eq!(split(r"a\;b;c\\;\ d;C:\e"), ["a;b", r"c\", " d", r"C:\e"]);
        assert_eq!(join(["a;b", r"c\", " d", "e f"]), r"a\;b;c\\;\ d;e f");
        assert!(split(" ; ").is_empty() && split("").is_empty());
    }

    #[test]
    fn what_would_run_is_made_a_text() {
        for formula in ["=1+1", "+4989123456", "-1", "@SUM(A1)", "'=1", "＝1+1", "＋1", "－1", "＠x"] {
            let defused = defuse(formula.to_owned());
            assert!(defused.starts_with('\''), "{formula}");
            assert_eq!(fuse(&defused), formula);
        }
        for plain in ["", "Ana", "O'Neil", "'tis", "1-1", "'"] {
            assert_eq!((defuse(plain.to_owned()).as_str(), fuse(plain)), (plain, plain));
        }
    }

    proptest! {
        // C10
        #[test]
        fn every_value_comes_back(values in proptest::collection::vec("\\PC{1,12}", 0..5)) {
            prop_assert_eq!(split(&join(values.iter().map(String::as_str))), values);
        }

        // C10
        #[test]
        fn every_cell_comes_back(cell in "['=+@＝＠-]{0,3}\\PC{0,12}") {
            let defused = defuse(cell.clone());
            prop_assert_eq!(fuse(&defused), cell.as_str());
            prop_assert!(!defused.starts_with(BEGINS_FORMULA));
            let guarded = guard(cell.clone());
            prop_assert_eq!(fuse(&guarded), cell.as_str());
            prop_assert_eq!(guarded.starts_with('='), cell.starts_with('='));
        }
    }
}
