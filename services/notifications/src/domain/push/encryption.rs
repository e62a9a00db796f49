//! What only the browser can read: RFC 8291 on the content coding `aes128gcm` of RFC 8188.
//!
//! The browser's key and one that is made for this message agree on a secret; that, the secret shared at subscription and a salt give
//! the key and the nonce of one record. Elliptic curve, HKDF and AES-GCM are those of crates; what is here is their order.

use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{SecretKey, ecdh};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::Sha256;

use crate::domain::device::BrowserKeys;

/// The most that is sent: what every push service takes (RFC 8030, section 7.2), and the size of the one record.
const BODY: usize = 4096;
/// Salt, size of a record, length of the key, key.
const HEADER: usize = 16 + 4 + 1 + 65;
/// What marks the last record, and the tag.
const OVERHEAD: usize = 1 + 16;

/// The longest message, in bytes.
pub const PLAIN: usize = BODY - HEADER - OVERHEAD;

/// Why a message was not encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// It is longer than [`PLAIN`].
    #[error("the message is too long")]
    TooLong,
    /// The system gives no random numbers, or a cipher refused its input, which none does.
    #[error("no encryption")]
    Broken,
}

/// What is made anew for each message.
pub struct Fresh {
    key: SecretKey,
    salt: [u8; 16],
}

impl Fresh {
    /// From the system's random numbers.
    ///
    /// # Errors
    /// [`Unsealed::Broken`].
    pub fn random() -> Result<Self, Unsealed> {
        let (mut key, mut salt) = ([0; 32], [0; 16]);
        let random = SystemRandom::new();
        random.fill(&mut key).and_then(|()| random.fill(&mut salt)).map_err(|_| Unsealed::Broken)?;
        // One number in four thousand million is no key.
        let key = SecretKey::from_slice(&key).map_err(|_| Unsealed::Broken)?;
        Ok(Self { key, salt })
    }
}

/// Encrypts a message for a browser: the body of the request to its push service.
///
/// # Errors
/// [`Unsealed`].
pub fn seal(plain: &[u8], to: &BrowserKeys, fresh: Fresh) -> Result<Vec<u8>, Unsealed> {
    if plain.len() > PLAIN {
        return Err(Unsealed::TooLong);
    }
    let Fresh { key, salt } = fresh;
    let ours = key.public_key().to_encoded_point(false).as_bytes().to_vec();
    let (content_key, nonce) = derive(&key, &ours, to, &salt)?;

    let mut record = Vec::with_capacity(plain.len() + OVERHEAD);
    record.extend_from_slice(plain);
    record.push(2); // the last record
    let content_key = UnboundKey::new(&AES_128_GCM, &content_key).map_err(|_| Unsealed::Broken)?;
    LessSafeKey::new(content_key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .map_err(|_| Unsealed::Broken)?;

    let mut body = Vec::with_capacity(HEADER + record.len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&(BODY as u32).to_be_bytes());
    body.push(ours.len() as u8);
    body.extend_from_slice(&ours);
    body.extend_from_slice(&record);
    Ok(body)
}

/// The key and the nonce of the record.
fn derive(
    key: &SecretKey,
    ours: &[u8],
    to: &BrowserKeys,
    salt: &[u8],
) -> Result<([u8; 16], [u8; NONCE_LEN]), Unsealed> {
    let agreed = ecdh::diffie_hellman(key.to_nonzero_scalar(), to.public().as_affine());
    let info = [b"WebPush: info\0".as_slice(), &to.public_bytes(), ours].concat();
    let mut secret = [0; 32];
    expand(to.secret(), agreed.raw_secret_bytes(), &info, &mut secret)?;
    let (mut content_key, mut nonce) = ([0; 16], [0; NONCE_LEN]);
    expand(salt, &secret, b"Content-Encoding: aes128gcm\0", &mut content_key)?;
    expand(salt, &secret, b"Content-Encoding: nonce\0", &mut nonce)?;
    Ok((content_key, nonce))
}

fn expand(salt: &[u8], secret: &[u8], info: &[u8], into: &mut [u8]) -> Result<(), Unsealed> {
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, into).map_err(|_| Unsealed::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn example() -> Fresh {
        let key = BASE64.decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap();
        let salt = BASE64.decode("DGv6ra1nlYgDCS1FRnbzlw").unwrap();
        Fresh { key: SecretKey::from_slice(&key).unwrap(), salt: salt.try_into().unwrap() }
    }

    // D5
    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_for_byte() {
        let to = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let body = seal(b"When I grow up, I want to be a watermelon", &to, example()).unwrap();
        assert_eq!(
            BASE64.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P\
             Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    // D5
    #[test]
    fn nothing_longer_is_sent_than_every_push_service_takes() {
        let to = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let longest = vec![7; PLAIN];
        assert_eq!(seal(&longest, &to, Fresh::random().unwrap()).unwrap().len(), 4096);
        assert_eq!(seal(&vec![7; PLAIN + 1], &to, Fresh::random().unwrap()), Err(Unsealed::TooLong));
    }

    // D5
    #[test]
    fn no_two_messages_share_a_key_or_a_salt() {
        let to = BrowserKeys::parse(P256DH, AUTH).unwrap();
        let [one, other] = [(); 2].map(|()| seal(b"same", &to, Fresh::random().unwrap()).unwrap());
        assert!(one[..16] != other[..16] && one[21..86] != other[21..86] && one[86..] != other[86..]);
    }
}
