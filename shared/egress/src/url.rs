//! Which URLs may be named at all.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;
use kernel::Malformed;

use crate::settings::EgressSettings;
use crate::special::is_special;

/// The longest URL, in bytes.
pub const URL_MAX: usize = 2048;

/// A URL that may be called, as far as one can tell without asking for its name: what it resolves to is checked at each connect.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(Uri);

/// Its path may be a secret.
impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Url(..)")
    }
}

impl Url {
    /// For a request.
    pub fn uri(&self) -> Uri {
        self.0.clone()
    }

    /// The host, as it was written, in lower case: what a destination is known by.
    pub fn host(&self) -> String {
        self.0.host().unwrap_or_default().to_ascii_lowercase()
    }

    /// Reads a URL under these settings.
    ///
    /// # Errors
    /// [`Malformed`], in words for whoever named it.
    pub fn parse(text: &str, settings: &EgressSettings) -> Result<Self, Malformed> {
        let wrong = |reason: &'static str| Err(Malformed::new(reason));
        if text.len() > URL_MAX {
            return wrong("must have at most 2048 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("must be ASCII without spaces; encode other characters");
        }
        if text.contains('#') {
            return wrong("must have no fragment (#)");
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return wrong("must be an absolute URL such as https://example.com/hook");
        };
        check(&uri, settings)?;
        Ok(Self(uri))
    }
}

/// What can be told of a URL by looking at it.
///
/// # Errors
/// [`Malformed`], in words for whoever named it.
pub(crate) fn check(uri: &Uri, settings: &EgressSettings) -> Result<(), Malformed> {
    let wrong = |reason: &'static str| Err(Malformed::new(reason));
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => {}
        Some(scheme) if *scheme == Scheme::HTTP && settings.allow_http => {}
        _ => return wrong("must begin with https://"),
    }
    let Some(authority) = uri.authority() else { return wrong("must name a host") };
    if authority.as_str().contains('@') {
        return wrong("must not contain a user or password");
    }
    // `host:` and `host:99999` parse as authorities.
    let after_host = &authority.as_str()[authority.host().len()..];
    if !after_host.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return wrong("must have a port from 1 to 65535, or none");
    }
    if bare(authority.host()).is_empty() {
        return wrong("must name a host");
    }
    let literal: Option<IpAddr> = bare(authority.host()).parse().ok();
    if literal.is_some_and(is_special) && !settings.allow_private_addresses {
        return wrong("must be an address on the public internet");
    }
    Ok(())
}

/// A host without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
