use http::header::AUTHORIZATION;

use super::{Handle, Inbound, Response, refuse};
use crate::Verifier;

/// Before anything that depends on who calls, because identity comes from a verified token and from nowhere else. Each
/// service verifies for itself, also behind a gateway that did: the network is not a proof. The header is taken off, so
/// that no handler can log it.
pub(crate) struct Authenticate<N> {
    pub(crate) verifier: Verifier,
    pub(crate) next: N,
}

impl<N: Handle> Handle for Authenticate<N> {
    async fn handle(&self, mut inbound: Inbound) -> Response {
        if inbound.target.asks_who() {
            match self.verifier.verify_headers(inbound.request.headers()) {
                Ok(caller) => inbound.caller = Some(caller),
                Err(refused) => return refuse(refused.into()),
            }
        }
        inbound.request.headers_mut().remove(AUTHORIZATION);
        self.next.handle(inbound).await
    }
}
