//! Making tokens: for people by the development key, for services among themselves.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Clock, OrgId, Role, Subject};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::AUDIENCE;

/// Who makes the tokens of a development key.
pub const DEV_ISSUER: &str = "backchannel-dev";

/// An Ed25519 private key that mints tokens. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    key: EncodingKey,
    id: String,
    public: String,
    clock: Clock,
}

/// Why a private key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 PEM")]
pub struct BadKey;

/// What a token shall say.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    /// The organization.
    pub org: OrgId,
    /// Who will call with it.
    pub subject: Subject,
    /// As what.
    pub role: Role,
    /// For how long, from now.
    pub ttl: Duration,
    /// The display name.
    pub name: Option<String>,
    /// The `preferred_username`, by which colleagues mention the person.
    pub username: Option<String>,
    /// For whom the token is.
    pub audience: String,
    /// Who vouches for it.
    pub issuer: String,
}

impl TokenSpec {
    /// A token for 15 minutes, of the development issuer, for Backchannel.
    pub fn new(org: OrgId, subject: Subject, role: Role) -> Self {
        let ttl = Duration::from_secs(15 * 60);
        let (audience, issuer) = (AUDIENCE.to_owned(), DEV_ISSUER.to_owned());
        Self { org, subject, role, ttl, name: None, username: None, audience, issuer }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    org: &'a str,
    role: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
}

impl Signer {
    /// Reads a private key. Its id is the thumbprint of its public part (RFC 7638).
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_pem(pem: &str, clock: Clock) -> Result<Self, BadKey> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| BadKey)?;
        Self::from_key(&key, clock)
    }

    pub(super) fn from_key(key: &SigningKey, clock: Clock) -> Result<Self, BadKey> {
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        let der = key.to_pkcs8_der().map_err(|_| BadKey)?;
        let key = EncodingKey::from_ed_der(der.as_bytes());
        Ok(Self(Arc::new(Inner { key, id, public, clock })))
    }

    /// The id of the key (`kid`).
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.0.id
    }

    /// The public part as a key set, for those who verify.
    pub fn jwks(&self) -> String {
        let Inner { id, public, .. } = &*self.0;
        format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"{id}","x":"{public}"}}]}}"#
        )
    }

    /// Makes a token, valid from now.
    ///
    /// # Errors
    /// [`BadKey`] if the key cannot sign.
    pub fn mint(&self, spec: &TokenSpec) -> Result<String, BadKey> {
        let now = self.0.clock.now().as_micros().div_euclid(1_000_000);
        let ttl = i64::try_from(spec.ttl.as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: &spec.issuer,
            aud: &spec.audience,
            sub: spec.subject.as_str(),
            org: spec.org.as_str(),
            role: spec.role.as_str(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(ttl),
            name: spec.name.as_deref(),
            preferred_username: spec.username.as_deref(),
        };
        let header = Header { kid: Some(self.0.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.0.key).map_err(|_| BadKey)
    }
}
