//! A verifier: its parts, and the report of its verdicts.
use super::{
    pending::{Refusal, Stop},
    token_cache::TokenCache,
};
use crate::{
    error::{AuthScheme, ChallengeOptions, DpopMode, Error, ErrorKind},
    issuer::IssuerRegistry,
    possession::dpop::DpopRules,
    request::{Credentials, Origin},
    runtime::Clock,
    telemetry::{escaped, metrics::Stopwatch},
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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) clock_check: ClockCheck,
    /// The challenge if the issuer of the token is not known.
    pub(super) challenge: Arc<ChallengeOptions>,
}

impl Verifier {
    /// Verifies, and waits for what is pending.
    pub(super) async fn verify(
        &self,
        credentials: Result<Credentials<'_>, Error>,
    ) -> Result<VerifiedToken, Error> {
        let stopwatch = Stopwatch::start();
        let (scheme, verdict) = match credentials {
            Ok(credentials) => {
                let verdict = match self.run(&credentials) {
                    // In a box, because nearly no request needs it.
                    Err(Stop::Pending(pending)) => {
                        Box::pin(self.resume(&credentials, pending)).await
                    }
                    Err(Stop::Refused(refusal)) => Err(refusal),
                    Ok(token) => Ok(token),
                };
                (Some(credentials.scheme), verdict)
            }
            Err(error) => (None, Err(error.into())),
        };
        self.report(stopwatch, scheme, verdict)
    }

    /// Verifies without waiting; `None` if something is pending.
    pub(super) fn verify_now(
        &self,
        credentials: Result<Credentials<'_>, Error>,
    ) -> Option<Result<VerifiedToken, Error>> {
        let stopwatch = Stopwatch::start();
        let (scheme, verdict) = match credentials {
            Ok(credentials) => match self.run(&credentials) {
                Err(Stop::Pending(_)) => return None,
                Err(Stop::Refused(refusal)) => (Some(credentials.scheme), Err(refusal)),
                Ok(token) => (Some(credentials.scheme), Ok(token)),
            },
            Err(error) => (None, Err(error.into())),
        };
        Some(self.report(stopwatch, scheme, verdict))
    }

    /// Writes one event for each verdict, and gives a refusal its challenge.
    fn report(
        &self,
        stopwatch: Stopwatch,
        scheme: Option<AuthScheme>,
        verdict: Result<VerifiedToken, Box<Refusal>>,
    ) -> Result<VerifiedToken, Error> {
        let refusal = match verdict {
            Ok(token) => {
                stopwatch.accepted(&token.accepted_by().metrics_label);
                return Ok(token);
            }
            Err(refusal) => *refusal,
        };
        let Refusal { error, header, trusted, client_id } = refusal;
        let trusted = trusted.as_ref().or_else(|| self.issuers.only());
        let issuer = trusted.map_or("", |trusted| trusted.name());
        let error = match scheme {
            Some(scheme) => error.with_scheme(scheme),
            None => error, // it has a challenge already, or there is none
        };
        let error_code = error.code().as_str();
        stopwatch.refused(trusted.map_or("", |trusted| trusted.metrics_label()), error_code);
        if error.kind() == ErrorKind::CredentialsMissing {
            tracing::debug!(target: "auth0", error_code, "a request without credentials");
        } else {
            tracing::info!(
                target: "auth0", error_code, issuer,
                client_id = client_id.as_deref().map(escaped),
                alg = header.as_ref().map(|header| escaped(header.algorithm_name())),
                kid = header.as_ref().and_then(|header| header.key_id.as_deref()).map(escaped),
                cause = error.cause(),
                "refused an access token"
            );
        }
        Err(error.with_options(trusted.map_or(&self.challenge, |trusted| trusted.challenge())))
    }
}
