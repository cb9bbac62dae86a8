//! DPoP at the token endpoint (RFC 9449 §5).
use super::{oauth, refusal::Refusal};
use crate::running::RunningTenant;
use auth0_core::{Error, ErrorCode, ErrorKind};
use axum::http::{HeaderMap, StatusCode};

/// Verifies the proof of a request. Returns the thumbprint of its key, or `None` without a proof.
pub(super) fn verified_thumbprint(
    running: &RunningTenant,
    headers: &HeaderMap,
) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all("dpop").iter();
    let Some(proof) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::invalid_request("there is more than one DPoP header. Send one proof"));
    }
    let url = format!("{}{}", running.tenant().issuer(), oauth::PATH);
    let verdict = running.proofs().verify("POST", &url, proof.as_bytes());
    verdict.map(Some).map_err(|error| refusal(&error))
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
            let challenge = error.challenge();
            let nonce = challenge.headers().find(|(name, _)| *name == "dpop-nonce");
            let nonce = nonce.and_then(|(_, nonce)| nonce.parse().ok());
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
