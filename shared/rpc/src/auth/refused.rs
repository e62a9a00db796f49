//! Why a token was refused.

use proto::common::v1::ErrorReason;
use tonic::Code;

use crate::Fault;

/// Why a call's token was refused. Never carries anything of the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// There is no `authorization` header.
    #[error("a bearer token is required")]
    Missing,
    /// There are several `authorization` headers, or it is not `Bearer <token>`.
    #[error("authorization must be one bearer token")]
    NotOneBearer,
    /// Not a JWT of ours by its form.
    #[error("the token is malformed")]
    Malformed,
    /// The key id names none of our keys.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The algorithm is not the one of the key.
    #[error("the token's algorithm is not the one of its key")]
    WrongAlgorithm,
    /// The token demands something that we do not understand (`crit`).
    #[error("the token demands an extension")]
    Critical,
    /// The signature does not fit.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// A claim is missing or is not what it must be.
    #[error("the token's claim {0} is missing or malformed")]
    BadClaim(&'static str),
    /// Made by somebody else.
    #[error("the token's issuer is not trusted here")]
    WrongIssuer,
    /// Made for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYet,
}

impl TokenRefused {
    fn reason(self) -> ErrorReason {
        match self {
            Self::Missing => ErrorReason::TokenMissing,
            Self::Expired | Self::NotYet => ErrorReason::TokenExpired,
            _ => ErrorReason::TokenInvalid,
        }
    }
}

impl From<TokenRefused> for Fault {
    fn from(refused: TokenRefused) -> Self {
        Self::new(Code::Unauthenticated, refused.reason(), refused.to_string())
    }
}
