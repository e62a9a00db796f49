//! The contracts of Backchannel: messages, services, and what the contracts say about themselves.
//!
//! - [`common`], [`contacts`], [`routing`], [`notes`], [`notifications`]: generated from `backchannel/*/v1/*.proto`.
//! - [`METHODS`]: every RPC with the roles that may call it and what a retry may do.
//! - [`Validate`]: the buf.validate rules, applied to every request where it is read ([`unary`], [`codec::Contract`]).
//! - [`refusal`]: statuses with machine-readable details.
//! - [`FILE_DESCRIPTOR_SET`]: for reflection, transcoding and documentation.

pub mod codec;
mod method;
pub mod refusal;
mod rules;
pub mod unary;
mod validate;

pub use method::{Idempotency, METHODS, Method, method};
pub use rules::is_blank;
pub use validate::{Path, Validate, Violation};

#[expect(
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::doc_markdown,
    reason = "generated from the contracts"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}
pub use generated::backchannel::{common, contacts, notes, notifications, routing};
/// What a request of ours holds of others': the body of a plain HTTP request.
pub use generated::google;

/// The encoded `google.protobuf.FileDescriptorSet` of all contracts, what they import, and the details of
/// refusals (`google.rpc`).
pub static FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
