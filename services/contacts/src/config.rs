//! The section `[contacts]` of the configuration.

use serde::Deserialize;

/// What only this service understands: nothing yet, and anything else is refused at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactsConfig {}
