//! Numbers of things, as people say them.

use std::fmt::Display;

/// So many of them: `one` names a single one, `many` any other number.
pub(crate) fn counted<T: Display + PartialEq + From<u8>>(count: T, one: &str, many: &str) -> String {
    let named = if count == T::from(1) { one } else { many };
    format!("{count} {named}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    // G8
    #[test]
    fn one_is_not_many() {
        let contacts = |count: i64| counted(count, "contact", "contacts");
        assert_eq!([0, 1, 2].map(contacts), ["0 contacts", "1 contact", "2 contacts"]);
    }
}
