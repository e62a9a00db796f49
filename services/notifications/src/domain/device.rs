//! Where pushes go: a browser that subscribed, or an app with a token.

use std::fmt;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kernel::{Malformed, Subject, Timestamp};
use p256::PublicKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;

use super::delivery::Channel;

kernel::id_type! {
    /// A device of a person.
    DeviceId,
}

/// The most devices of a person.
pub const DEVICES: i64 = 20;

/// Keys come with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// By which way pushes reach a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A browser's subscription.
    WebPush,
    /// An app's token of Firebase Cloud Messaging.
    Fcm,
}

impl DeviceKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 2] = [Self::WebPush, Self::Fcm];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebPush => "web_push",
            Self::Fcm => "fcm",
        }
    }

    /// By which channel deliveries to such a device go.
    pub const fn channel(self) -> Channel {
        match self {
            Self::WebPush => Channel::WebPush,
            Self::Fcm => Channel::Fcm,
        }
    }
}

db::read_as!(DeviceKind: String);

impl TryFrom<String> for DeviceKind {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not a kind of device"))
    }
}

/// With what a message to a browser is encrypted (RFC 8291). The public key is a point of the curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BrowserKeys {
    public: PublicKey,
    secret: [u8; 16],
}

impl BrowserKeys {
    /// Reads the two keys as a browser gives them, in base64url.
    ///
    /// # Errors
    /// [`Malformed`], at `web_push.p256dh` or `web_push.auth`.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self, Malformed> {
        let decoded = |text: &str| BASE64.decode(text).unwrap_or_default();
        Self::of(&decoded(p256dh), &decoded(auth))
    }

    /// Takes the two keys: 65 bytes, the uncompressed form of a point of P-256, and 16.
    ///
    /// # Errors
    /// As [`BrowserKeys::parse`].
    pub fn of(p256dh: &[u8], auth: &[u8]) -> Result<Self, Malformed> {
        let wrong = |field, reason| Malformed::new(reason).at(field);
        let public =
            Some(p256dh).filter(|key| key.len() == 65).and_then(|key| PublicKey::from_sec1_bytes(key).ok());
        let public = public.ok_or_else(|| {
            wrong("web_push.p256dh", "must be a public key of P-256, uncompressed, in base64url: `keys.p256dh` of the subscription")
        })?;
        let secret = auth.try_into().map_err(|_| {
            wrong("web_push.auth", "must be 16 bytes in base64url: `keys.auth` of the subscription")
        })?;
        Ok(Self { public, secret })
    }

    /// The browser's public key.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The public key as it was given: 65 bytes.
    pub fn public_bytes(&self) -> Vec<u8> {
        self.public.to_encoded_point(false).as_bytes().to_vec()
    }

    /// The secret shared with the browser.
    pub const fn secret(&self) -> &[u8; 16] {
        &self.secret
    }
}

/// Where and how a push reaches a device. Whoever has it can send to the device: it is in no log and no answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A browser's subscription.
    WebPush {
        /// The address at its push service.
        endpoint: String,
        /// What only the browser can read is encrypted with these.
        keys: BrowserKeys,
    },
    /// An app's token.
    Fcm {
        /// As the Firebase SDK gave it to the app.
        token: String,
    },
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.kind().as_str())
    }
}

impl Address {
    /// By which way.
    pub const fn kind(&self) -> DeviceKind {
        match self {
            Self::WebPush { .. } => DeviceKind::WebPush,
            Self::Fcm { .. } => DeviceKind::Fcm,
        }
    }

    /// What tells it from every other of its kind.
    pub fn text(&self) -> &str {
        match self {
            Self::WebPush { endpoint, .. } => endpoint,
            Self::Fcm { token } => token,
        }
    }

    /// The keys, of a browser.
    pub const fn keys(&self) -> Option<&BrowserKeys> {
        match self {
            Self::WebPush { keys, .. } => Some(keys),
            Self::Fcm { .. } => None,
        }
    }
}

/// A device that a person registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// Where pushes to it go.
    pub address: Address,
    /// What the app calls it; may be empty.
    pub name: String,
}

/// A registered device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub device_id: DeviceId,
    /// Whose.
    pub subject: Subject,
    /// Where pushes to it go.
    pub address: Address,
    /// What the app called it; may be empty.
    pub name: String,
    /// When this person registered it first.
    pub create_time: Timestamp,
    /// When it was registered last.
    pub register_time: Timestamp,
}

impl Device {
    /// The host of its push service.
    pub fn push_service(&self) -> String {
        match &self.address {
            Address::WebPush { endpoint, .. } => {
                let uri: Option<http::Uri> = endpoint.parse().ok();
                uri.and_then(|uri| uri.host().map(str::to_ascii_lowercase)).unwrap_or_default()
            }
            Address::Fcm { .. } => "fcm.googleapis.com".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // RFC 8291, section 5.
    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn every_kind_reads_back() {
        for kind in DeviceKind::ALL {
            assert_eq!(DeviceKind::try_from(kind.as_str().to_owned()), Ok(kind));
        }
        assert!(DeviceKind::try_from("pager".to_owned()).is_err());
    }

    // D5
    #[test]
    fn keys_are_read_with_padding_and_without_and_only_if_they_are_keys() {
        let keys = BrowserKeys::parse(P256DH, AUTH).unwrap();
        assert!(BrowserKeys::parse(&format!("{P256DH}="), &format!("{AUTH}==")).unwrap() == keys);
        let off_the_curve = P256DH.replace("BCVx", "BCVy");
        let compressed = BASE64.encode(p256::EncodedPoint::from(keys.public()).compress());
        let cases = [
            ("web_push.p256dh", off_the_curve.as_str(), AUTH),
            ("web_push.p256dh", &compressed, AUTH),
            ("web_push.p256dh", "", AUTH),
            ("web_push.p256dh", "!", AUTH),
            ("web_push.auth", P256DH, ""),
            ("web_push.auth", P256DH, P256DH),
        ];
        for (field, p256dh, auth) in cases {
            assert_eq!(
                BrowserKeys::parse(p256dh, auth).err().unwrap().field(),
                Some(field),
                "{p256dh} {auth}"
            );
        }
    }

    // D5
    #[test]
    fn an_address_stays_out_of_debug_output() {
        let keys = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let endpoint = "https://Push.example:8443/canary".to_owned();
        let new = NewDevice { address: Address::WebPush { endpoint, keys }, name: String::new() };
        let said = format!("{new:?} {:?}", Address::Fcm { token: "canary".to_owned() });
        assert!(!said.contains("canary") && said.contains("web_push"), "{said}");
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_keys_panic(p256dh in any::<String>(), auth in any::<String>()) {
            let _ = BrowserKeys::parse(&p256dh, &auth);
        }
    }
}
