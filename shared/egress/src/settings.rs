//! What an operator can set: the section `egress` of a service that calls out.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// How requests leave. The defaults are those for production.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressSettings {
    /// Connects to private and other special addresses too. For development and tests: with it, whoever may name a URL reaches
    /// what this process reaches.
    pub allow_private_addresses: bool,
    /// Takes http beside https. For development and tests.
    pub allow_http: bool,
    /// A PEM file with certificates of authorities to trust beside those of the system.
    pub roots: Option<PathBuf>,
    /// Milliseconds for name, connection and TLS together.
    pub connect_ms: u64,
    /// Milliseconds for a request with everything, from the name to the end of the answer.
    pub timeout_ms: u64,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            allow_http: false,
            roots: None,
            connect_ms: 5_000,
            timeout_ms: 15_000,
        }
    }
}

impl EgressSettings {
    pub(crate) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms.max(1))
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.max(1))
    }
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file of `roots` cannot be read, or has no certificate in it.
    #[error("egress.roots: {0}")]
    Roots(String),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(String),
}
