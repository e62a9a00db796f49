use std::collections::HashMap;
use std::sync::LazyLock;

use crate::common::v1::Role;

/// What a contract says about one RPC.
#[derive(Debug)]
pub struct Method {
    /// The path on the wire, such as `/backchannel.notes.v1.NoteService/CreateNote`.
    pub path: &'static str,
    /// Full name of the service, such as `backchannel.notes.v1.NoteService`.
    pub service: &'static str,
    /// Name of the RPC, such as `CreateNote`.
    pub name: &'static str,
    /// Who may call it. Empty only if it is public.
    pub roles: &'static [Role],
    /// Whether anybody may call it, without a bearer token.
    pub public: bool,
    /// Whether its request is a stream.
    pub client_streaming: bool,
    /// Whether it answers with a stream.
    pub server_streaming: bool,
    /// What a retry may do.
    pub idempotency: Idempotency,
}

/// What happens when the same request comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// It only reads.
    NoSideEffects,
    /// The second changes nothing more.
    Idempotent,
    /// The second is recognized by its `request_id`, and gets the first answer.
    ByRequestId,
}

/// Every RPC of the contracts.
pub static METHODS: &[Method] = include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// The RPC at a path, or `None` where the contracts know none.
#[must_use]
pub fn method(path: &str) -> Option<&'static Method> {
    static BY_PATH: LazyLock<HashMap<&'static str, &'static Method>> =
        LazyLock::new(|| METHODS.iter().map(|method| (method.path, method)).collect());
    BY_PATH.get(path).copied()
}
