//! Finding people by what they are called.

/// What somebody typed to find a person: the beginnings of words, lowercase. Without any word it fits everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameQuery(Vec<String>);

impl NameQuery {
    /// Reads what was typed; an `@` before a name is not part of it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = text.split_whitespace().map(|word| word.trim_start_matches('@').to_lowercase());
        Self(words.filter(|word| !word.is_empty()).collect())
    }

    /// Whether each word begins a word of one of these names.
    #[must_use]
    pub fn fits(&self, names: [&str; 2]) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let names = names.map(str::to_lowercase);
        self.0.iter().all(|word| names.iter().any(|name| begins_a_word(name, word)))
    }
}

/// Whether a word of `name` begins like this: words are what punctuation and spaces divide.
fn begins_a_word(name: &str, beginning: &str) -> bool {
    name.match_indices(beginning).any(|(at, _)| {
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NameQuery;

    // I3
    #[test]
    fn a_word_of_the_name_or_the_username_is_found_by_its_beginning() {
        let found = |query| NameQuery::of(query).fits(["Ánna-Maria O'Brien", "amob.night"]);
        for query in
            ["", " ", "án", "ÁNNA", "maria", "o'b", "brien", "@amob", "night", "brien anna", "bri ám"]
        {
            let expected = !matches!(query, "brien anna" | "bri ám");
            assert_eq!(found(query), expected, "{query:?}");
        }
        assert!(found("brien ánna mar"));
        assert!(!found("rien") && !found("obrien"));
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic_and_every_beginning_of_a_word_finds_it(
            query in "\\PC{0,40}",
            name in "\\PC{0,40}",
            word in "[a-zà-ÿ]{1,12}",
            most in 1usize..12,
        ) {
            let _ = NameQuery::of(&query).fits([&name, "ana"]);
            let beginning: String = word.chars().take(most).collect();
            let full = format!("{} Z", word.to_uppercase());
            prop_assert!(NameQuery::of(&beginning).fits([&full, "someone"]));
        }
    }
}
