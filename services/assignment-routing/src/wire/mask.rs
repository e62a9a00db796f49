//! Which fields an update changes.

use proto::common::v1::ErrorReason;
use rpc::Fault;
use rpc::update_mask::Paths;
use tonic::Code;

/// The paths a caller names, or, if they name none, those whose fields are set; see [`Paths::read`].
///
/// # Errors
/// UNKNOWN_UPDATE_PATH for any other.
pub fn paths(mask: Option<&prost_types::FieldMask>, known: &[(&'static str, bool)]) -> Result<Paths, Fault> {
    let named = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    Paths::read(named, known).map_err(|path| unknown(path, known))
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
        let set = paths(None, &known).unwrap();
        assert_eq!((set.take("subject", 1), set.take("tags", 2)), (Some(1), None));
        let named = paths(Some(&mask(&["tags"])), &known).unwrap();
        assert_eq!((named.take("subject", 1), named.take("tags", 2)), (None, Some(2)));
        let refused = paths(Some(&mask(&["tags", "etag"])), &known).unwrap_err();
        assert_eq!(refused.reason(), ErrorReason::UnknownUpdatePath);
    }
}
