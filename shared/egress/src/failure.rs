//! Why no answer came.

/// Why a request got no answer. It names no address, host or path: those may carry secrets and end up in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The URL is not one that may be called: not https, without a host, with a password.
    #[error("this URL may not be called")]
    BadUrl,
    /// The host is, or resolves only to, special addresses: private networks, this machine, reserved ranges.
    #[error("the host has no public address")]
    SpecialAddress,
    /// The name does not resolve.
    #[error("the host name does not resolve")]
    Unresolved,
    /// Nobody takes the connection.
    #[error("no connection")]
    Unconnected,
    /// The other side's certificate, or its TLS, is not acceptable.
    #[error("TLS failed: certificate or protocol")]
    Tls,
    /// No answer within the time limit.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came over it is not HTTP.
    #[error("the connection broke before an answer came")]
    Broken,
}

impl Failure {
    /// Its name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadUrl => "bad_url",
            Self::SpecialAddress => "special_address",
            Self::Unresolved => "unresolved",
            Self::Unconnected => "unconnected",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
        }
    }

    /// Whether the same request can hardly ever succeed: the URL itself is refused.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::BadUrl | Self::SpecialAddress)
    }
}
