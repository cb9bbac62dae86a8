//! The verifier: how a request is judged, on one screen.
use crate::{
    binding::{Binding, Proven},
    builder::{Builder, ConfigError},
    challenge::ChallengeOptions,
    clock::{Clock, Moment},
    credentials::{Credentials, Scheme},
    dpop::{DpopMode, DpopRules},
    error::{Error, ErrorKind},
    halt::{Halt, Refused, used},
    issuers::Issuers,
    judgement::AtHand,
    jws::Escaped,
    measure::{self, Stopwatch},
    origin::Origin,
    policy::Circumstances,
    request::RequestView,
    token::AccessToken,
    token_cache::TokenCache,
};
use std::{fmt, sync::Arc, time::Duration};
use tracing::field::DisplayValue;

/// Verifies access tokens of an Auth0 tenant, or of [several issuers](crate::TrustedIssuer). A
/// cheap handle: clones share keys and settings.
///
/// ```
/// use auth0_core::Auth0;
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .build()?;
/// # let _ = auth;
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// Building one fetches nothing; the first request does, or [`warm_up`](Self::warm_up). Keys are
/// fetched in a tokio task of their own.
#[derive(Clone)]
pub struct Auth0(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) issuers: Issuers,
    pub(crate) max_token_bytes: usize,
    pub(crate) dpop: DpopRules,
    /// Those that are enabled for any issuer.
    pub(crate) schemes: DpopMode,
    pub(crate) origin: Origin,
    pub(crate) tokens: TokenCache,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where it is not known yet whose token it is.
    pub(crate) challenge: Arc<ChallengeOptions>,
}

impl Auth0 {
    /// Starts a configuration. It needs a domain (or an issuer, or a resolver) and an audience.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A verifier out of the environment: `AUTH0_DOMAIN` (or `AUTH0_ISSUER`, a full issuer URL)
    /// and `AUTH0_AUDIENCE`, one of each or several with commas between them. If they are set, also
    /// `AUTH0_DPOP` (`allowed`, `required` or `disabled`: see [`Dpop`](crate::Dpop)), `AUTH0_PUBLIC_URL`
    /// (see [`Builder::public_url`]) and `AUTH0_TRUSTED_PROXIES` (see [`Builder::trusted_proxies`]), with
    /// commas between them.
    ///
    /// # Errors
    /// A variable is missing or cannot work; the text says what to write instead.
    pub fn from_env() -> Result<Self, ConfigError> {
        Builder::from_env()?.build()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Judges the credentials of a request.
    ///
    /// With the issuer's keys at hand, which is nearly always, the future is ready when it is
    /// first polled.
    ///
    /// # Errors
    /// See [`ErrorCode`](crate::ErrorCode) for all of them. Whatever the cause, [`Error::challenge`] is what to
    /// answer.
    pub async fn authenticate(&self, request: &RequestView<'_>) -> Result<AccessToken, Error> {
        self.judge(self.credentials(request)).await
    }

    fn credentials<'a>(&self, request: &RequestView<'a>) -> Result<Credentials<'a>, Error> {
        Credentials::parse(request, self.0.schemes, self.0.max_token_bytes)
    }

    /// The same without waiting: the verdict, or `None` if there are no keys at hand, or not the one
    /// that the token names, or if used proofs are remembered elsewhere, or a
    /// [resolver](crate::IssuerResolver) has to be asked. Nothing has happened then, nothing is fetched, logged or counted:
    /// go on with [`authenticate`](Self::authenticate), which asks the issuer. Code that never does
    /// refuses the tokens of a new key until the next refresh in the background.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// # use auth0_core::{RequestView, testing::Tenant};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let auth = tenant.auth0();
    /// let field = format!("Bearer {}", tenant.token().mint());
    /// let request = RequestView::new().authorization([field.as_bytes()]);
    ///
    /// assert!(auth.authenticate_now(&request).is_none()); // nobody has asked for the keys yet
    /// auth.warm_up().await?;
    /// assert!(auth.authenticate_now(&request).is_some_and(|verdict| verdict.is_ok()));
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap() }
    /// ```
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    #[must_use]
    pub fn authenticate_now(
        &self,
        request: &RequestView<'_>,
    ) -> Option<Result<AccessToken, Error>> {
        let stopwatch = Stopwatch::start();
        let (scheme, verdict) = match self.credentials(request) {
            // Not to check the proof twice, once here and once where the store is asked.
            Ok(Credentials { proof: Some(_), .. }) if !self.0.dpop.replay.is_immediate() => {
                return None;
            }
            Ok(credentials) => (Some(credentials.scheme), self.judge_now(credentials)),
            Err(error) => (None, Err(error.into())),
        };
        match verdict {
            Err(
                Halt::IssuerUnknown { .. }
                | Halt::KeysMissing { .. }
                | Halt::KeyUnknown { .. }
                | Halt::ProofPending { .. },
            ) => None,
            verdict => Some(self.report(stopwatch, scheme, verdict)),
        }
    }

    /// Verifies a token that did not come in a header: in a message of a queue, in the metadata of
    /// a call. It is judged like a bearer token.
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Error> {
        let Inner { schemes, max_token_bytes, .. } = &*self.0;
        self.judge(Credentials::bearer(token.as_bytes(), *schemes, *max_token_bytes)).await
    }

    /// Whether the verifier has remembered the token (see
    /// [`Builder::token_cache`](crate::Builder::token_cache)), so that to ask for it again costs little.
    /// For adapters: what they need not keep for the rest of a request. What a resolver had a say in, they
    /// have to: a middleware may change the request that it depends on.
    #[must_use]
    pub fn remembers(&self, token: &AccessToken) -> bool {
        let is_resolved = token.trusted().is_some_and(|trusted| trusted.is_resolved());
        !self.0.tokens.is_off() && token.is_remembered() && !is_resolved
    }

    /// Whether two handles are clones of one verifier. What one verifier says of a request must
    /// not be taken for another's: they may trust different audiences.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn judge(
        &self,
        credentials: Result<Credentials<'_>, Error>,
    ) -> Result<AccessToken, Error> {
        let stopwatch = Stopwatch::start();
        let (scheme, verdict) = match credentials {
            Ok(credentials) => {
                let verdict = match self.judge_now(credentials) {
                    // In a box, because nearly every request does without.
                    Err(
                        halt @ (Halt::IssuerUnknown { .. }
                        | Halt::KeysMissing { .. }
                        | Halt::KeyUnknown { .. }
                        | Halt::ProofPending { .. }),
                    ) => Box::pin(self.judge_later(credentials, halt)).await,
                    verdict => verdict,
                };
                (Some(credentials.scheme), verdict)
            }
            Err(error) => (None, Err(error.into())),
        };
        self.report(stopwatch, scheme, verdict)
    }

    /// Judges with what is at hand.
    fn judge_now(&self, credentials: Credentials<'_>) -> Result<AccessToken, Halt> {
        let now = self.0.clock.moment();
        if let Some(verified) = self.remembered(&credentials, now) {
            let token = AccessToken::new(verified, credentials.scheme);
            measure::recognised(label_of(&token));
            tracing::debug!(
                target: "auth0", issuer = token.issuer(), client_id = token.client_id().map(escaped),
                "an access token that was verified before"
            );
            return self.bind_now(token, &credentials, now);
        }
        self.verify_with(&credentials, AtHand::default(), now)
            .and_then(|token| self.bind_now(token, &credentials, now))
            .or_else(|halt| {
                if matches!(halt, Halt::Refused(_)) {
                    credentials.check_characters()?;
                }
                Err(halt)
            })
    }

    /// Goes on where [`judge_now`](Self::judge_now) had to halt.
    async fn judge_later(
        &self,
        credentials: Credentials<'_>,
        halt: Halt,
    ) -> Result<AccessToken, Halt> {
        let verdict = match halt {
            Halt::IssuerUnknown { header, asking } => {
                let answer = asking
                    .await
                    .map_err(|why| Halt::refused(why.into_error(), &header, None, None))?;
                let at_hand = AtHand { answer: Some(&answer), ..AtHand::default() };
                self.verify_with(&credentials, at_hand, self.0.clock.moment())
            }
            halt => Err(halt),
        };
        let token = match verdict {
            Ok(token) => token,
            Err(Halt::KeysMissing { trusted, header }) => {
                self.judge_with_keys(&credentials, trusted, header).await?
            }
            Err(Halt::KeyUnknown { trusted, header, keys }) => {
                self.judge_with_newer_keys(&credentials, trusted, header, keys).await?
            }
            Err(Halt::ProofPending { token, proven }) => {
                return self.claim_proof(token, *proven).await;
            }
            Err(halt @ (Halt::Refused(_) | Halt::IssuerUnknown { .. })) => return Err(halt),
        };
        match self.bind_now(token, &credentials, self.0.clock.moment()) {
            Err(Halt::ProofPending { token, proven }) => self.claim_proof(token, *proven).await,
            verdict => verdict,
        }
    }

    /// Checks what its issuer is trusted for, and what the token is bound to, if it is, with what is at
    /// hand: a used proof may have to be looked for elsewhere.
    fn bind_now(
        &self,
        token: AccessToken,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Result<AccessToken, Halt> {
        let mode = token.trusted().map_or(self.0.schemes, |trusted| trusted.dpop);
        if let Some(requirement) = token.trusted().and_then(|trusted| trusted.requirement.as_ref())
        {
            let circumstances = Circumstances {
                now: now.unix_time,
                leeway: token.trusted().map_or(Duration::ZERO, |trusted| trusted.rules.leeway),
                request: None,
            };
            requirement
                .check_under(&token, circumstances)
                .map_err(|error| Halt::of_token(error, &token))?;
        }
        if token.binding().is_none() && credentials.is_plain() {
            return Ok(token);
        }
        let proven = Binding::check(token.binding(), credentials, mode, &self.0, now.unix_time)
            .map_err(|error| Halt::of_token(error, &token))?;
        let Some(proven) = proven else { return Ok(token) };
        match self.0.dpop.replay.insert_now(proven.entry) {
            Some(outcome) => used(token, proven, outcome),
            None => Err(Halt::ProofPending { token, proven: Box::new(proven) }),
        }
    }

    /// The last check: whether the proof was used before.
    async fn claim_proof(&self, token: AccessToken, proven: Proven) -> Result<AccessToken, Halt> {
        let outcome = self.0.dpop.replay.insert(proven.entry).await;
        used(token, proven, outcome)
    }

    /// One event for each verification, for whoever reads the log.
    fn report(
        &self,
        stopwatch: Stopwatch,
        scheme: Option<Scheme>,
        verdict: Result<AccessToken, Halt>,
    ) -> Result<AccessToken, Error> {
        let halt = match verdict {
            Ok(token) => {
                stopwatch.accepted(label_of(&token));
                return Ok(token);
            }
            Err(halt) => halt,
        };
        let Refused { error, header, trusted, client_id } = *halt.into_refused();
        let trusted = trusted.as_ref().or_else(|| self.0.issuers.only());
        let issuer = trusted.map_or("", |trusted| trusted.name());
        let error = match scheme {
            Some(scheme) => error.with_scheme(scheme),
            None => error, // where it was found out, the scheme was known, or there is none
        };
        stopwatch.refused(trusted.map_or("", |trusted| trusted.label()), &error);
        let error_code = error.code().as_str();
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
        Err(error.with_options(trusted.map_or(&self.0.challenge, |trusted| &trusted.challenge)))
    }

    /// The challenge for a token that was accepted.
    pub(crate) fn challenge_for<'a, C>(
        &'a self,
        token: &'a AccessToken<C>,
    ) -> &'a Arc<ChallengeOptions> {
        token.trusted().map_or(&self.0.challenge, |trusted| &trusted.challenge)
    }
}

/// What metrics call its issuer.
pub(crate) fn label_of<C>(token: &AccessToken<C>) -> &str {
    token.trusted().map_or(token.issuer(), |trusted| trusted.label())
}

pub(crate) fn escaped(text: &str) -> DisplayValue<Escaped<'_>> {
    tracing::field::display(Escaped(text))
}

impl fmt::Debug for Auth0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Auth0");
        match self.0.issuers.only() {
            Some(only) => debug
                .field("issuer", &only.rules.issuer.as_str())
                .field("audiences", &only.rules.audiences),
            None => debug.field("issuers", &self.0.issuers),
        };
        debug.finish_non_exhaustive()
    }
}
