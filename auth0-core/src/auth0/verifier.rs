//! A verifier: its parts, and the report of its verdicts.
use super::{
    pending::{Refusal, Stop},
    refusal_log::{RefusalLog, Refused},
    token_cache::TokenCache,
};
use crate::{
    error::{AuthScheme, ChallengeOptions, DpopMode, Error, ErrorKind},
    identifier::Resource,
    issuer::IssuerRegistry,
    possession::dpop::DpopRules,
    request::{Credentials, HttpParts, Origin},
    revocation::Revocations,
    runtime::Clock,
    telemetry::metrics::{self, Stopwatch},
    token::{ClockCheck, VerifiedToken},
};
use std::sync::Arc;

pub(crate) struct Verifier {
    pub(super) issuers: IssuerRegistry,
    pub(super) max_token_bytes: usize,
    pub(super) dpop: DpopRules,
    /// The schemes that are enabled for any issuer.
    pub(super) schemes: DpopMode,
    pub(super) origin: Origin,
    pub(super) tokens: TokenCache,
    pub(super) revocations: Option<Revocations>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) clock_check: ClockCheck,
    /// The URL that clients use, if its metadata is published.
    pub(super) resource: Option<Resource>,
    /// The challenge if the issuer of the token is not known.
    pub(super) challenge: Arc<ChallengeOptions>,
    pub(super) refusals: RefusalLog,
}

impl Verifier {
    /// Verifies, and waits for what is pending.
    pub(super) async fn verify(
        &self,
        credentials: Result<Credentials<'_>, Error>,
        parts: Option<&dyn HttpParts>,
    ) -> Result<VerifiedToken, Error> {
        let stopwatch = Stopwatch::start();
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => return Err(self.report_refusal(stopwatch, None, error.into(), parts)),
        };
        let verdict = match self.run(&credentials) {
            // In a box, because nearly no request needs it.
            Err(Stop::Pending(pending)) => Box::pin(self.resume(&credentials, *pending)).await,
            Err(Stop::Refused(refusal)) => Err(refusal),
            Ok(token) => Ok(token),
        };
        self.report(stopwatch, credentials.scheme, verdict, parts)
    }

    /// Verifies without waiting; `None` if something is pending.
    #[inline]
    pub(super) fn verify_now(
        &self,
        credentials: Result<Credentials<'_>, Error>,
        parts: Option<&dyn HttpParts>,
    ) -> Option<Result<VerifiedToken, Error>> {
        let stopwatch = Stopwatch::start();
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => {
                return Some(Err(self.report_refusal(stopwatch, None, error.into(), parts)));
            }
        };
        // Otherwise the proof would be checked twice: here, and before the store is called.
        if credentials.proof.is_some() && !self.dpop.replay.is_in_process() {
            return None;
        }
        let verdict = match self.run(&credentials) {
            Err(Stop::Pending(_)) => return None,
            Err(Stop::Refused(refusal)) => Err(refusal),
            Ok(token) => Ok(token),
        };
        Some(self.report(stopwatch, credentials.scheme, verdict, parts))
    }

    /// Writes one event for each verdict, and gives a refusal its challenge.
    #[inline]
    fn report(
        &self,
        stopwatch: Stopwatch,
        scheme: AuthScheme,
        verdict: Result<VerifiedToken, Box<Refusal>>,
        parts: Option<&dyn HttpParts>,
    ) -> Result<VerifiedToken, Error> {
        match verdict {
            Ok(token) => {
                stopwatch.accepted(&token.accepted_by().metrics_label);
                Ok(token)
            }
            Err(refusal) => Err(self.report_refusal(stopwatch, Some(scheme), *refusal, parts)),
        }
    }

    #[cold]
    fn report_refusal(
        &self,
        stopwatch: Stopwatch,
        scheme: Option<AuthScheme>,
        refusal: Refusal,
        parts: Option<&dyn HttpParts>,
    ) -> Error {
        let Refusal { error, header, trusted, client_id } = refusal;
        let trusted = trusted.as_ref().or_else(|| self.issuers.only());
        let label = trusted.map_or("", |trusted| trusted.metrics_label());
        let error = match scheme {
            Some(scheme) => error.with_scheme(scheme),
            None => error, // it has a challenge already, or there is none
        };
        let error = self.complete(error, trusted.map(|trusted| &**trusted));
        stopwatch.refused(label, error.code().as_str());
        let is_about_token = error.kind() != ErrorKind::CredentialsMissing;
        self.refusals.write(&Refused {
            message: if is_about_token { "refused an access token" } else { "refused a request" },
            error: &error,
            label,
            issuer: trusted.map_or("", |trusted| trusted.name()),
            client_id: client_id.as_deref(),
            header: header.as_ref(),
            requirement: None,
            hint: None,
            request: parts.map(|parts| (parts.method(), parts.path())),
        });
        error.with_options(trusted.map_or(&self.challenge, |trusted| trusted.challenge()))
    }

    /// Completes, counts and logs a refusal of a request without a token.
    pub(super) fn refuse_without_token(
        &self,
        error: Error,
        request: Option<(&str, &str)>,
    ) -> Error {
        let error = self.complete(error, None);
        metrics::refusal("", error.code().as_str());
        self.refusals.write(&Refused {
            message: "refused a request",
            error: &error,
            label: "",
            issuer: "",
            client_id: None,
            header: None,
            requirement: None,
            hint: None,
            request,
        });
        error.with_options(&self.challenge)
    }
}
