//! That what a contact writes calls nobody (C9).

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Actor, Line};

/// A contact's block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Who blocked them.
    pub actor: Actor,
    /// When.
    pub block_time: Timestamp,
    /// Why; empty where it was not said.
    pub reason: Line,
}
