//! DPoP at the token endpoint (RFC 9449 §5).
use super::{oauth, refusal::Refusal};
use crate::drill::Drill;
use auth0_core::{Error, ErrorCode, ErrorKind};
use axum::http::{HeaderMap, StatusCode};

/// The thumbprint of the key that the client proved to hold, if it sent a proof.
pub(super) fn checked(drill: &Drill, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut fields = headers.get_all("dpop").iter();
    let Some(proof) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Refusal::invalid_request("there are two DPoP fields. Send one proof"));
    }
    let url = format!("{}{}", drill.tenant().issuer(), oauth::PATH);
    let verdict = drill.proofs().verify("POST", &url, proof.as_bytes());
    verdict.map(Some).map_err(|error| refusal(&error))
}

/// Whoever develops a client may read the cause: it quotes nothing but that client's own proof.
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
            let description = because("Make a new one with the nonce of the DPoP-Nonce field");
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
