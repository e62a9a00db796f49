//! Finding the other services of this process.

use std::sync::{Arc, OnceLock};

use crate::layer::{Request, Response};
use crate::{Fault, Stack};

/// Connects services within one process. Bound late, because services that ask one another are made before the stack
/// that holds them all. Clones are one switchboard.
#[derive(Clone, Default)]
pub struct Switchboard(Arc<OnceLock<Stack>>);

impl Switchboard {
    /// A switchboard that answers UNAVAILABLE until it is connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects it to the process's services, with all their layers. The first connection stays.
    pub fn connect(&self, stack: &Stack) {
        let _ = self.0.set(stack.for_peers());
    }

    pub(super) async fn answer(&self, request: Request) -> Response {
        match self.0.get() {
            Some(stack) => stack.answer(request).await,
            None => Fault::unavailable("peer").into_response(),
        }
    }
}
