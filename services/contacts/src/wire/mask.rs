//! Which fields an update changes.

use rpc::Fault;
use rpc::update_mask::Paths;

use crate::Error;

/// The paths that are named, or, if none are, those whose fields are set; see [`Paths::read`].
pub(crate) fn paths(named: &[String], known: &[(&'static str, bool)]) -> Result<Paths, Fault> {
    Ok(Paths::read(named, known).map_err(|path| Error::UnknownPath(path.to_owned()))?)
}
