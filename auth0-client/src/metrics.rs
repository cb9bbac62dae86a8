//! Counters of requests to Auth0, and its limits, with the `metrics` facade; nothing without the feature. The
//! crate's documentation lists the names, which are part of its interface.
use crate::{error::ErrorKind, limits::Limits};

/// Returns the outcome of a request that failed.
pub(crate) const fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidGrant => "invalid_grant",
        ErrorKind::Denied => "denied",
        ErrorKind::AccountNotConnected => "account_not_connected",
        ErrorKind::MfaRequired => "mfa_required",
        ErrorKind::Expired => "expired",
        ErrorKind::InvalidClient => "invalid_client",
        ErrorKind::Misconfigured => "misconfigured",
        ErrorKind::Malformed => "malformed",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::DeadlineExceeded => "deadline_exceeded",
        ErrorKind::Pending => "pending",
        ErrorKind::SlowDown => "slow_down",
    }
}

/// Counts a request to Auth0, with its repetitions as one.
pub(crate) fn request(grant: &'static str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_client_requests_total", "grant" => grant, "outcome" => outcome)
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (grant, outcome);
}

/// Counts a token that was found in memory after it was looked for there. The fast path of a
/// [`TokenSource`](crate::TokenSource) counts nothing.
pub(crate) fn cache_hit(grant: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_client_cache_hits_total", "grant" => grant).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = grant;
}

/// Shows the limits of an answer.
pub(crate) fn limits(limits: &Limits) {
    #[cfg(feature = "metrics")]
    {
        if let Some(rate) = &limits.rate {
            metrics::gauge!("auth0_client_rate_limit_remaining").set(as_number(rate.remaining));
        }
        for quota in &limits.quotas {
            let of = if quota.is_of_organization { "organization" } else { "client" };
            metrics::gauge!(
                "auth0_client_quota_remaining", "of" => of, "bucket" => quota.bucket.to_string()
            )
            .set(as_number(quota.remaining));
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = limits;
}

#[cfg(feature = "metrics")]
fn as_number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
