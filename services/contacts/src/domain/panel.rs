//! What of a panel is there, and what is not (C7).

/// The first entries of a section.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown<T> {
    /// The entries, in the order of their list.
    pub entries: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// Why a section is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Its service is not reached.
    Unreachable,
    /// Its service did not answer in its part of the time.
    TooSlow,
    /// Its service has too much to do, or was asked too often.
    Overloaded,
    /// The caller may not see it.
    NotPermitted,
    /// Its service failed otherwise.
    Failed,
}
