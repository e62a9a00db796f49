//! What one email or one push tells of: a bundle of entries. A bundle of one is the usual case.

use serde::{Deserialize, Serialize};

kernel::id_type! {
    /// Entries that one email, or one push to each device, tells of.
    BundleId,
}

/// How its entries came together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleKind {
    /// One entry, by itself.
    Single,
    /// Entries that came too fast to be told one by one, or while the person wanted quiet.
    Gathered,
    /// What came in one window of the person's digest.
    Digest,
}

impl BundleKind {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Gathered => "gathered",
            Self::Digest => "digest",
        }
    }
}

/// What the body of a delivery by email or push holds: never content, nor the entries themselves, as more may join a bundle until it
/// is sent. Which they are is found by the bundle's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The bundle.
    pub bundle_id: BundleId,
    /// How its entries came together.
    pub kind: BundleKind,
}
