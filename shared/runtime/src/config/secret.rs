//! Values that must not be printed.

use figment::providers::Serialized;
use figment::value::Dict;
use figment::{Figment, Provider};
use serde::Deserialize;

/// A text that may hold a password, such as a database address. Its Debug form hides it, and it has no Display.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Marks a text as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the library that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A part of the configuration that only one service understands. Its Debug form names the keys only, as there may be
/// secrets among the values.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Dict")]
pub struct Section(Figment);

impl Section {
    /// The part with what is known of where its keys stand.
    pub(super) fn of(sources: Figment) -> Self {
        Section(sources)
    }

    pub(super) fn sources(&self) -> &Figment {
        &self.0
    }
}

impl From<Dict> for Section {
    fn from(values: Dict) -> Self {
        Section(Figment::from(Serialized::defaults(values)))
    }
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.0.data().unwrap_or_default().into_values().flat_map(Dict::into_keys);
        f.debug_list().entries(keys).finish()
    }
}
