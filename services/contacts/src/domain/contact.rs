//! A person outside.

use kernel::{ContactId, Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use super::attribute::Value;
use super::{Address, AddressKey, Attribute, Block, Channel, Line, Profile, Tag, every_key_of};

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
    /// The custom attributes they have, by key. Answers kept for retries by an older version have none.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// That what they write calls nobody, if so. Answers kept for retries by an older version have none.
    #[serde(default)]
    pub block: Option<Block>,
    /// When the contact was made.
    pub create_time: Timestamp,
    /// When the contact last changed.
    pub update_time: Timestamp,
}

impl Contact {
    /// Every address under which the contact may be known, each once: those of its profile and its identities, a number on all its
    /// channels.
    ///
    /// # Errors
    /// [`Malformed`] for an identity that is none, which is not stored.
    pub fn every_key(&self) -> Result<Vec<AddressKey>, Malformed> {
        let mut keys: Vec<AddressKey> = self.profile.addresses().iter().flat_map(every_key_of).collect();
        for identity in &self.identities {
            keys.extend(every_key_of(&Address::of_identity(identity)?));
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Bytes of text that it adds to an answer.
    pub fn weight(&self) -> usize {
        let Profile { display_name, given_name, family_name, emails, phones, external_id, .. } =
            &self.profile;
        let Profile { language, time_zone, default_channel, avatar_url, company, location, .. } =
            &self.profile;
        let names = [display_name, given_name, family_name, external_id, language, time_zone];
        let more = [default_channel, avatar_url, company, location];
        let lines: usize = names.into_iter().chain(more).map(|line| line.as_str().len()).sum();
        let emails: usize = emails.iter().map(|email| email.as_str().len()).sum();
        let phones: usize = phones.iter().map(|phone| phone.as_str().len()).sum();
        let tags: usize = self.tags.iter().map(|tag| tag.as_str().len()).sum();
        let identities: usize = self.identities.iter().map(|one| one.address.len() + ENTRY_BYTES).sum();
        let attributes: usize = self.attributes.iter().map(|one| value_bytes(&one.value) + ENTRY_BYTES).sum();
        let block = self.block.as_ref().map_or(0, |block| block.reason.as_str().len() + ENTRY_BYTES);
        lines + emails + phones + tags + identities + attributes + block
    }
}

/// About what an identity or attribute weighs beside its text: channel or key, time.
const ENTRY_BYTES: usize = 40;

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Choice(text) => Line::as_str(text).len(),
        Value::Link(link) => link.as_str().len(),
        Value::Date(_) | Value::Number(_) | Value::Boolean(_) => ENTRY_BYTES,
    }
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
