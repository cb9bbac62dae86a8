//! The keys of an issuer (RFC 7517).
pub(crate) mod cache;
mod key;
mod set;

pub(crate) use key::VerifyingKey;
pub(crate) use set::{KeySet, Verdict};
