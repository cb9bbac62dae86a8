//! The responses of Auth0's limits.
use super::refusal::{Refusal, uncached};
use crate::{fault::Throttle, running::RunningTenant};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The quotas of a client and of an organization, in the responses of `client_credentials`.
pub(super) const CLIENT_QUOTA: HeaderName = HeaderName::from_static("auth0-client-quota-limit");
pub(super) const ORGANIZATION_QUOTA: HeaderName =
    HeaderName::from_static("auth0-organization-quota-limit");

/// The limits that the responses name.
const TENANT_LIMIT: u64 = 100;
const LIMIT: u64 = 10;

/// Returns the response of a limit that ends after some seconds.
pub(super) fn response(running: &RunningTenant, limit: Throttle, seconds: u64) -> Response {
    let mut response = match limit {
        Throttle::Tenant => uncached(
            StatusCode::TOO_MANY_REQUESTS,
            &json!({
                "statusCode": 429,
                "error": "Too Many Requests",
                "message": "Global limit has been reached",
            }),
        ),
        Throttle::Policy => exceeded("Rate limit exceeded.").into_response(),
        Throttle::ClientQuota => exceeded("Client quota exceeded").into_response(),
        Throttle::OrganizationQuota => exceeded("Organization quota exceeded").into_response(),
    };
    // The numbers are those of the tenant, even when another limit refused.
    let (remaining, ends) =
        if limit == Throttle::Tenant { (0, seconds) } else { (TENANT_LIMIT - 1, 1) };
    let ends = running.now().as_secs().saturating_add(ends);
    let headers = response.headers_mut();
    for (name, value) in [
        (HeaderName::from_static("x-ratelimit-limit"), TENANT_LIMIT),
        (HeaderName::from_static("x-ratelimit-remaining"), remaining),
        (HeaderName::from_static("x-ratelimit-reset"), ends),
    ] {
        headers.insert(name, HeaderValue::from(value));
    }
    match limit {
        Throttle::Tenant => {}
        Throttle::Policy => {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            let policy = format!("client;q={LIMIT};t={seconds};r=0");
            headers.extend(value(HeaderName::from_static("auth0-ratelimit"), &policy));
        }
        Throttle::ClientQuota | Throttle::OrganizationQuota => {
            let is_client = limit == Throttle::ClientQuota;
            let name = if is_client { CLIENT_QUOTA } else { ORGANIZATION_QUOTA };
            headers.extend(value(name, &format!("b=per_hour;q={LIMIT};r=0;t={seconds}")));
        }
    }
    response
}

/// Refuses a request, because of a limit other than the tenant's.
pub(super) fn exceeded(description: &str) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", description)
}

/// Returns a header, unless it cannot have this value.
pub(super) fn value(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    value.parse().ok().map(|value| (name, value))
}
