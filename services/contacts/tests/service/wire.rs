//! Files of contacts, with the tests that stand beside their code.
#![expect(dead_code, unused_imports, reason = "only their own tests use them here")]

#[path = "../../src/wire/broken.rs"]
mod broken;
#[path = "../../src/wire/transfer/mod.rs"]
mod transfer;

pub(crate) use broken::Broken;
