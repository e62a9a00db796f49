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
