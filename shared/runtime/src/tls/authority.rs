//! A certificate authority for development and tests, so that nobody needs one to begin. In production something else issues and renews
//! certificates: cert-manager, or the authority of the house.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::{Clock, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Clocks differ.
const EARLIER: Duration = Duration::from_secs(60 * 60);

const NAME: &str = "Backchannel development authority";

/// An authority of one's own. Whoever reads its folder can be any service: not for production.
pub struct DevAuthority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    clock: Clock,
}

/// A certificate and its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS#8).
    pub key: String,
}

/// Why there is no authority, or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum DevAuthorityError {
    /// The folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file it happened at.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is there, or what was asked for, cannot be used.
    #[error("{0}")]
    Unusable(#[from] rcgen::Error),
}

impl DevAuthority {
    /// Its certificate's file: what `tls.authority` names.
    pub const CERTIFICATE: &'static str = "ca.crt";

    /// Its private key's file, readable by its owner only.
    pub const KEY: &'static str = "ca.key";

    /// How long it is good for.
    const LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

    /// The authority in this folder, made now if there is none.
    ///
    /// # Errors
    /// [`DevAuthorityError`].
    pub fn load_or_make(folder: &Path, clock: Clock) -> Result<Self, DevAuthorityError> {
        let (certificate, key) = (folder.join(Self::CERTIFICATE), folder.join(Self::KEY));
        if !key.try_exists().map_err(at(&key))? {
            let made = KeyPair::generate()?;
            let signed = params(&clock)?.self_signed(&made)?;
            put(&certificate, &signed.pem(), Reader::Everybody)?;
            put(&key, &made.serialize_pem(), Reader::Owner)?;
        }
        let pair = KeyPair::from_pem(&fs::read_to_string(&key).map_err(at(&key))?)?;
        let certificate = fs::read_to_string(&certificate).map_err(at(&certificate))?;
        Ok(Self { certificate, issuer: Issuer::new(params(&clock)?, pair), clock })
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A new certificate with a new key, from now, for a host of these names and addresses: to serve with, and to call with.
    ///
    /// # Errors
    /// [`DevAuthorityError`] if a name cannot be one.
    pub fn issue(&self, names: &[&str], life: Duration) -> Result<Issued, DevAuthorityError> {
        let key = KeyPair::generate()?;
        let mut params =
            CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
        params.distinguished_name = called(names.first().unwrap_or(&"nobody"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        good_for(&mut params, self.clock.now(), life);
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem() })
    }

    /// Issues a certificate into a folder, as secrets of Kubernetes have them: `tls.crt`, `tls.key`, `ca.crt`. What is there is replaced.
    ///
    /// # Errors
    /// [`DevAuthorityError`].
    pub fn issue_into(&self, folder: &Path, names: &[&str], days: u32) -> Result<(), DevAuthorityError> {
        let issued = self.issue(names, DAY * days)?;
        fs::create_dir_all(folder).map_err(at(folder))?;
        put(&folder.join(Self::CERTIFICATE), &self.certificate, Reader::Everybody)?;
        // In this order: a process that looks in between finds that they do not belong together, and looks again.
        put(&folder.join("tls.key"), &issued.key, Reader::Owner)?;
        put(&folder.join("tls.crt"), &issued.certificate, Reader::Everybody)
    }
}

/// The authority itself. Its certificate is made once; what it signs names it as this does.
fn params(clock: &Clock) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = called(NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    good_for(&mut params, clock.now(), DevAuthority::LIFE);
    Ok(params)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn good_for(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let since_1970 = |moment: Timestamp| moment.since(Timestamp::from_micros(0));
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(now.minus(EARLIER));
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(now.plus(life));
}

#[derive(Clone, Copy)]
enum Reader {
    Everybody,
    Owner,
}

/// Written whole under another name, then put in place.
fn put(file: &Path, text: &str, reader: Reader) -> Result<(), DevAuthorityError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match reader {
            Reader::Everybody => 0o644,
            Reader::Owner => 0o600,
        },
    );
    let mut open = options.open(&beside).map_err(at(&beside))?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(at(&beside))?;
    fs::rename(&beside, file).map_err(at(file))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DevAuthorityError + use<> {
    let path = path.to_owned();
    move |error| DevAuthorityError::Io { path, error }
}
