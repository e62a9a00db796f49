//! From a call's headers to its caller.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::Algorithm;
use kernel::{Clock, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cache::{Seen, TokenDigest};
use super::claims::{Claims, Expected};
use super::{Keys, TokenRefused};
use crate::Caller;

/// The audience of Backchannel's tokens, unless configured otherwise.
pub const AUDIENCE: &str = "backchannel";

/// Longer tokens are refused unread, in bytes.
const TOKEN_MAX: usize = 8 * 1024;

/// What makes a token one of the services' own.
#[derive(Clone, Debug)]
pub struct ServiceKey {
    /// Who vouches for it: nobody else does so by this name.
    pub issuer: String,
    /// The key that signs it.
    pub key_id: String,
}

/// Verifies tokens against the keys of the moment. Clones share keys and cache.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    trust: RwLock<Arc<Trust>>,
    issuers: Vec<String>,
    services: Option<ServiceKey>,
    audience: String,
    clock: Clock,
}

/// Keys, and what they have verified: both are replaced together, so that a key taken out takes its tokens with it.
struct Trust {
    keys: Keys,
    seen: Seen,
}

/// The parts of a JOSE header that are looked at. `jku`, `x5u`, `x5c` and `jwk`, by which a token would bring its own
/// key, are not among them.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

impl Verifier {
    /// Trusts tokens that one of the issuers made for the audience with one of the keys.
    pub fn new(keys: Keys, issuers: Vec<String>, audience: impl Into<String>, clock: Clock) -> Self {
        Self::build(keys, issuers, None, audience.into(), clock)
    }

    /// Like [`Verifier::new`], where people's tokens are signed by somebody else than the services': the role `service`
    /// is only taken from the services' issuer, and that issuer only from the services' key. Otherwise whoever vouches
    /// for people could make a service of one.
    pub fn telling_services_apart(
        keys: Keys,
        mut issuers: Vec<String>,
        services: ServiceKey,
        audience: impl Into<String>,
        clock: Clock,
    ) -> Self {
        issuers.push(services.issuer.clone());
        Self::build(keys, issuers, Some(services), audience.into(), clock)
    }

    fn build(
        keys: Keys,
        issuers: Vec<String>,
        services: Option<ServiceKey>,
        audience: String,
        clock: Clock,
    ) -> Self {
        let trust = RwLock::new(Arc::new(Trust { keys, seen: Seen::default() }));
        Self(Arc::new(Inner { trust, issuers, services, audience, clock }))
    }

    /// Puts other keys in force at once; calls under way finish with those they began with.
    pub fn replace_keys(&self, keys: Keys) {
        let trust = Arc::new(Trust { keys, seen: Seen::default() });
        *self.0.trust.write().unwrap_or_else(PoisonError::into_inner) = trust;
    }

    /// The caller that these headers prove. Only `authorization` is read: no other header can name anybody.
    ///
    /// # Errors
    /// [`TokenRefused`], which becomes UNAUTHENTICATED.
    pub fn verify_headers(&self, headers: &HeaderMap) -> Result<Arc<Caller>, TokenRefused> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or(TokenRefused::Missing)?;
        if values.next().is_some() {
            return Err(TokenRefused::NotOneBearer);
        }
        let text = value.to_str().map_err(|_| TokenRefused::NotOneBearer)?;
        let (scheme, token) = text.split_once(' ').ok_or(TokenRefused::NotOneBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(TokenRefused::NotOneBearer);
        }
        self.verify(token)
    }

    /// The caller that this token proves.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub fn verify(&self, token: &str) -> Result<Arc<Caller>, TokenRefused> {
        if token.len() > TOKEN_MAX {
            return Err(TokenRefused::Malformed);
        }
        let now = self.0.clock.now();
        let trust = Arc::clone(&self.0.trust.read().unwrap_or_else(PoisonError::into_inner));
        let digest: TokenDigest = Sha256::digest(token).into();
        if let Some(caller) = trust.seen.find(&digest, now) {
            return Ok(caller);
        }
        let caller = Arc::new(self.examine(&trust.keys, token, now)?);
        trust.seen.remember(digest, &caller, now);
        Ok(caller)
    }

    fn examine(&self, keys: &Keys, token: &str, now: Timestamp) -> Result<Caller, TokenRefused> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefused::Malformed)?;
        if payload.contains('.') {
            return Err(TokenRefused::Malformed);
        }
        let header: Header =
            serde_json::from_slice(&decoded(header)?).map_err(|_| TokenRefused::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenRefused::Critical);
        }
        // Other types (logout tokens, DPoP proofs) are signed with the same keys and must not pass for access.
        let typ = header.typ.as_deref().unwrap_or("JWT");
        if !typ.eq_ignore_ascii_case("JWT") && !typ.eq_ignore_ascii_case("at+jwt") {
            return Err(TokenRefused::Malformed);
        }
        let key_id = header.kid.as_deref().ok_or(TokenRefused::UnknownKey)?;
        let key = keys.find(key_id).ok_or(TokenRefused::UnknownKey)?;
        if header.alg != name(key.algorithm) {
            return Err(TokenRefused::WrongAlgorithm);
        }
        match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.decoding, key.algorithm) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Err(TokenRefused::WrongSignature),
        }
        let Inner { issuers, services, audience, .. } = &*self.0;
        let expected = Expected { issuers, services: services.as_ref(), key_id, audience, now };
        Claims::parse(&decoded(payload)?)?.admit(&expected, token)
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EdDSA => "EdDSA",
        Algorithm::ES256 => "ES256",
        Algorithm::RS256 => "RS256",
        // Keys are never pinned to another one, and no header can spell the empty name.
        _ => "",
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenRefused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefused::Malformed)
}
