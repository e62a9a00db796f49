/// A message that knows the rules of its contract.
pub trait Validate {
    /// Whether callers send it, so that what is wrong with it is theirs to mend.
    const REQUEST: bool;

    /// Adds what breaks the rules to `found`; `at` is where this message is in the request.
    fn check(&self, at: &Path<'_>, found: &mut Vec<Violation>);

    /// Everything that breaks the rules, in the order of the contract; empty when the message is valid.
    fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.check(&Path::Root, &mut found);
        found
    }
}

/// A field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, as in `profile.emails[1]`.
    pub field: String,
    /// What is wrong and what is allowed.
    pub description: String,
}

/// Where a value is in a request. It is only written out when something is wrong.
#[derive(Debug, Clone, Copy)]
pub enum Path<'a> {
    /// The request itself.
    Root,
    /// A field of the message at the path.
    Field(&'a Path<'a>, &'static str),
    /// An item of the list at the path.
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    /// The field `name` of what is here.
    #[must_use]
    pub fn field(&'a self, name: &'static str) -> Self {
        Self::Field(self, name)
    }

    /// The item `index` of what is here.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    /// What is here breaks a rule.
    #[must_use]
    pub fn broken(&self, description: impl Into<String>) -> Violation {
        Violation { field: self.to_string(), description: description.into() }
    }
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => out.write_str(name),
            Self::Field(parent, name) => write!(out, "{parent}.{name}"),
            Self::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}

#[expect(
    unused_variables,
    reason = "generated: a message without rules uses neither where it is nor what was found"
)]
mod checks {
    use super::{Path, Validate, Violation};
    use crate::rules;

    include!(concat!(env!("OUT_DIR"), "/validation.rs"));
}
