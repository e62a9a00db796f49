//! A person outside.

use kernel::{ContactId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Channel, Profile, Tag};

/// A person outside the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub contact_id: ContactId,
    /// Grows by one with every change; begins with 1.
    pub version: i64,
    /// What is known of them.
    pub profile: Profile,
    /// The tags they carry, sorted by Unicode code points.
    pub tags: Vec<Tag>,
    /// The addresses by which channels know them, by channel and address.
    pub identities: Vec<Identity>,
    /// When the contact was made.
    pub create_time: Timestamp,
    /// When the contact last changed.
    pub update_time: Timestamp,
}

/// An address by which a channel knows a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The channel.
    pub channel: Channel,
    /// The address, as the channel first wrote it.
    pub address: String,
    /// Since when.
    pub create_time: Timestamp,
}
