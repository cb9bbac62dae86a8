//! DPoP proofs of requests to the tenant (RFC 9449).
use super::refusal::Refusal;
use crate::{running::RunningTenant, secret};
use auth0_core::{Error, ErrorCode, ErrorKind, dpop::ProofVerifier};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Verifies the proof of a request to this path below the issuer. Returns the thumbprint of its key, or
/// `None` without a proof.
pub(super) fn verified_thumbprint(
    running: &RunningTenant,
    method: &str,
    path: &str,
    headers: &HeaderMap,
) -> Result<Option<String>, Refusal> {
    verified_by(running.proofs().verifier(), running, method, path, headers)
}

/// The same with this verifier, which may need nonces.
pub(super) fn verified_by(
    verifier: &ProofVerifier,
    running: &RunningTenant,
    method: &str,
    path: &str,
    headers: &HeaderMap,
) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all("dpop").iter();
    let Some(proof) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::invalid_request("there is more than one DPoP header. Send one proof"));
    }
    let url = format!("{}{path}", running.tenant().issuer());
    let verdict = verifier.verify(method, &url, proof.as_bytes());
    verdict.map(Some).map_err(|error| refusal(&error))
}

/// Returns the nonce that a verifier with nonces issues now: it refuses a proof of our own, which has none.
pub(super) fn nonce(
    verifier: &ProofVerifier,
    running: &RunningTenant,
    path: &str,
) -> Option<HeaderValue> {
    let tenant = running.tenant();
    let url = format!("{}{path}", tenant.issuer());
    let own = tenant.proof("POST", &url).mint();
    let error = verifier.verify("POST", &url, own.as_bytes()).err()?;
    nonce_of(&error).filter(|_| error.code() == ErrorCode::DpopNonceRequired)
}

fn nonce_of(error: &Error) -> Option<HeaderValue> {
    let challenge = error.challenge();
    let nonce = challenge.headers().find(|(name, _)| *name == "dpop-nonce");
    nonce.and_then(|(_, nonce)| nonce.parse().ok())
}

/// Returns whether a verified proof was made for this access token (`ath`).
pub(super) fn is_for_token(headers: &HeaderMap, token: &str) -> bool {
    let proof = headers.get("dpop").and_then(|proof| proof.to_str().ok()).unwrap_or_default();
    let payload = proof.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Value> = payload.and_then(|json| serde_json::from_slice(&json).ok());
    claims.is_some_and(|claims| claims.get("ath") == Some(&secret::sha256(token).into()))
}

/// Maps the verifier's error to a refusal that contains the cause. The client may see it, because
/// it quotes only that client's own proof.
fn refusal(error: &Error) -> Refusal {
    let because = |advice: &str| match error.cause() {
        Some(cause) => format!("{cause}. {advice}"),
        None => error.to_string(),
    };
    match (error.code(), error.kind()) {
        (ErrorCode::DpopNonceRequired, _) => {
            let nonce = nonce_of(error);
            let description = because("Make a new one with the nonce of the DPoP-Nonce header");
            Refusal::new(StatusCode::BAD_REQUEST, "use_dpop_nonce", description).with_nonce(nonce)
        }
        (_, ErrorKind::Unavailable) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Refusal::new(status, "temporarily_unavailable", because("Try again later"))
        }
        _ => {
            let description = because("Make a new one for this request");
            Refusal::new(StatusCode::BAD_REQUEST, "invalid_dpop_proof", description)
        }
    }
}
