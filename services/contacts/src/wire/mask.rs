//! Which fields an update changes.

use std::collections::BTreeSet;

use rpc::Fault;

use crate::Error;

/// The paths of an update.
pub(crate) struct Paths(BTreeSet<&'static str>);

impl Paths {
    /// The paths that are named, or, if none are, those whose fields are set. `known` are all paths that can be changed,
    /// each with whether its field is set.
    pub(crate) fn read(named: &[String], known: &[(&'static str, bool)]) -> Result<Self, Fault> {
        if named.is_empty() {
            return Ok(Self(known.iter().filter(|(_, set)| *set).map(|(path, _)| *path).collect()));
        }
        let find = |path: &String| known.iter().map(|(known, _)| *known).find(|known| known == path);
        let paths = named.iter().map(|path| find(path).ok_or_else(|| Error::UnknownPath(path.clone())));
        Ok(Self(paths.collect::<Result<_, _>>()?))
    }

    /// Whether a path is among them.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains(path)
    }
}
