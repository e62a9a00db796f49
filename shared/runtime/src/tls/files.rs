//! The files of TLS: read whole, then looked at as far as one can without a peer.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode, SliceReader, Tag, Tagged};
use kernel::Timestamp;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ConfigError, TlsFiles};

/// What is wrong with a file of TLS, and which setting names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    key: &'static str,
    reason: String,
}

impl Unusable {
    pub(super) fn because(key: &'static str, reason: impl fmt::Display) -> Self {
        Self { key, reason: reason.to_string() }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unusable {}

impl From<Unusable> for ConfigError {
    fn from(unusable: Unusable) -> Self {
        ConfigError::bad_value(unusable.key, unusable.reason)
    }
}

/// A file as it was read.
#[derive(Clone, PartialEq, Eq)]
struct File {
    path: PathBuf,
    text: Vec<u8>,
}

/// The files as they were read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Found {
    certificate: Option<File>,
    key: Option<File>,
    authority: Option<File>,
}

impl Found {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, Unusable> {
        Ok(Self {
            certificate: read("tls.certificate", files.certificate.as_deref())?,
            key: read("tls.key", files.key.as_deref())?,
            authority: read("tls.authority", files.authority.as_deref())?,
        })
    }

    /// What they hold.
    pub(super) fn material(&self) -> Result<Material, Unusable> {
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some(Identity {
                chain: certificates("tls.certificate", certificate)?,
                key: PrivateKeyDer::from_pem_slice(&key.text).map_err(|error| {
                    Unusable::because("tls.key", format_args!("{}: {error}", key.path.display()))
                })?,
            }),
            _ => None,
        };
        let authority = match &self.authority {
            Some(file) => Some(certificates("tls.authority", file)?),
            None => None,
        };
        Ok(Material { identity, authority })
    }
}

fn read(key: &'static str, path: Option<&Path>) -> Result<Option<File>, Unusable> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read(path)
        .map_err(|error| Unusable::because(key, format_args!("{}: {error}", path.display())))?;
    Ok(Some(File { path: path.to_owned(), text }))
}

fn certificates(key: &'static str, file: &File) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let wrong =
        |what: &dyn fmt::Display| Unusable::because(key, format_args!("{}: {what}", file.path.display()));
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file.text).collect();
    let found = found.map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"there is no certificate in it")) } else { Ok(found) }
}

/// A certificate with those between it and its authority, and its private key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// What the files hold.
pub(crate) struct Material {
    pub(crate) identity: Option<Identity>,
    pub(crate) authority: Option<Vec<CertificateDer<'static>>>,
}

impl Material {
    /// What is in the files now.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, Unusable> {
        Found::read(files)?.material()
    }

    /// Whom to trust: the authority, or else whoever the system trusts.
    pub(crate) fn roots(&self) -> Result<Arc<RootCertStore>, Unusable> {
        let mut roots = RootCertStore::empty();
        let Some(authority) = &self.authority else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(Arc::new(roots));
        };
        for certificate in authority {
            roots.add(certificate.clone()).map_err(|error| Unusable::because("tls.authority", error))?;
        }
        Ok(Arc::new(roots))
    }
}

/// From when until when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
}

impl Validity {
    /// Reads it (RFC 5280, 4.1). `None` where that is no certificate of version 3.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let outer = AnyRef::from_der(certificate).ok()?;
        let signed = inner(outer, 0)?;
        // After version, serial number, algorithm and issuer.
        let validity = inner(signed, 4)?;
        Some(Self { begins: time(inner(validity, 0)?)?, ends: time(inner(validity, 1)?)? })
    }
}

/// The part of a sequence at this place.
fn inner(sequence: AnyRef<'_>, place: usize) -> Option<AnyRef<'_>> {
    let mut parts = SliceReader::new(sequence.value()).ok()?;
    for _ in 0..place {
        AnyRef::decode(&mut parts).ok()?;
    }
    AnyRef::decode(&mut parts).ok()
}

fn time(of: AnyRef<'_>) -> Option<Timestamp> {
    let since_1970: Duration = match of.tag() {
        Tag::UtcTime => of.decode_as::<UtcTime>().ok()?.to_unix_duration(),
        Tag::GeneralizedTime => of.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
        _ => return None,
    };
    Some(Timestamp::from_micros(0).plus(since_1970))
}
