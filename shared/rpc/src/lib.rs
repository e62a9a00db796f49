//! What lies around every RPC, on both sides of the wire, in one process and in many.
//!
//! | to read about | open |
//! |---|---|
//! | the order of the layers, and the service they make | [`stack`](mod@crate::stack), `layer/` (one file and one reason each) |
//! | who calls: tokens, keys, the development key | [`auth`] |
//! | what a handler learns about its call, and safe retries | [`call`](mod@crate::call) |
//! | errors a program can act on | [`fault`] |
//! | the contract's types and ours: times, ids, etags, actors, roles | [`convert`] |
//! | calling another service, by network or in process | [`peer`] |
//! | server streams: opening, heartbeat, resume, closing | [`stream`] |
//! | health, reflection, gRPC-Web | [`edge`](mod@crate::edge) |
//!
//! A service's handler takes its [`Call`] from the request, calls its use case and turns what went wrong into a [`Fault`].

pub mod auth;
mod body;
pub mod call;
pub mod convert;
pub mod edge;
pub mod fault;
mod layer;
pub mod peer;
pub mod policy;
pub mod stack;
pub mod stream;
mod trace_context;
pub mod update_mask;

pub use auth::{DevKey, Keys, Signer, TokenRefused, TokenSpec, Verifier};
pub use call::{Call, Caller, RetryKey, call};
pub use edge::{Health, edge, with_health, with_reflection};
pub use fault::{Fault, reason_of};
pub use peer::{Peer, PeerService, ServiceTokens, Switchboard};
pub use policy::{Limits, Policy};
pub use stack::{Stack, stack};

/// The largest message a service takes, in bytes. The stack refuses larger ones; clients may be told by it as well.
pub const MESSAGE_LIMIT: usize = 256 * 1024;
