//! The public keys that may sign tokens, each pinned to one algorithm.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Shorter RSA keys are broken or close to it.
const RSA_MIN_BYTES: usize = 256;

/// A key set (RFC 7517), as the identity provider publishes it.
#[derive(Clone, Default)]
pub struct Keys {
    by_id: HashMap<String, Key>,
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Not a JSON Web Key Set.
    #[error("not a JSON Web Key Set: {0}")]
    NotJwks(#[from] serde_json::Error),
    /// The set has no key that can verify: Ed25519, EC P-256 or RSA from 2048 bits, each with a `kid`.
    #[error("the key set has no usable key (Ed25519, P-256 or RSA, with a kid)")]
    NoUsableKey,
    /// Two keys have one id, so that pinning means nothing.
    #[error("two keys of the set have the same kid")]
    DuplicateId,
    /// A private key does not belong in a public set.
    #[error("the key set holds a private key: publish the public part only")]
    PrivateKey,
    /// A key of a usable type has broken parts.
    #[error("key {0} of the set is malformed")]
    MalformedKey(usize),
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<serde::de::IgnoredAny>,
}

impl Keys {
    /// Reads a key set. Keys for other purposes or of other kinds are passed over, as providers publish all in one.
    ///
    /// # Errors
    /// [`KeysError`] if nothing usable remains, or the set contradicts itself.
    pub fn from_jwks(json: &str) -> Result<Self, KeysError> {
        let set: Jwks = serde_json::from_str(json)?;
        let mut by_id = HashMap::new();
        for (index, jwk) in set.keys.into_iter().enumerate() {
            if jwk.d.is_some() {
                return Err(KeysError::PrivateKey);
            }
            let Some((algorithm, id)) = jwk.usable() else { continue };
            let decoding = jwk.decoding().ok_or(KeysError::MalformedKey(index))?;
            if by_id.insert(id, Key { algorithm, decoding }).is_some() {
                return Err(KeysError::DuplicateId);
            }
        }
        if by_id.is_empty() { Err(KeysError::NoUsableKey) } else { Ok(Self { by_id }) }
    }

    /// Both sets together: for a rotation, or for people's keys beside the services' own.
    ///
    /// # Errors
    /// [`KeysError::DuplicateId`] if an id is in both.
    pub fn and(mut self, other: Self) -> Result<Self, KeysError> {
        for (id, key) in other.by_id {
            if self.by_id.insert(id, key).is_some() {
                return Err(KeysError::DuplicateId);
            }
        }
        Ok(self)
    }

    /// Both sets together, where `own` has the last word on each id that is in both.
    #[must_use]
    pub fn under(mut self, own: Self) -> Self {
        self.by_id.extend(own.by_id);
        self
    }

    /// How many keys are here and not in `others`.
    #[must_use]
    pub fn beside(&self, others: &Self) -> usize {
        self.by_id.keys().filter(|id| !others.by_id.contains_key(*id)).count()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }
}

impl Jwk {
    /// The one algorithm that this key may verify, and its id.
    fn usable(&self) -> Option<(Algorithm, String)> {
        let (algorithm, name) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, "EdDSA"),
            ("EC", Some("P-256")) => (Algorithm::ES256, "ES256"),
            ("RSA", _) => (Algorithm::RS256, "RS256"),
            _ => return None,
        };
        let signs = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let fits = self.alg.as_deref().is_none_or(|alg| alg == name);
        let id = self.kid.clone().filter(|id| !id.is_empty())?;
        (signs && fits).then_some((algorithm, id))
    }

    /// Lengths are checked here, as the library slices without looking.
    fn decoding(&self) -> Option<DecodingKey> {
        let part = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        match self.kty.as_str() {
            "OKP" => {
                let x = part(&self.x).filter(|x| x.len() == 32)?;
                Some(DecodingKey::from_ed_der(&x))
            }
            "EC" => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                let both = x.len() == 32 && y.len() == 32;
                both.then(|| DecodingKey::from_ec_der(&[&[0x04], x.as_slice(), y.as_slice()].concat()))
            }
            _ => {
                let n = part(&self.n).filter(|n| n.len() >= RSA_MIN_BYTES)?;
                Some(DecodingKey::from_rsa_raw_components(&n, &part(&self.e)?))
            }
        }
    }
}
