//! Private keys of the client: for assertions and request objects, and for DPoP proofs.
mod pem;
mod proof_key;
mod signing_key;

pub(crate) use pem::text_or_file;
pub use proof_key::ProofKey;
pub(crate) use proof_key::ProofOf;
pub use signing_key::SigningKey;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Encodes the parts of a JWS that are signed (RFC 7515 §5.1).
fn signing_input(header: &Value, payload: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(payload))
}

/// Returns an identifier that no other token has: 128 random bits. `None` if the system has no randomness.
pub(crate) fn random_id() -> Option<String> {
    let mut id = [0; 16];
    rand::fill(&mut id).ok()?;
    Some(URL_SAFE_NO_PAD.encode(id))
}
