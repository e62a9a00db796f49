//! Why a process does not start.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use db::DbError;
use thiserror::Error;

use crate::config::ConfigError;

/// Why a process does not start. Printed to whoever started it.
#[derive(Debug, Error)]
pub enum StartError {
    /// A key of the configuration is missing, unknown or unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A database cannot be opened or migrated.
    #[error("database of {service}: {error}")]
    Database {
        /// Whose.
        service: &'static str,
        /// What is wrong with it.
        error: DbError,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {}", unheard(key, error))]
    Listen {
        /// The key it was configured with, which is also the flag's.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A service could not be made for a reason of its own.
    #[error("{service}: {reason}")]
    Service {
        /// Which.
        service: &'static str,
        /// Its reason.
        reason: String,
    },
    /// Something every process needs could not be had: descriptors, metrics, threads.
    #[error("{0}")]
    Process(String),
}

/// Why nobody can listen there, and what to do.
fn unheard(key: &str, error: &io::Error) -> String {
    let why = match error.kind() {
        ErrorKind::AddrInUse => {
            "the port is taken, maybe by another `backchannel` or by this one's other address: free it"
                .to_owned()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address: take 127.0.0.1 or 0.0.0.0".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "the system does not let this user: ports from 1024 are free for all".to_owned()
        }
        _ => error.to_string(),
    };
    format!("{why}, or name another with --{key} or `{key}` in the configuration (port 0 takes a free one)")
}

#[cfg(test)]
mod tests {
    use super::*;

    // P8
    #[test]
    fn an_address_that_cannot_be_had_is_named_with_its_flag_and_what_to_do() {
        for (kind, said) in [
            (ErrorKind::AddrInUse, "free it, or name another with --metrics"),
            (ErrorKind::AddrNotAvailable, "no such address"),
            (ErrorKind::PermissionDenied, "1024"),
            (ErrorKind::Other, "--metrics"),
        ] {
            let address = SocketAddr::from(([127, 0, 0, 1], 80));
            let refused = StartError::Listen { key: "metrics", address, error: kind.into() }.to_string();
            assert!(refused.contains("127.0.0.1:80") && refused.contains(said), "{refused}");
        }
    }
}
