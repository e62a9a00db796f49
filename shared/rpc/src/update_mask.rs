//! Which fields an update changes (P6).

use std::collections::BTreeSet;

/// The paths of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(BTreeSet<&'static str>);

impl Paths {
    /// The paths a caller names, or, if they name none, those whose fields are set. `known` are all paths that can be
    /// changed, each with whether its field is set.
    ///
    /// # Errors
    /// The first path that is none of them.
    pub fn read<'n>(named: &'n [String], known: &[(&'static str, bool)]) -> Result<Self, &'n str> {
        if named.is_empty() {
            return Ok(Self(known.iter().filter(|(_, set)| *set).map(|(path, _)| *path).collect()));
        }
        let find = |path: &String| known.iter().map(|(known, _)| *known).find(|known| known == path);
        named.iter().map(|path| find(path).ok_or(path.as_str())).collect::<Result<_, _>>().map(Self)
    }

    /// The value, if its path is among them.
    pub fn take<T>(&self, path: &'static str, value: T) -> Option<T> {
        self.0.contains(path).then_some(value)
    }

    /// Whether a path is among them.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.contains(path)
    }
}
