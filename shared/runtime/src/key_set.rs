//! The configured key set, read again when its file changes: identity providers rotate keys, and no process restarts
//! for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rpc::auth::KeysError;
use rpc::{Keys, Signer, Verifier};
use tokio_util::sync::CancellationToken;

/// Between two looks at the file.
const EVERY: Duration = Duration::from_secs(10);

/// The keys of a JWKS file, and the process's own, which its peers' processes sign with as well.
#[derive(Clone)]
pub(crate) struct KeySet {
    file: PathBuf,
    own: String,
    /// What the last look found: the file's text, or why there was none.
    found: Result<String, String>,
}

impl KeySet {
    /// The key set of a file that was just read.
    pub(crate) fn of(file: &Path, text: String, signer: &Signer) -> Self {
        KeySet { file: file.to_owned(), own: signer.jwks(), found: Ok(text) }
    }

    /// How many keys the file has beside our own.
    pub(crate) fn of_others(&self) -> usize {
        let both = self.found.as_ref().ok().zip(Keys::from_jwks(&self.own).ok());
        both.and_then(|(text, own)| Some(Keys::from_jwks(text).ok()?.beside(&own))).unwrap_or_default()
    }

    /// Its keys.
    pub(crate) fn keys(&self) -> Result<Keys, UnusableSet> {
        let text = self.found.as_ref().map_err(|error| UnusableSet::NoFile(error.clone()))?;
        let people = Keys::from_jwks(text)?;
        // The set may have the signing key's public half already, but it may not put another key in its place.
        Ok(people.under(Keys::from_jwks(&self.own)?))
    }

    /// Gives the verifier other keys whenever the file has changed, until `stop`. A file that cannot be used changes
    /// nothing: tokens that were good stay good.
    pub(crate) async fn keep_up(mut self, verifier: Verifier, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            // The text is compared, not the modification time: that of a copied or mounted file may be any, and a file
            // that was read half written may have the same a moment later.
            let found = tokio::fs::read_to_string(&self.file).await.map_err(|error| error.to_string());
            if found == self.found {
                continue;
            }
            self.found = found;
            match self.keys() {
                Ok(keys) => {
                    verifier.replace_keys(keys);
                    tracing::info!(file = %self.file.display(), "the key set has changed and is in force");
                }
                Err(error) => {
                    let file = self.file.display();
                    tracing::warn!(%file, %error, "the key set cannot be used; the keys from before stay in force");
                }
            }
        }
    }
}

/// The public keys that people's tokens are verified with, for others who verify them: the edge.
#[derive(Debug, Clone)]
pub(crate) enum PublicKeys {
    /// Those of a file, as it is when they are asked for.
    File(PathBuf),
    /// A set that never changes.
    Fixed(String),
}

/// What of a key may be shown. Whoever wrote the file may have left a private half in it.
const PUBLIC_MEMBERS: [&str; 9] = ["kty", "crv", "alg", "use", "kid", "x", "y", "n", "e"];

impl PublicKeys {
    /// The set, as JSON. `None` where there is no file, or no key set in it.
    pub(crate) async fn read(&self) -> Option<String> {
        match self {
            PublicKeys::File(file) => public_half(&tokio::fs::read_to_string(file).await.ok()?),
            PublicKeys::Fixed(set) => public_half(set),
        }
    }
}

fn public_half(set: &str) -> Option<String> {
    let mut set: serde_json::Value = serde_json::from_str(set).ok()?;
    for key in set.get_mut("keys")?.as_array_mut()? {
        key.as_object_mut()?.retain(|member, _| PUBLIC_MEMBERS.contains(&member.as_str()));
    }
    Some(serde_json::json!({ "keys": set.get("keys")? }).to_string())
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableSet {
    /// The file cannot be read.
    #[error("{0}")]
    NoFile(String),
    /// Its text is no key set.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

#[cfg(test)]
mod tests {
    use super::public_half;

    // G1
    #[test]
    fn a_published_key_set_has_no_private_half() {
        let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA","d":"secret"}],"note":"mine"}"#;
        let published: serde_json::Value = serde_json::from_str(&public_half(set).unwrap()).unwrap();
        let key = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "AA"});
        assert_eq!(published, serde_json::json!({ "keys": [key] }));
        assert_eq!(public_half("{"), None);
        assert_eq!(public_half(r#"{"keys":["a"]}"#), None);
    }
}
