//! Second factors (Auth0's MFA API): `/mfa/challenge`, `/mfa/associate` and `/mfa/authenticators`.
mod associate;
mod authenticators;
mod bearer;
mod challenge;
mod otp;
mod required;

pub(super) use associate::recovery_code;
pub(super) use otp::routes as otp_routes;
pub(super) use required::check;

#[cfg(feature = "cli")]
pub(crate) use otp::PATH as OTP_PATH;

use super::{faulty::observed, refusal::Refusal};
use crate::{endpoint::Endpoint, running::RunningTenant, store::MfaRefusal};
use axum::{
    Router,
    http::StatusCode,
    routing::{delete, get, post},
};

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let route = |route| observed(route, running, Endpoint::Mfa);
    Router::new()
        .route("/mfa/challenge", route(post(challenge::challenge)))
        .route("/mfa/associate", route(post(associate::associate)))
        .route("/mfa/authenticators", route(get(authenticators::list)))
        .route("/mfa/authenticators/{id}", route(delete(authenticators::remove)))
}

/// Refuses an `mfa_token`, or a wrong proof of the second factor.
pub(super) fn refusal(refused: MfaRefusal, wrong: &str) -> Refusal {
    match refused {
        MfaRefusal::Unknown => Refusal::invalid_grant(
            "The mfa_token is unknown, used, or that of another client. Log in again",
        ),
        MfaRefusal::Expired => {
            Refusal::new(StatusCode::UNAUTHORIZED, "expired_token", "mfa_token is expired")
        }
        MfaRefusal::TooOften => Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "there were too many wrong codes. Log in again",
        ),
        MfaRefusal::Wrong => Refusal::invalid_grant(wrong),
    }
}
