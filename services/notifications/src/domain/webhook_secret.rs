//! What calls of webhooks are signed with: Standard Webhooks (<https://www.standardwebhooks.com>), symmetric, `v1`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use kernel::Timestamp;
use sha2::Sha256;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;

/// A secret of a webhook. It is never shown but by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Of bytes that nobody can guess.
    pub const fn of(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// As it was stored; none if that has another length.
    pub fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As it is stored.
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its receiver takes it: `whsec_` and base64.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// The signature of a call: of its id, its time in seconds and its body.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        // HMAC takes keys of every length: there is always one.
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mut mac| {
            mac.update(format!("{id}.{seconds}.").as_bytes());
            mac.update(body);
            STANDARD.encode(mac.finalize().into_bytes())
        });
        format!("v1,{}", mac.unwrap_or_default())
    }
}

/// The secret of a webhook, and for a while the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The one that counts.
    pub current: Secret,
    /// The one before, and until when it counts.
    pub previous: Option<(Secret, Timestamp)>,
}

impl Secrets {
    /// One, and none before.
    pub const fn new(current: Secret) -> Self {
        Self { current, previous: None }
    }

    /// Another; the one before counts until a time.
    #[must_use]
    pub fn rotated(self, next: Secret, until: Timestamp) -> Self {
        Self { current: next, previous: Some((self.current, until)) }
    }

    /// The signatures of a call at a time: with each secret that counts then.
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let seconds = now.as_micros().div_euclid(1_000_000);
        let signature = self.current.sign(id, seconds, body);
        match &self.previous {
            Some((previous, until)) if now < *until => {
                format!("{signature} {}", previous.sign(id, seconds, body))
            }
            _ => signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    // D8
    #[test]
    fn a_signature_is_of_the_id_the_time_and_the_body() {
        let secret = Secret::of([7; SECRET_BYTES]);
        let other = Secret::of([8; SECRET_BYTES]);
        let signature = secret.sign("msg", 1_614_265_330, b"{}");
        // As Python's hmac has it: HMAC-SHA256 of `msg.1614265330.{}`.
        assert_eq!(signature, "v1,3yhEvNbcvnP5eQY50gZ5NWkSCppp00x5SIM+EsSBdEo=");
        for different in [
            other.sign("msg", 1_614_265_330, b"{}"),
            secret.sign("msh", 1_614_265_330, b"{}"),
            secret.sign("msg", 1_614_265_331, b"{}"),
            secret.sign("msg", 1_614_265_330, b"[]"),
        ] {
            assert_ne!(signature, different);
        }
    }

    // D8
    #[test]
    fn after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_alone() {
        let secrets = Secrets::new(Secret::of([1; 32]));
        let old = secrets.sign("id", second(10), b"x");
        let rotated = secrets.rotated(Secret::of([2; 32]), second(100));
        let both = rotated.sign("id", second(10), b"x");
        let (new, before) = both.split_once(' ').unwrap();
        assert_eq!(before, old);
        assert_ne!(new, old);
        assert!(!rotated.sign("id", second(100), b"x").contains(' '));
        // Another rotation within the day: the first secret counts no longer.
        let again = rotated.rotated(Secret::of([3; 32]), second(200));
        assert!(!again.sign("id", second(10), b"x").contains(&old));
    }

    // P9
    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let shown = format!("{:?}", Secrets::new(Secret::of([65; 32])));
        assert!(!shown.contains("65") && !shown.contains('A'), "{shown}");
        assert_eq!(Secret::of([0; 32]).reveal(), format!("whsec_{}=", "A".repeat(43)));
        assert_eq!(Secret::stored(&[1; 32]), Some(Secret::of([1; 32])));
        assert_eq!(Secret::stored(&[1; 31]), None);
    }
}
