//! What is measured, with the `metrics` facade; nothing without the feature. The names are listed in
//! the crate's documentation, and are part of its interface.
use crate::{
    discovery::FetchError,
    error::{Error, ErrorCode},
};
use std::time::Duration;

/// The label of issuers that a resolver finds: there may be any number of them, and metrics keep each label
/// for ever.
pub(crate) const RESOLVED: &str = "resolved";

/// The time that a verification takes.
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

    pub(crate) fn refused(self, issuer: &str, error: &Error) {
        self.stop(issuer);
        refusal(issuer, error.code());
    }

    fn stop(self, issuer: &str) {
        #[cfg(feature = "metrics")]
        metrics::histogram!("auth0_verification_seconds", "issuer" => issuer.to_owned())
            .record(self.started.elapsed());
        #[cfg(not(feature = "metrics"))]
        let _ = issuer;
    }
}

/// A token was recognised that had been verified before.
pub(crate) fn recognised(issuer: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_token_cache_hits_total", "issuer" => issuer.to_owned()).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = issuer;
}

/// A resolver was asked which issuers are trusted.
pub(crate) fn resolution(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_issuer_resolutions_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

pub(crate) fn refusal(issuer: &str, code: ErrorCode) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "auth0_refusals_total", "issuer" => issuer.to_owned(), "error_code" => code.as_str()
    )
    .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, code);
}

/// A fetch of an issuer's keys, and how old the keys are that are served after it.
pub(crate) fn fetch(issuer: &str, error: Option<&FetchError>, age: Option<Duration>) {
    #[cfg(feature = "metrics")]
    {
        let outcome = error.map_or("success", FetchError::outcome);
        let name = || issuer.to_owned();
        metrics::counter!("auth0_key_fetches_total", "issuer" => name(), "outcome" => outcome)
            .increment(1);
        // One gauge for several issuers would say nothing.
        if let Some(age) = age.filter(|_| issuer != RESOLVED) {
            metrics::gauge!("auth0_keys_age_seconds", "issuer" => name()).set(age.as_secs_f64());
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, error, age);
}
