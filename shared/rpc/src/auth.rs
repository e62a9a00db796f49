//! Who calls: bearer tokens (JWT), the keys that may sign them, and making tokens of our own.
//!
//! The rules are those of RFC 8725: the algorithm comes from the key and never from the token, every claim that says for
//! whom and until when is required, and nothing in a token can make the verifier fetch or trust anything.

mod cache;
mod claims;
mod dev_key;
mod keys;
mod refused;
mod signer;
mod verifier;

pub use dev_key::{DevKey, DevKeyError};
pub use keys::{Keys, KeysError};
pub use refused::TokenRefused;
pub use signer::{BadKey, DEV_ISSUER, Signer, TokenSpec};
pub use verifier::{AUDIENCE, ServiceKey, Verifier};
