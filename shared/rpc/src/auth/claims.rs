//! What a token says, after its signature was found to fit.

use std::time::Duration;

use kernel::{OrgId, Role, Subject, Timestamp};
use serde::Deserialize;

use super::{ServiceKey, TokenRefused};
use crate::Caller;

/// How far two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// The last second of the year 9999: later times are mistakes, such as milliseconds for seconds.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The longest display name that is kept, in characters.
const NAME_MAX: usize = 200;

#[derive(Deserialize)]
pub(super) struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    org: Option<String>,
    role: Option<String>,
    name: Option<serde_json::Value>,
    preferred_username: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Whom a token must be made by and for.
pub(super) struct Expected<'a> {
    pub(super) issuers: &'a [String],
    /// Of the services' own tokens, where they are told apart.
    pub(super) services: Option<&'a ServiceKey>,
    /// The key that signed the token.
    pub(super) key_id: &'a str,
    pub(super) audience: &'a str,
    pub(super) now: Timestamp,
}

impl Claims {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenRefused> {
        serde_json::from_slice(json).map_err(|_| TokenRefused::Malformed)
    }

    /// The caller, if every required claim is there and fits.
    pub(super) fn admit(self, expected: &Expected<'_>, token: &str) -> Result<Caller, TokenRefused> {
        let expires = moment(self.exp).ok_or(TokenRefused::BadClaim("exp"))?;
        let not_before = moment(self.nbf).ok_or(TokenRefused::BadClaim("nbf"))?;
        if expected.now >= expires.plus(LEEWAY) {
            return Err(TokenRefused::Expired);
        }
        if expected.now.plus(LEEWAY) < not_before {
            return Err(TokenRefused::NotYet);
        }
        let issuer = self.iss.ok_or(TokenRefused::BadClaim("iss"))?;
        if !expected.issuers.contains(&issuer) {
            return Err(TokenRefused::WrongIssuer);
        }
        match self.aud.ok_or(TokenRefused::BadClaim("aud"))? {
            Audience::One(one) if one == expected.audience => {}
            Audience::Several(several) if several.iter().any(|one| one == expected.audience) => {}
            _ => return Err(TokenRefused::WrongAudience),
        }
        let subject = required(self.sub, "sub", Subject::parse)?;
        let org = required(self.org, "org", OrgId::parse)?;
        let role = required(self.role, "role", Role::parse)?;
        if let Some(services) = expected.services {
            let theirs = issuer == services.issuer;
            if theirs && expected.key_id != services.key_id {
                return Err(TokenRefused::WrongIssuer);
            }
            if role == Role::Service && !theirs {
                return Err(TokenRefused::BadClaim("role"));
            }
        }
        let person = format!("{org}/{subject}").into();
        let (name, username) = (display(self.name), display(self.preferred_username));
        Ok(Caller { org, subject, role, expires, name, username, token: token.into(), person })
    }
}

fn required<T, E>(
    claim: Option<String>,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, TokenRefused> {
    claim.and_then(|text| parse(&text).ok()).ok_or(TokenRefused::BadClaim(name))
}

/// A NumericDate (RFC 7519): seconds, perhaps with a fraction.
fn moment(seconds: Option<f64>) -> Option<Timestamp> {
    let seconds = seconds.filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))?;
    Some(Timestamp::from_micros(0).plus(Duration::from_secs_f64(seconds)))
}

/// Display names end in mail headers and on screens: control characters would be an attack, so such a name is dropped.
fn display(claim: Option<serde_json::Value>) -> Option<String> {
    let text = claim?.as_str()?.trim().to_owned();
    let fit = !text.is_empty() && text.chars().count() <= NAME_MAX && !text.chars().any(char::is_control);
    fit.then_some(text)
}
