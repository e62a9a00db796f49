//! Page and resume tokens: opaque to callers, impossible to forge, useless anywhere but where they were given.

use crate::Malformed;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};

/// First byte of every token. A change of the layout takes the next number, and older tokens are refused.
const VERSION: u8 = 1;
/// Bytes of HMAC-SHA256 kept: 128 bits.
const TAG_BYTES: usize = 16;
/// Longest token read. Cursors are a few keys; anything longer is not ours.
const MAX_TOKEN_BYTES: usize = 4096;

/// Seals cursors into tokens and opens them again.
///
/// A token is the URL-safe base64 of a version byte, the cursor as JSON and 16 bytes of HMAC-SHA256 over the version,
/// the kind, the binding and the cursor. It is readable (nothing secret belongs in a cursor) but works only for the
/// same kind, the same organization, filter and order. Replicas must share the secret.
#[derive(Clone)]
pub struct PageSeal {
    secret: Arc<[u8]>,
    /// Secrets that were in use before.
    before: Arc<[Vec<u8>]>,
}

impl PageSeal {
    /// A seal with this secret, at least 32 random bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self { secret: secret.into(), before: Arc::default() }
    }

    /// The same, which opens as well what was sealed with one of these secrets.
    #[must_use]
    pub fn and_before(self, before: Vec<Vec<u8>>) -> Self {
        Self { before: before.into(), ..self }
    }

    /// Seals a cursor.
    ///
    /// `kind` names the list or stream (`notes.list`); `binding` is whatever the token must not outlive a change of:
    /// organization, filter and order, as bytes.
    ///
    /// # Errors
    /// [`Malformed`] when the cursor cannot be JSON, which is a fault of its type.
    pub fn try_seal(&self, kind: &str, binding: &[u8], cursor: &impl Serialize) -> Result<String, Malformed> {
        let mut token = vec![VERSION];
        serde_json::to_writer(&mut token, cursor).map_err(|_| Malformed::new("the cursor cannot be JSON"))?;
        let Some(mac) = mac(&self.secret, kind, binding, token.get(1..).unwrap_or_default()) else {
            return Err(Malformed::new("the seal has no key"));
        };
        token.extend(mac.finalize().into_bytes().into_iter().take(TAG_BYTES));
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Seals a cursor, for cursors that always are JSON (structs, tuples, numbers and texts).
    ///
    /// A cursor that is not gives the empty token, the end of the list. See [`PageSeal::try_seal`].
    pub fn seal(&self, kind: &str, binding: &[u8], cursor: &impl Serialize) -> String {
        self.try_seal(kind, binding, cursor).unwrap_or_default()
    }

    /// Opens a token sealed for the same kind and binding.
    ///
    /// # Errors
    /// [`Malformed`] when it was not: altered, of another list, organization, filter, order or version. One reason
    /// for all, so that nobody learns how close a guess was.
    pub fn open<T: DeserializeOwned>(&self, kind: &str, binding: &[u8], token: &str) -> Result<T, Malformed> {
        self.cursor(kind, binding, token).ok_or_else(|| {
            Malformed::new("this token was not given for this request: start again without it")
        })
    }

    fn cursor<T: DeserializeOwned>(&self, kind: &str, binding: &[u8], token: &str) -> Option<T> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (cursor, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        if *version != VERSION {
            return None;
        }
        let secrets = std::iter::once(&*self.secret).chain(self.before.iter().map(Vec::as_slice));
        // In constant time, so that a tag cannot be found byte by byte.
        let sealed = |secret: &[u8]| {
            mac(secret, kind, binding, cursor).is_some_and(|mac| mac.verify_truncated_left(tag).is_ok())
        };
        if !secrets.into_iter().any(sealed) {
            return None;
        }
        serde_json::from_slice(cursor).ok()
    }
}

/// `None` cannot happen: HMAC takes keys of every length.
fn mac(secret: &[u8], kind: &str, binding: &[u8], cursor: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(&[VERSION]);
    // The kind is the only part of free length before the end, so its length keeps the parts apart.
    mac.update(&(kind.len() as u64).to_be_bytes());
    mac.update(kind.as_bytes());
    mac.update(&Sha256::digest(binding));
    mac.update(cursor);
    Some(mac)
}

impl fmt::Debug for PageSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageSeal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{PageSeal, URL_SAFE_NO_PAD};
    use base64::Engine;
    use proptest::prelude::*;

    fn seal() -> PageSeal {
        PageSeal::new(&[7; 32])
    }

    #[test]
    fn a_token_opens_where_it_was_given() {
        let token = seal().seal("notes.list", b"acme/open", &(5_i64, "x"));
        assert_eq!(seal().open::<(i64, String)>("notes.list", b"acme/open", &token), Ok((5, "x".to_owned())));
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }

    #[test]
    fn a_token_opens_nowhere_else() {
        let token = seal().seal("notes.list", b"acme/open", &1);
        assert!(seal().open::<i32>("notes.list", b"other/open", &token).is_err(), "other binding");
        assert!(seal().open::<i32>("notes.search", b"acme/open", &token).is_err(), "other kind");
        assert!(
            PageSeal::new(&[8; 32]).open::<i32>("notes.list", b"acme/open", &token).is_err(),
            "other secret"
        );
        assert!(seal().open::<String>("notes.list", b"acme/open", &token).is_err(), "other cursor");
    }

    // D4
    #[test]
    fn what_was_sealed_with_a_secret_before_opens_and_nothing_new_is_sealed_with_it() {
        let (old, new) = (PageSeal::new(&[1; 32]), PageSeal::new(&[2; 32]));
        let token = old.seal("k", b"b", &"cursor");
        assert!(new.open::<String>("k", b"b", &token).is_err());
        let rotated = new.clone().and_before(vec![vec![3; 32], vec![1; 32]]);
        assert_eq!(rotated.open::<String>("k", b"b", &token), Ok("cursor".to_owned()));
        assert_eq!(rotated.seal("k", b"b", &1), new.seal("k", b"b", &1));
        assert!(rotated.open::<String>("k", b"x", &token).is_err(), "other binding");
    }

    #[test]
    fn a_token_of_another_version_is_refused() {
        let token = seal().seal("k", b"b", &1);
        let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        bytes[0] = 2;
        assert!(seal().open::<i32>("k", b"b", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let token = URL_SAFE_NO_PAD.decode(seal().seal("k", b"b", &"cursor")).unwrap();
        for bit in 0..token.len() * 8 {
            let mut forged = token.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(seal().open::<String>("k", b"b", &URL_SAFE_NO_PAD.encode(forged)).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_opens(kind in ".{0,20}", binding in any::<Vec<u8>>(), cursor in any::<(i64, String)>()) {
            let token = seal().seal(&kind, &binding, &cursor);
            prop_assert_eq!(seal().open::<(i64, String)>(&kind, &binding, &token), Ok(cursor));
        }

        #[test]
        fn no_text_opens_or_panics(token in ".{0,200}") {
            prop_assert!(seal().open::<serde_json::Value>("k", b"b", &token).is_err());
        }
    }
}
