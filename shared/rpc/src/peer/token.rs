//! The tokens by which services know one another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{Clock, OrgId, Role, Subject, Timestamp};

use crate::Fault;
use crate::auth::{Signer, TokenSpec};

/// Short, as such a token may do what no person may.
const TTL: Duration = Duration::from_secs(5 * 60);

/// A token this near to its end is not used for another call.
const SPARE: Duration = Duration::from_secs(60);

/// How many organizations' tokens are kept before those ended are thrown out.
const ROOM: usize = 1_024;

/// Mints a service's own tokens, one per organization, and keeps each until near its end. Clones share them.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Inner>);

struct Inner {
    signer: Signer,
    template: TokenSpecTemplate,
    clock: Clock,
    kept: Mutex<HashMap<OrgId, (Arc<str>, Timestamp)>>,
}

struct TokenSpecTemplate {
    subject: Subject,
    issuer: Option<String>,
    audience: Option<String>,
}

impl ServiceTokens {
    /// Tokens of the service with this name, such as `notes`.
    pub fn new(signer: Signer, service: Subject, clock: Clock) -> Self {
        let template = TokenSpecTemplate { subject: service, issuer: None, audience: None };
        Self(Arc::new(Inner { signer, template, clock, kept: Mutex::default() }))
    }

    /// Tokens with another issuer and audience than those of development.
    pub fn issued(signer: Signer, service: Subject, clock: Clock, issuer: String, audience: String) -> Self {
        let template = TokenSpecTemplate { subject: service, issuer: Some(issuer), audience: Some(audience) };
        Self(Arc::new(Inner { signer, template, clock, kept: Mutex::default() }))
    }

    pub(super) fn bearer(&self, org: &OrgId) -> Result<Arc<str>, Fault> {
        let Inner { signer, template, clock, kept } = &*self.0;
        let now = clock.now();
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, ends)) = kept.get(org)
            && now.plus(SPARE) < *ends
        {
            return Ok(Arc::clone(token));
        }
        if kept.len() >= ROOM {
            kept.retain(|_, (_, ends)| now < *ends);
        }
        let mut spec = TokenSpec::new(org.clone(), template.subject.clone(), Role::Service);
        spec.ttl = TTL;
        if let (Some(issuer), Some(audience)) = (&template.issuer, &template.audience) {
            (spec.issuer, spec.audience) = (issuer.clone(), audience.clone());
        }
        let token: Arc<str> = signer.mint(&spec).map_err(Fault::internal)?.into();
        kept.insert(org.clone(), (Arc::clone(&token), now.plus(TTL)));
        Ok(token)
    }
}
