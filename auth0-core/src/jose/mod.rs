//! JSON Object Signing and Encryption, as far as verification needs it: RFC 7515, 7517, 7518, 7638. It knows
//! no claims, and has its own error type.
mod algorithm;
pub(crate) mod base64url;
pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod jwk;
pub(crate) mod jws;
mod public_key;
pub(crate) mod thumbprint;
mod token_tag;
#[cfg(test)]
mod wycheproof;

pub use algorithm::Algorithm;
pub(crate) use algorithm::AlgorithmSet;
pub(crate) use digest::{Message, TokenHash};
pub(crate) use jwk::VerifyingKey;
pub(crate) use public_key::PublicKey;
pub use thumbprint::Thumbprint;
pub(crate) use token_tag::{TagKey, TokenTag};
