//! What the crates of this family share beyond the public interface: it may change in any release.
pub use crate::{
    auth0::{
        IdTokenError, LogoutSink, backchannel_logout_with, is_revoked_by_id, one_variable, use_of,
        user_of_session, variables, verify_id_token, without_introduction,
    },
    error::CallerChallenge,
    identifier::{PlainHttp, is_loopback},
    jose::Thumbprint,
    keys::{MetadataError, ServerMetadata},
    runtime::{
        SystemClock,
        fetch_thread::{self, Ended, How, NoThread, passed, passed_while_running},
        set_cache::{Address, SetCache},
        single_flight::{Joined, Leader, Settle, SingleFlight, Waiter},
    },
    telemetry::{Escaped, EscapedMessage},
    token::IdTokenExpectations,
    transport::{default_client, retry_after::retry_after},
};

use crate::{
    config_error::ConfigError, error::Error, identifier::Issuer, policy::Requirement,
    possession::dpop::ProofVerifier, revocation::Revocations, runtime::Clock, token::VerifiedToken,
};
use std::{sync::Arc, time::Duration};

/// Keeps revocations for at least this long, because they concern sessions, which may last longer than access tokens live.
pub fn keep_for_sessions(revocations: &Revocations, lifetime: Duration) {
    revocations.keep_for_sessions(lifetime);
}

/// Returns whether revocations are in a store, which outlives this process.
#[must_use]
pub fn are_stored(revocations: &Revocations) -> bool {
    revocations.are_stored()
}

/// Parses an issuer, which may be http on loopback and on the allowed hosts.
///
/// # Errors
/// The text is not an issuer.
pub fn issuer(text: &str, plain_http: &PlainHttp) -> Result<Issuer, ConfigError> {
    Issuer::parse(text, plain_http)
}

/// Returns the challenge of a caller with this token: that of its verifier, and the scheme that it used.
#[must_use]
pub fn caller_challenge<C>(token: &VerifiedToken<C>) -> CallerChallenge {
    token.caller_challenge()
}

/// Returns the clock of the verifier that accepted a token.
#[must_use]
pub fn clock_of<C>(token: &VerifiedToken<C>) -> Arc<dyn Clock> {
    Arc::clone(&token.accepted_by().clock)
}

/// Returns what a stronger or more recent login must have: `acr_values`, and `max_age` in seconds (RFC 9470 §3).
#[must_use]
pub fn step_up_of(error: &Error) -> (&str, Option<u64>) {
    error.step_up().map_or(("", None), |step_up| (&step_up.acr_values, step_up.max_age))
}

/// Decodes base64url without padding, as tokens have it (RFC 7515 §2).
#[must_use]
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    crate::jose::base64url::decode(text)
}

/// Returns the parts of a refusal's cause: what was seen, what was expected, and what to do.
#[must_use]
pub fn cause_parts(error: &Error) -> [Option<&str>; 3] {
    error.cause_parts()
}

/// Parses a requirement as its `Display` form has it.
///
/// # Errors
/// The text is not a requirement, or names code or a part of the request. The error says what to write.
pub fn parse_requirement(text: &str) -> Result<Requirement, String> {
    Requirement::parse(text)
}

/// Returns the claim of a token that has a value which a requirement expects in another one, as the log says it.
#[must_use]
pub fn hint_of(requirement: &Requirement, token: &VerifiedToken) -> Option<String> {
    requirement.hint_for(token).map(Into::into)
}

/// Verifies a proof of a request with this method, URL and access token, which is bound to the key of this thumbprint.
/// Returns the thumbprint of the proof's key.
///
/// # Errors
/// As for [`ProofVerifier::verify`], and `token_binding_mismatch`.
pub fn verify_proof_for(
    verifier: &ProofVerifier,
    method: &str,
    url: &str,
    proof: &[u8],
    token: Option<&str>,
    key: Option<&Thumbprint>,
) -> Result<String, Error> {
    verifier.verify_for(method, url, proof, token, key)
}
