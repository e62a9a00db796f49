//! The key that `backchannel up` makes on its first start, so that nobody needs an identity provider to begin.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kernel::Clock;
use rand::TryRngCore;

use super::{Keys, KeysError, Signer};

/// The public key beside [`DevKey::FILE`], for whoever else verifies (Envoy, another process).
const JWKS_FILE: &str = "jwks.json";

/// A development key. Whoever reads the data folder can be anybody: not for production.
#[derive(Clone)]
pub struct DevKey {
    signer: Signer,
}

/// Why there is no development key.
#[derive(Debug, thiserror::Error)]
pub enum DevKeyError {
    /// The folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file it happened at.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is there is no Ed25519 private key.
    #[error("{} is not an Ed25519 private key in PKCS#8 PEM", .0.display())]
    NotAKey(PathBuf),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    NoRandomness(String),
}

impl DevKey {
    /// The private key's file in the data folder (PKCS#8 PEM), readable by its owner only.
    pub const FILE: &'static str = "dev-key.pem";

    /// The key in this folder, made now if there is none. Safe when several processes start at once.
    ///
    /// # Errors
    /// [`DevKeyError`].
    pub fn load_or_make(dir: &Path, clock: Clock) -> Result<Self, DevKeyError> {
        let path = dir.join(Self::FILE);
        let pem = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(dir, &path)?;
                fs::read_to_string(&path).map_err(at(&path))?
            }
            found => found.map_err(at(&path))?,
        };
        let signer = Signer::from_pem(&pem, clock).map_err(|_| DevKeyError::NotAKey(path))?;
        publish(dir, &signer.jwks())?;
        Ok(Self { signer })
    }

    /// Mints tokens with the key.
    pub fn signer(&self) -> Signer {
        self.signer.clone()
    }

    /// The public key, as a set.
    ///
    /// # Errors
    /// [`KeysError`], never in practice.
    pub fn keys(&self) -> Result<Keys, KeysError> {
        Keys::from_jwks(&self.signer.jwks())
    }
}

/// Written whole under another name, then linked: whoever comes second finds a complete key and uses it.
fn make(dir: &Path, path: &Path) -> Result<(), DevKeyError> {
    let mut secret = [0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut secret)
        .map_err(|error| DevKeyError::NoRandomness(error.to_string()))?;
    let pem = SigningKey::from_bytes(&secret).to_pkcs8_pem(LineEnding::LF);
    let pem = pem.map_err(|_| DevKeyError::NotAKey(path.to_owned()))?;
    fs::create_dir_all(dir).map_err(at(dir))?;
    let draft = draft(dir, DevKey::FILE);
    write(&draft, pem.as_bytes(), 0o600)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(at(&draft))?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done.map_err(at(path)),
    }
}

fn publish(dir: &Path, jwks: &str) -> Result<(), DevKeyError> {
    let path = dir.join(JWKS_FILE);
    if fs::read_to_string(&path).is_ok_and(|there| there == jwks) {
        return Ok(());
    }
    let draft = draft(dir, JWKS_FILE);
    write(&draft, jwks.as_bytes(), 0o644)?;
    fs::rename(&draft, &path).map_err(at(&path))
}

fn draft(dir: &Path, file: &str) -> PathBuf {
    dir.join(format!("{file}.{:08x}", rand::random::<u32>()))
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), DevKeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(at(path))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DevKeyError {
    let path = path.to_owned();
    move |error| DevKeyError::Io { path, error }
}
