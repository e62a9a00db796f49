//! Who sends: VAPID (RFC 8292). A short-lived token for each push service, signed with the suite's own key.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::Timestamp;
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

/// How long a token is good for. A push service takes none that is good for more than a day.
const GOOD_FOR: Duration = Duration::from_secs(12 * 60 * 60);
/// A token is used for so long, so that it is still good when it arrives, whatever the other side's clock says.
const USED_FOR: Duration = Duration::from_secs(6 * 60 * 60);
/// Push services whose tokens are remembered. There are five in the world; who registers made-up ones makes them be forgotten.
const REMEMBERED: usize = 64;

/// The development key's file in the data folder.
const DEVELOPMENT_KEY: &str = "vapid-key.pem";
/// Whom push services would write to about a suite in development.
const DEVELOPMENT_CONTACT: &str = "mailto:development@example.com";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    /// The file cannot be read, or the development key's cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It holds something else.
    #[error(
        "is no private key of P-256 in PEM or base64url: make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    NotAKey,
    /// The contact is missing or is no address of the two kinds.
    #[error(
        "must be `mailto:` with an address, or begin with `https://`: push services write there when something is wrong"
    )]
    NoContact,
}

/// The suite as push services know it.
pub struct Vapid {
    key: EncodingKey,
    public: String,
    contact: String,
    tokens: Mutex<HashMap<String, Token>>,
}

/// Signed for one push service.
struct Token {
    text: String,
    used_until: Timestamp,
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Vapid {
    /// With the key of a file.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn load(file: &Path, contact: &str) -> Result<Self, BadKey> {
        Self::of(&std::fs::read_to_string(file)?, contact)
    }

    /// With the key of this folder, made now if there is none. For development: it is as secret as the folder.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn load_or_make(folder: &Path) -> Result<Self, BadKey> {
        let file = folder.join(DEVELOPMENT_KEY);
        match Self::load(&file, DEVELOPMENT_CONTACT) {
            Err(BadKey::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                make(folder, &file)?;
                Self::load(&file, DEVELOPMENT_CONTACT)
            }
            found => found,
        }
    }

    fn of(text: &str, contact: &str) -> Result<Self, BadKey> {
        let address = contact.strip_prefix("mailto:").is_some_and(|address| address.contains('@'));
        let page = contact.strip_prefix("https://").is_some_and(|page| !page.is_empty());
        if !(address || page) || !contact.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadKey::NoContact);
        }
        let key = read(text.trim()).ok_or(BadKey::NotAKey)?;
        let public = URL_SAFE_NO_PAD.encode(key.public_key().to_encoded_point(false).as_bytes());
        let der = key.to_pkcs8_der().map_err(|_| BadKey::NotAKey)?;
        let key = EncodingKey::from_ec_der(der.as_bytes());
        Ok(Self { key, public, contact: contact.to_owned(), tokens: Mutex::default() })
    }

    /// What browsers subscribe with: the public key, 65 bytes in base64url.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The `Authorization` of a request to a push service.
    ///
    /// # Errors
    /// [`BadKey::NotAKey`] if the key does not sign.
    pub fn authorization(&self, endpoint: &Uri, now: Timestamp) -> Result<String, BadKey> {
        let audience = origin(endpoint);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = tokens.get(&audience).filter(|token| now < token.used_until) {
            return Ok(self.said(&token.text));
        }
        let exp = now.plus(GOOD_FOR).as_micros().div_euclid(1_000_000);
        let claims = Claims { aud: &audience, exp, sub: &self.contact };
        let text = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key);
        let text = text.map_err(|_| BadKey::NotAKey)?;
        if tokens.len() >= REMEMBERED {
            tokens.clear();
        }
        let said = self.said(&text);
        tokens.insert(audience, Token { text, used_until: now.plus(USED_FOR) });
        Ok(said)
    }

    fn said(&self, token: &str) -> String {
        format!("vapid t={token}, k={}", self.public)
    }
}

/// PEM as openssl writes it, in either of its forms, or the bare number.
fn read(text: &str) -> Option<SecretKey> {
    if text.starts_with("-----") {
        return SecretKey::from_pkcs8_pem(text).or_else(|_| SecretKey::from_sec1_pem(text)).ok();
    }
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    SecretKey::from_slice(&bytes).ok().filter(|_| bytes.len() == 32)
}

/// Scheme, host, and port where it is not the usual one.
fn origin(endpoint: &Uri) -> String {
    let scheme = endpoint.scheme_str().unwrap_or("https");
    let host = endpoint.host().unwrap_or_default().to_ascii_lowercase();
    match endpoint.port_u16() {
        Some(port) if (scheme, port) != ("https", 443) && (scheme, port) != ("http", 80) => {
            format!("{scheme}://{host}:{port}")
        }
        _ => format!("{scheme}://{host}"),
    }
}

/// Written whole under another name, then put in place: whoever comes second finds a complete key and uses it.
fn make(folder: &Path, file: &Path) -> Result<(), BadKey> {
    let mut number = [0; 32];
    SystemRandom::new().fill(&mut number).map_err(|_| BadKey::NotAKey)?;
    let key = SecretKey::from_slice(&number).map_err(|_| BadKey::NotAKey)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| BadKey::NotAKey)?;
    std::fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?; // readable by its owner only
    draft.write_all(pem.as_bytes())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(file) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => Err(refused.error.into()),
        _ => Ok(()),
    }
}
