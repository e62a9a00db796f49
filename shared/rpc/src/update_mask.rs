//! Which fields an update changes (P6).

use std::collections::BTreeSet;

use prost_types::FieldMask;
use proto::common::v1::ErrorReason;
use tonic::Code;

use crate::Fault;

/// The paths of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(BTreeSet<&'static str>);

/// The paths a caller names, or, if they name none, those whose fields are set. `known` are all paths that can be changed, each
/// with whether its field is set.
///
/// # Errors
/// [`unknown`] for the first path that is none of them.
pub fn paths(mask: Option<&FieldMask>, known: &[(&'static str, bool)]) -> Result<Paths, Fault> {
    let named = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if named.is_empty() {
        return Ok(Paths(known.iter().filter(|(_, set)| *set).map(|(path, _)| *path).collect()));
    }
    let names = || known.iter().map(|(known, _)| *known);
    let find = |path: &String| names().find(|known| known == path).ok_or_else(|| unknown(path, names()));
    named.iter().map(find).collect::<Result<_, _>>().map(Paths)
}

/// UNKNOWN_UPDATE_PATH: a mask names a path that is not among those that can be changed.
pub fn unknown<'a>(path: &str, known: impl IntoIterator<Item = &'a str>) -> Fault {
    let known: Vec<&str> = known.into_iter().collect();
    let text = format!("names a path that cannot be changed; these can: {}", known.join(", "));
    Fault::new(Code::InvalidArgument, ErrorReason::UnknownUpdatePath, format!("update_mask {text}"))
        .violation("update_mask", text)
        .with_metadata("path", path)
}

impl Paths {
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

#[cfg(test)]
mod tests {
    use super::*;

    // P6
    #[test]
    fn without_a_mask_the_fields_that_are_set_change_and_with_one_those_it_names() {
        let known = [("subject", true), ("tags", false)];
        let mask = |path: &str| FieldMask { paths: vec![path.to_owned()] };
        let set = paths(None, &known).unwrap();
        assert_eq!((set.take("subject", 1), set.take("tags", 2)), (Some(1), None));
        let named = paths(Some(&mask("tags")), &known).unwrap();
        assert_eq!((named.take("subject", 1), named.take("tags", 2)), (None, Some(2)));
        let refused = paths(Some(&mask("etag")), &known).unwrap_err();
        assert_eq!(refused.reason(), ErrorReason::UnknownUpdatePath);
        assert!(refused.to_string().ends_with("these can: subject, tags"), "{refused}");
    }
}
