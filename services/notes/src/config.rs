//! The service's own settings: the section `[notes]` of the configuration.

use serde::Deserialize;

/// There is nothing to set yet; a key in the section is a mistake, and refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotesConfig {}
