//! Tags.

use std::collections::BTreeSet;

use kernel::Malformed;
use serde::{Deserialize, Serialize};

use super::line::visible;

/// The most tags of one contact: more say nothing any more, and a page of contacts has to carry them all.
pub const MOST_TAGS: usize = 200;

/// A word that sorts contacts, such as `vip`. Compared as it is written, also its case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Tag(String);

impl Tag {
    /// Checks the text and keeps it; its length is the contract's matter.
    ///
    /// # Errors
    /// [`Malformed`] when there is a control character in it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        visible(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tags to add and to remove. A tag in both is added: whoever names it twice wants it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// To be there afterwards.
    pub add: BTreeSet<Tag>,
    /// Not to be there afterwards.
    pub remove: BTreeSet<Tag>,
}

impl TagChange {
    /// The change that these two lists ask for.
    pub fn new(add: impl IntoIterator<Item = Tag>, remove: impl IntoIterator<Item = Tag>) -> Self {
        let add: BTreeSet<Tag> = add.into_iter().collect();
        let remove = remove.into_iter().filter(|tag| !add.contains(tag)).collect();
        Self { add, remove }
    }

    /// What there is to do for a contact who carries `tags`.
    pub fn over(self, tags: &[Tag]) -> TagSteps {
        TagSteps {
            added: self.add.into_iter().filter(|tag| !tags.contains(tag)).collect(),
            removed: self.remove.into_iter().filter(|tag| tags.contains(tag)).collect(),
        }
    }
}

/// The tags which are not there and shall be, and those which are there and shall not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSteps {
    /// New ones.
    pub added: Vec<Tag>,
    /// Those that go.
    pub removed: Vec<Tag>,
}

impl TagSteps {
    /// Whether everything is already as it shall be.
    pub fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Whether a contact who carries `tags` would carry more than [`MOST_TAGS`] afterwards. Taking some away is allowed
    /// in any case.
    pub fn leaves_too_many(&self, tags: &[Tag]) -> bool {
        !self.added.is_empty() && tags.len() + self.added.len() - self.removed.len() > MOST_TAGS
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_TAGS, Tag, TagChange, TagSteps};

    fn tags(texts: &[&str]) -> Vec<Tag> {
        texts.iter().map(|text| Tag::parse(text).unwrap()).collect()
    }

    #[test]
    fn a_tag_in_both_lists_is_added() {
        let change = TagChange::new(tags(&["vip", "vip", "new"]), tags(&["vip", "old"]));
        assert_eq!(change.add.into_iter().collect::<Vec<_>>(), tags(&["new", "vip"]));
        assert_eq!(change.remove.into_iter().collect::<Vec<_>>(), tags(&["old"]));
    }

    #[test]
    fn only_what_is_not_yet_so_is_done() {
        let had = tags(&["a", "b"]);
        let steps = |add: &[&str], remove: &[&str]| TagChange::new(tags(add), tags(remove)).over(&had);
        assert_eq!(steps(&["b", "c"], &["a", "x"]), TagSteps { added: tags(&["c"]), removed: tags(&["a"]) });
        assert!(steps(&["a"], &["x"]).is_nothing());
    }

    #[test]
    fn there_is_an_end_to_tags_and_a_way_back() {
        let many: Vec<Tag> = (0..MOST_TAGS).map(|n| Tag::parse(&n.to_string()).unwrap()).collect();
        let steps = |add: &[&str], remove: &[&str]| TagChange::new(tags(add), tags(remove)).over(&many);
        assert!(steps(&["new"], &[]).leaves_too_many(&many));
        assert!(
            !steps(&["new"], &["0"]).leaves_too_many(&many) && !steps(&[], &["0"]).leaves_too_many(&many)
        );
    }

    #[test]
    fn a_tag_has_no_control_characters() {
        assert!(Tag::parse("Stammkundin ⭐").is_ok() && Tag::parse("a\u{0}").is_err());
    }
}
