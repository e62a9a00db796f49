//! The contract's messages to ours, and back. Whatever breaks a rule is collected, so that one answer names every field.

pub(crate) mod activity;
pub(crate) mod attribute;
pub(crate) mod block;
mod broken;
pub(crate) mod contact;
pub(crate) mod duplicate;
pub(crate) mod erasure;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod panel;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod transfer;

pub(crate) use broken::Broken;
