//! Why a process does not start.

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
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
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
