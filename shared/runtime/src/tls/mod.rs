//! TLS of a process: what it serves with, and what it calls its peers with.
//!
//! | to read about | open |
//! |---|---|
//! | the files, and what is wrong with them | `files` |
//! | what rustls is told | `settings` |
//! | connections that others make | `accept` |
//! | connections to others ([`Dialer`]) | `dial` |
//! | files that change while the process runs | `renewal` |
//! | an authority for development and tests ([`DevAuthority`]) | `authority` |
//!
//! Sessions are never resumed: each handshake looks at both certificates, as they are then. Between services that keep their connections
//! it would save nothing.

mod accept;
mod authority;
mod dial;
mod files;
mod renewal;
mod settings;

use http::Uri;
use http::uri::Scheme;
use kernel::Clock;

use crate::config::{Config, ConfigError, Connections, TlsFiles};
use files::Found;
use renewal::{Renewal, renewed};
use settings::Settings;

pub(crate) use accept::{Acceptor, Stream};
pub use authority::{DevAuthority, DevAuthorityError, Issued};
pub use dial::Dialer;
pub use files::Unusable;
pub(crate) use files::{Material, Validity};
pub(crate) use settings::provider;

/// TLS of a process.
pub(crate) struct Tls {
    /// For those who call, where there is a certificate.
    pub(crate) acceptor: Option<Acceptor>,
    /// For peers.
    pub(crate) dialer: Dialer,
    /// Keeps both as the files are.
    pub(crate) renewal: Renewal,
}

impl Tls {
    /// As configured. `None` where nothing is encrypted.
    pub(crate) fn of(config: &Config, clock: &Clock) -> Result<Option<Self>, ConfigError> {
        let encrypted =
            |address: &String| address.parse().is_ok_and(|uri: Uri| uri.scheme() == Some(&Scheme::HTTPS));
        let calls = config.peers.all().into_iter().any(|(_, address)| address.is_some_and(encrypted));
        if config.tls == TlsFiles::default() && !calls {
            return Ok(None);
        }
        Self::read(&config.tls, &config.connections, clock).map(Some)
    }

    fn read(files: &TlsFiles, bounds: &Connections, clock: &Clock) -> Result<Self, ConfigError> {
        complete(files)?;
        let found = Found::read(files)?;
        let Settings { server, client } = Settings::of(&found.material()?, files.mutual, clock)?;
        let (changed, now) = renewed(server, client);
        let acceptor = now.server.map(|server| Acceptor::new(server, bounds));
        let renewal = Renewal::new(files.clone(), clock.clone(), found, changed);
        Ok(Self { acceptor, dialer: Dialer::new(now.client), renewal })
    }
}

/// Refuses half a configuration.
fn complete(files: &TlsFiles) -> Result<(), ConfigError> {
    let needed = |key: &str, by: &str| Err(ConfigError::bad_value(key, format_args!("needed with {by}")));
    match files {
        TlsFiles { certificate: Some(_), key: None, .. } => {
            needed("tls.key", "tls.certificate, whose private key it is")
        }
        TlsFiles { certificate: None, key: Some(_), .. } => {
            needed("tls.certificate", "tls.key, to which it belongs")
        }
        TlsFiles { certificate: None, mutual: true, .. } => {
            needed("tls.certificate", "tls.mutual, as callers show theirs only over TLS")
        }
        TlsFiles { authority: None, mutual: true, .. } => {
            needed("tls.authority", "tls.mutual, to say whose certificates callers must show")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P8
    #[test]
    fn half_a_configuration_is_refused_with_the_setting_that_is_missing() {
        let some = || Some("x.pem".into());
        let none = TlsFiles::default();
        for (files, missing) in [
            (TlsFiles { certificate: some(), ..none.clone() }, "tls.key: needed with tls.certificate"),
            (TlsFiles { key: some(), ..none.clone() }, "tls.certificate: needed with tls.key"),
            (TlsFiles { mutual: true, ..none.clone() }, "tls.certificate: needed with tls.mutual"),
            (
                TlsFiles { certificate: some(), key: some(), mutual: true, ..none.clone() },
                "tls.authority: needed with tls.mutual",
            ),
        ] {
            let refused = complete(&files).unwrap_err().to_string();
            assert!(refused.contains(missing), "{refused}");
        }
        assert!(complete(&none).is_ok());
    }
}
