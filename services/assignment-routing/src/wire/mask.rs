//! Which fields an update changes.

use std::collections::BTreeSet;

use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;

/// The paths of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(BTreeSet<&'static str>);

impl Paths {
    /// The paths a caller names, or, if they name none, those whose fields are set. `known` are all paths that can be
    /// changed, each with whether its field is set.
    ///
    /// # Errors
    /// UNKNOWN_UPDATE_PATH for any other.
    pub fn read(
        mask: Option<&prost_types::FieldMask>,
        known: &[(&'static str, bool)],
    ) -> Result<Self, Fault> {
        let named = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if named.is_empty() {
            return Ok(Self(known.iter().filter(|(_, set)| *set).map(|(path, _)| *path).collect()));
        }
        let find = |path: &String| known.iter().map(|(path, _)| *path).find(|known| known == path);
        let found = named.iter().map(|path| find(path).ok_or_else(|| unknown(path, known)));
        found.collect::<Result<_, _>>().map(Self)
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

fn unknown(path: &str, known: &[(&'static str, bool)]) -> Fault {
    let paths: Vec<&str> = known.iter().map(|(path, _)| *path).collect();
    let message = format!("update_mask names a path that cannot be changed; these can: {}", paths.join(", "));
    Fault::new(Code::InvalidArgument, ErrorReason::UnknownUpdatePath, message)
        .violation("update_mask", "names a path that cannot be changed")
        .with_metadata("path", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> prost_types::FieldMask {
        prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
    }

    // P6
    #[test]
    fn without_a_mask_the_fields_that_are_set_change_and_with_one_those_it_names() {
        let known = [("subject", true), ("tags", false)];
        let set = Paths::read(None, &known).unwrap();
        assert_eq!((set.take("subject", 1), set.take("tags", 2)), (Some(1), None));
        let named = Paths::read(Some(&mask(&["tags"])), &known).unwrap();
        assert_eq!((named.take("subject", 1), named.take("tags", 2)), (None, Some(2)));
        let refused = Paths::read(Some(&mask(&["tags", "etag"])), &known).unwrap_err();
        assert_eq!(refused.reason(), ErrorReason::UnknownUpdatePath);
    }
}
