//! Who does something.

use kernel::{Role, Subject};
use serde::{Deserialize, Serialize};

/// A person, or a system, who did something to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The `sub` of their token.
    pub subject: Subject,
    /// The role of that token.
    pub role: Role,
    /// What people call them; empty where it is not known.
    pub display_name: String,
}
