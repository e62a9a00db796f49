//! The section `[contacts]` of the configuration.

use serde::Deserialize;

/// What only this service understands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactsConfig {
    /// Seconds between two sweeps of what nobody will ask for again. Default 600.
    pub sweep_seconds: u64,
}

impl Default for ContactsConfig {
    fn default() -> Self {
        Self { sweep_seconds: 600 }
    }
}
