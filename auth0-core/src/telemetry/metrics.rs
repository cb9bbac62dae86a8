//! Counters and timings, with the `metrics` facade; nothing without the feature. The crate's documentation
//! lists the names, which are part of its interface. Kinds are passed as text, so that this module depends
//! on none of the modules above.
use std::time::Duration;

/// The label of all issuers that a resolver finds. Their number has no limit, and metrics keep each label
/// forever.
pub(crate) const RESOLVED: &str = "resolved";

/// Times a verification.
pub(crate) struct Stopwatch {
    #[cfg(feature = "metrics")]
    started: std::time::Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            started: std::time::Instant::now(),
        }
    }

    pub(crate) fn accepted(self, issuer: &str) {
        self.stop(issuer);
        #[cfg(feature = "metrics")]
        metrics::counter!("auth0_verifications_total", "issuer" => issuer.to_owned()).increment(1);
    }

    pub(crate) fn refused(self, issuer: &str, error_code: &'static str) {
        self.stop(issuer);
        refusal(issuer, error_code);
    }

    fn stop(self, issuer: &str) {
        #[cfg(feature = "metrics")]
        metrics::histogram!("auth0_verification_seconds", "issuer" => issuer.to_owned())
            .record(self.started.elapsed());
        #[cfg(not(feature = "metrics"))]
        let _ = issuer;
    }
}

/// Counts a token that was found in the token cache.
pub(crate) fn cache_hit(issuer: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_token_cache_hits_total", "issuer" => issuer.to_owned()).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = issuer;
}

/// Counts a call of the issuer resolver.
pub(crate) fn resolution(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_issuer_resolutions_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// Counts a refusal.
pub(crate) fn refusal(issuer: &str, error_code: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "auth0_refusals_total", "issuer" => issuer.to_owned(), "error_code" => error_code
    )
    .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, error_code);
}

/// Counts a revocation.
pub(crate) fn revocation(kind: &'static str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_revocations_total", "kind" => kind, "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (kind, outcome);
}

/// Counts a logout token that was received.
pub(crate) fn logout_token(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_logout_tokens_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// Counts an attempt to read the store of revocations.
pub(crate) fn revocation_read(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_revocation_reads_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// Sets the number of revocations in memory.
pub(crate) fn revocations(count: usize) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("auth0_revocations").set(u32::try_from(count).unwrap_or(u32::MAX));
    #[cfg(not(feature = "metrics"))]
    let _ = count;
}

/// Counts a fetch of an issuer's keys, and sets the age of the keys that are served after it.
pub(crate) fn fetch(issuer: &str, outcome: &'static str, age: Option<Duration>) {
    #[cfg(feature = "metrics")]
    {
        let name = || issuer.to_owned();
        metrics::counter!("auth0_key_fetches_total", "issuer" => name(), "outcome" => outcome)
            .increment(1);
        // One gauge for several issuers has no meaning.
        if let Some(age) = age.filter(|_| issuer != RESOLVED) {
            metrics::gauge!("auth0_keys_age_seconds", "issuer" => name()).set(age.as_secs_f64());
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, outcome, age);
}
