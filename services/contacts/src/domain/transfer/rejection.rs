//! Why a row is left out, and what became of the others.

use serde::{Deserialize, Serialize};

/// Why a row is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// It cannot be read.
    Unreadable,
    /// A value breaks a rule.
    InvalidValue,
    /// It is at odds with what is there.
    Conflict,
    /// It would change a contact where contacts are only made.
    Exists,
    /// It stands for nobody where contacts are only changed.
    NotFound,
    /// There would be more of something than there may be.
    LimitReached,
    /// Only admins may.
    NotAllowed,
}

/// What is wrong with a value, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowViolation {
    /// Where; empty: the row as a whole.
    pub field: String,
    /// What.
    pub description: String,
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: RejectionReason,
    /// All that is wrong, at least one.
    pub violations: Vec<RowViolation>,
}

impl Rejection {
    /// For one thing that is wrong.
    pub fn of(reason: RejectionReason, field: impl Into<String>, description: impl Into<String>) -> Self {
        let violation = RowViolation { field: field.into(), description: description.into() };
        Self { reason, violations: vec![violation] }
    }

    /// The same, with more that is wrong.
    #[must_use]
    pub fn and(mut self, more: Vec<RowViolation>) -> Self {
        self.violations.extend(more);
        self
    }
}

/// What became of a row that was not left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something new.
    Created,
    /// Something changed.
    Updated,
    /// It was so already.
    Unchanged,
}

/// What became of the rows of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// New contacts, lists and definitions.
    pub created: i64,
    /// Those that changed.
    pub updated: i64,
    /// Those that were as their rows say.
    pub unchanged: i64,
    /// Rows that were left out.
    pub rejected: i64,
    /// Lists that were made because a row of a contact names them.
    pub lists_created: i64,
}

impl Counts {
    /// Counts a row.
    pub fn add(&mut self, row: &Result<Outcome, Rejection>) {
        match row {
            Ok(Outcome::Created) => self.created += 1,
            Ok(Outcome::Updated) => self.updated += 1,
            Ok(Outcome::Unchanged) => self.unchanged += 1,
            Err(_) => self.rejected += 1,
        }
    }
}
