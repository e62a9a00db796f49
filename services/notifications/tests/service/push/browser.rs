//! A browser: it subscribes, and reads what was encrypted for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hkdf::Hkdf;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey, ecdh};
use proto::notifications::v1 as pb;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::Value;
use sha2::Sha256;

use super::outside::Seen;

/// A browser with one subscription.
pub(crate) struct Browser {
    key: SecretKey,
    secret: [u8; 16],
}

impl Browser {
    pub(crate) fn new() -> Self {
        let key: [u8; 32] = rand::random();
        Self { key: SecretKey::from_slice(&key).unwrap(), secret: rand::random() }
    }

    fn public(&self) -> Vec<u8> {
        self.key.public_key().to_encoded_point(false).as_bytes().to_vec()
    }

    /// What its `PushManager` gives.
    pub(crate) fn subscription(&self, endpoint: &str) -> pb::WebPushSubscription {
        pb::WebPushSubscription {
            endpoint: endpoint.to_owned(),
            p256dh: BASE64.encode(self.public()),
            auth: BASE64.encode(self.secret),
        }
    }

    /// The bytes of a message (RFC 8188, RFC 8291, read from the receiver's side).
    pub(crate) fn read_bytes(&self, body: &[u8]) -> Vec<u8> {
        assert!(body.len() <= 4096, "{} bytes", body.len());
        let (salt, rest) = body.split_at(16);
        let (record_size, rest) = rest.split_at(4);
        assert_eq!(u32::from_be_bytes(record_size.try_into().unwrap()), 4096);
        assert_eq!(rest[0], 65, "the sender's key, uncompressed");
        let (sender, record) = rest[1..].split_at(65);
        let theirs = PublicKey::from_sec1_bytes(sender).unwrap();
        let agreed = ecdh::diffie_hellman(self.key.to_nonzero_scalar(), theirs.as_affine());
        let mut info = b"WebPush: info\0".to_vec();
        info.extend(self.public());
        info.extend(sender);
        let mut secret = [0; 32];
        Hkdf::<Sha256>::new(Some(&self.secret), agreed.raw_secret_bytes())
            .expand(&info, &mut secret)
            .unwrap();
        let keys = Hkdf::<Sha256>::new(Some(salt), &secret);
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        keys.expand(b"Content-Encoding: aes128gcm\0", &mut key).unwrap();
        keys.expand(b"Content-Encoding: nonce\0", &mut nonce).unwrap();
        let mut record = record.to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let plain =
            key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).unwrap();
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap();
        assert_eq!(plain[end], 2, "the last record");
        plain[..end].to_vec()
    }

    /// What its service worker is given.
    pub(crate) fn read(&self, push: &Seen) -> Value {
        assert_eq!(push.header("content-encoding"), "aes128gcm");
        serde_json::from_slice(&self.read_bytes(&push.body)).unwrap()
    }
}

/// The claims of a request's VAPID token, which the key beside it has signed; and that key.
pub(crate) fn vapid(push: &Seen) -> (Value, String) {
    let said = push.header("authorization");
    let (token, key) = said.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = VerifyingKey::from_sec1_bytes(&BASE64.decode(key).unwrap()).unwrap();
    let signature = Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decoded = |part: &str| serde_json::from_slice::<Value>(&BASE64.decode(part).unwrap()).unwrap();
    assert_eq!((&decoded(header)["alg"], &decoded(header)["typ"]), (&"ES256".into(), &"JWT".into()));
    (decoded(claims), key.to_owned())
}
