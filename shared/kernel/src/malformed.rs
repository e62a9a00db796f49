//! Why a text or number from outside was not a value.

use std::borrow::Cow;

/// A value from outside that does not have the form its type asks for.
///
/// Carries the reason and, where known, the name of the field it came from, never the value itself: it may end in a
/// log or in an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .field.map(|f| format!("{f}: ")).unwrap_or_default())]
pub struct Malformed {
    field: Option<&'static str>,
    reason: Cow<'static, str>,
}

impl Malformed {
    /// States what is wrong with the value, not what the value was.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: None, reason: reason.into() }
    }

    /// Names the request field the value came from, as the contract spells it (`page_token`).
    #[must_use]
    pub fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// The request field the value came from, if the place that found the fault knew it.
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// What is wrong, in words for the caller.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::Malformed;

    #[test]
    fn the_field_is_named_when_it_is_known() {
        assert_eq!(Malformed::new("is empty").to_string(), "is empty");
        assert_eq!(Malformed::new("is empty").at("page_token").to_string(), "page_token: is empty");
    }
}
