//! Addresses on channels, and when two of them are the same.

use kernel::Malformed;
use serde::{Deserialize, Serialize};

use super::line::visible;
use super::{Email, Identity, Phone};

/// The channel of email addresses.
const EMAIL: &str = "email";
/// The channel of phone numbers themselves, under which every number of a contact is known.
const PHONE: &str = "phone";
/// Channels whose addresses are phone numbers.
const BY_NUMBER: [&str; 3] = [PHONE, "sms", "whatsapp"];

/// The name of a channel, such as `chat`: lowercase letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Channel(String);

impl Channel {
    /// Checks the name and keeps it.
    ///
    /// # Errors
    /// [`Malformed`] when it is not such a name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let well_formed = text.bytes().next().is_some_and(first)
            && text.bytes().all(|byte| first(byte) || byte == b'_' || byte == b'-');
        if !well_formed {
            return Err(Malformed::new("must be lowercase letters, digits, _ and -, such as chat"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes an address one address: the channel, and the form in which its addresses are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey {
    /// The channel.
    pub channel: Channel,
    /// On `email` the Unicode lowercase form, on `phone`, `sms` and `whatsapp` E.164, elsewhere the address itself.
    pub address: String,
}

/// An address on a channel, which belongs to one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    key: AddressKey,
    written: String,
}

impl Address {
    /// Reads an address as the channel writes it.
    ///
    /// # Errors
    /// [`Malformed`] when it is blank, has control characters, or is not what the channel's addresses are (an email
    /// address, a phone number with country code).
    pub fn parse(channel: Channel, text: &str) -> Result<Self, Malformed> {
        if channel.as_str() == EMAIL {
            return Email::parse(text).map(|email| Self::of_email(&email));
        }
        if BY_NUMBER.contains(&channel.as_str()) {
            let phone = Phone::parse(text)?;
            return Ok(Self::on(channel, phone.as_str().to_owned(), phone.as_str()));
        }
        visible(text)?;
        if text.trim().is_empty() {
            return Err(Malformed::new("is required"));
        }
        Ok(Self::on(channel, text.to_owned(), text))
    }

    /// The address by which the channel `email` knows an email address.
    pub fn of_email(email: &Email) -> Self {
        Self::on(Channel(EMAIL.to_owned()), email.key(), email.as_str())
    }

    /// The address by which the channel `phone` knows a phone number.
    pub fn of_phone(phone: &Phone) -> Self {
        Self::on(Channel(PHONE.to_owned()), phone.as_str().to_owned(), phone.as_str())
    }

    /// The address of an identity, which was one when it was stored.
    ///
    /// # Errors
    /// [`Malformed`] if it is none any more.
    pub fn of_identity(identity: &Identity) -> Result<Self, Malformed> {
        Self::parse(identity.channel.clone(), &identity.address)
    }

    fn on(channel: Channel, key: String, written: &str) -> Self {
        Self { key: AddressKey { channel, address: key }, written: written.to_owned() }
    }

    /// The channel and the compared form.
    pub fn key(&self) -> &AddressKey {
        &self.key
    }

    /// As the channel wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The address that decides whose this one is, if it is not known itself: whoever owns a phone number is also who
    /// writes from it by `sms` and `whatsapp`.
    pub fn owned_through(&self) -> Option<Address> {
        let number = self.phone().filter(|_| self.key.channel.as_str() != PHONE)?;
        Some(Self::of_phone(&number))
    }

    /// The email address, where it is one.
    pub fn email(&self) -> Option<Email> {
        if self.key.channel.as_str() == EMAIL { Email::parse(&self.written).ok() } else { None }
    }

    /// The phone number, where it is one.
    pub fn phone(&self) -> Option<Phone> {
        if BY_NUMBER.contains(&self.key.channel.as_str()) { Phone::parse(&self.written).ok() } else { None }
    }
}

/// Every key under which the owner of this email address or phone number may be known.
pub fn every_key_of(address: &Address) -> Vec<AddressKey> {
    if !BY_NUMBER.contains(&address.key.channel.as_str()) {
        return vec![address.key.clone()];
    }
    let key = |channel: &str| AddressKey { channel: Channel(channel.to_owned()), ..address.key.clone() };
    BY_NUMBER.into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::{Address, Channel};

    fn address(channel: &str, text: &str) -> Option<Address> {
        Address::parse(Channel::parse(channel).unwrap(), text).ok()
    }

    #[test]
    fn email_is_compared_without_case_and_numbers_as_e164() {
        assert_eq!(address("email", " ANA@Example.com").unwrap().key().address, "ana@example.com");
        assert_eq!(address("email", "ANA@Example.com").unwrap().written(), "ANA@Example.com");
        for channel in ["phone", "sms", "whatsapp"] {
            assert_eq!(address(channel, "+49 89 123456").unwrap().key().address, "+4989123456");
            assert_eq!(address(channel, "089 123456"), None);
        }
    }

    #[test]
    fn other_channels_addresses_are_compared_as_they_are() {
        let (lower, upper) = (address("chat", "visitor-a").unwrap(), address("chat", "Visitor-A").unwrap());
        assert_ne!(lower.key(), upper.key());
        assert_ne!(lower.key(), address("web", "visitor-a").unwrap().key());
        assert_eq!((address("chat", "  "), address("chat", "a\u{0}")), (None, None));
    }

    #[test]
    fn a_number_on_another_channel_is_owned_through_the_phone() {
        let phone = address("phone", "+4989123456").unwrap();
        assert_eq!(address("whatsapp", "+49 89 123456").unwrap().owned_through(), Some(phone.clone()));
        assert_eq!(phone.owned_through(), None);
        assert_eq!(address("chat", "+4989123456").unwrap().owned_through(), None);
    }

    #[test]
    fn a_channel_is_a_lowercase_name() {
        for good in ["chat", "e-mail_2", "0"] {
            assert_eq!(Channel::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Chat", "_x", "a b", "ä"] {
            assert!(Channel::parse(bad).is_err(), "{bad}");
        }
    }
}
