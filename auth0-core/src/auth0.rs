//! The verifier: how a request is judged, on one screen.
use crate::{
    builder::{Builder, ConfigError},
    challenge::ChallengeOptions,
    claims::Claims,
    clock::Clock,
    credentials::Credentials,
    error::{Error, ErrorCode, ErrorKind},
    health::Health,
    jwks::{
        Verdict,
        cache::{KeyCache, Unavailable},
    },
    jws::{Compact, Escaped, Header},
    measure::{self, Stopwatch},
    policy::Requirement,
    request::RequestView,
    token::{AccessToken, Verified},
    verifier::Rules,
};
use serde::de::DeserializeOwned;
use std::{fmt, sync::Arc};

/// Verifies access tokens of an Auth0 tenant. A cheap handle: clones share keys and settings.
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
pub struct Auth0(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) rules: Rules,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) challenge: Arc<ChallengeOptions>,
}

impl Auth0 {
    /// Starts a configuration. It needs a domain (or an issuer) and an audience.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A verifier out of the environment: `AUTH0_DOMAIN` (or `AUTH0_ISSUER`, a full issuer URL)
    /// and `AUTH0_AUDIENCE`, one audience or several with commas between them.
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
    /// See [`ErrorCode`] for all of them. Whatever the cause, [`Error::challenge`] is what to
    /// answer.
    pub async fn authenticate(&self, request: &RequestView<'_>) -> Result<AccessToken, Error> {
        let limit = self.0.rules.max_token_bytes;
        self.report(self.judge(Credentials::parse(request, limit)).await)
    }

    /// Verifies a token that did not come in a header: in a message of a queue, in the metadata of
    /// a call. It is judged like a bearer token.
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Error> {
        let limit = self.0.rules.max_token_bytes;
        self.report(self.judge(Credentials::bearer(token.as_bytes(), limit)).await)
    }

    /// Checks that a verified token meets a requirement. The error's challenge is this verifier's.
    ///
    /// # Errors
    /// `insufficient_scope`, `insufficient_permissions` or `requirement_not_met`.
    pub fn authorize<C>(
        &self,
        token: &AccessToken<C>,
        requirement: &Requirement,
    ) -> Result<(), Error> {
        requirement.check(token).map_err(|error| {
            measure::refusal(&self.0.rules.issuer, error.code());
            tracing::info!(
                target: "auth0",
                error_code = error.code().as_str(),
                client_id = token.client_id().map(|id| tracing::field::display(Escaped(id))),
                %requirement,
                cause = error.cause(),
                "refused a request"
            );
            error.with_options(&self.0.challenge)
        })
    }

    /// A verified token with claims of the application's. The error's challenge is this
    /// verifier's.
    ///
    /// # Errors
    /// `claims_invalid` if the payload is not a `T`.
    pub fn with_claims<T: DeserializeOwned + 'static>(
        &self,
        token: &AccessToken,
    ) -> Result<AccessToken<T>, Error> {
        token.with_claims().map_err(|error| {
            measure::refusal(&self.0.rules.issuer, error.code());
            tracing::info!(
                target: "auth0",
                error_code = error.code().as_str(),
                client_id = token.client_id().map(|id| tracing::field::display(Escaped(id))),
                cause = error.cause(),
                "refused an access token"
            );
            error.with_options(&self.0.challenge)
        })
    }

    /// Fetches the issuer's keys if there are none, so that the first request does not wait for
    /// them. With keys at hand it does nothing, so it also serves as a readiness probe; without, it
    /// takes up to five seconds, and is answered at once while a failing issuer is being spared.
    ///
    /// # Errors
    /// `keys_unavailable`. The verifier works all the same as soon as the issuer answers: log it
    /// and go on.
    pub async fn warm_up(&self) -> Result<(), Error> {
        match self.0.keys.keys().await {
            Ok(_) => Ok(()),
            Err(reason) => Err(unavailable(&reason).with_options(&self.0.challenge)),
        }
    }

    /// Fetches the issuer's keys now, whatever their age: a key that the issuer has withdrawn is
    /// refused from then on. Without this it is refused within ten minutes, while the issuer
    /// answers.
    ///
    /// # Errors
    /// `keys_unavailable`: the keys at hand go on serving.
    pub async fn refresh(&self) -> Result<(), Error> {
        match self.0.keys.refresh().await {
            Ok(_) => Ok(()),
            Err(reason) => Err(unavailable(&reason).with_options(&self.0.challenge)),
        }
    }

    /// How it stands with the issuer's keys, without asking the issuer. For a readiness probe use
    /// [`warm_up`](Self::warm_up), which asks if there are no keys yet; an instance that waits for
    /// its first request to have keys would never be sent one.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.keys.health()
    }

    /// Whether two handles are clones of one verifier. What one verifier says of a request must
    /// not be taken for another's: they may trust different audiences.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn judge(&self, credentials: Result<Credentials<'_>, Error>) -> Judgement {
        let stopwatch = Stopwatch::start();
        let mut seen = Seen::default();
        let result = self.steps(credentials, &mut seen).await;
        stopwatch.verification(&self.0.rules.issuer, &result);
        Judgement { seen, result }
    }

    async fn steps(
        &self,
        credentials: Result<Credentials<'_>, Error>,
        seen: &mut Seen,
    ) -> Result<AccessToken, Error> {
        let rules = &self.0.rules;
        let Compact { header, payload, signature, signed } =
            Compact::parse(credentials?.token, rules.algorithms).map_err(|refused| {
                seen.header = refused.header;
                refused.error
            })?;
        let header = &*seen.header.insert(header);
        let claims = Claims::parse(&payload)?;
        let issuer = rules.check_issuer(&claims, &payload)?;
        self.check_signature(header, signed, &signature).await?;
        let now = self.0.clock.unix_time();
        let verified = rules.check(issuer, header, &claims, &payload, now).inspect_err(|_| {
            // The signature is good, so this is what the issuer says.
            seen.client_id = claims.client_id();
        })?;
        Ok(AccessToken::new(Verified { payload: payload.into(), ..verified }))
    }

    async fn check_signature(
        &self,
        header: &Header,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let Ok(algorithm) = header.algorithm else { return settle(Verdict::OtherAlgorithm) };
        let cache = &self.0.keys;
        let key_id = header.key_id.as_deref();
        if let Some(ready) = cache.ready()
            && let Some(snapshot) = &*ready
        {
            match snapshot.keys.verify(key_id, algorithm, signed, signature) {
                Verdict::UnknownKey => {}
                verdict => return settle(verdict),
            }
        }
        let snapshot = cache.keys().await.map_err(|reason| unavailable(&reason))?;
        match snapshot.keys.verify(key_id, algorithm, signed, signature) {
            Verdict::UnknownKey => {}
            verdict => return settle(verdict),
        }
        let Some(key_id) = key_id else { return settle(Verdict::UnknownKey) };
        let newer = cache.newer_with(key_id, &snapshot).await;
        match newer.map_err(|reason| unavailable(&reason))? {
            Some(newer) => settle(newer.keys.verify(Some(key_id), algorithm, signed, signature)),
            None => settle(Verdict::UnknownKey),
        }
    }

    /// One event for each verification, for whoever reads the log.
    fn report(&self, Judgement { seen, result }: Judgement) -> Result<AccessToken, Error> {
        let escaped = |text| tracing::field::display(Escaped(text));
        let alg = seen.header.as_ref().map(|header| escaped(header.algorithm_name()));
        let kid = seen.header.as_ref().and_then(|header| header.key_id.as_deref()).map(escaped);
        match result {
            Ok(token) => {
                let client_id = token.client_id().map(escaped);
                tracing::debug!(
                    target: "auth0", issuer = token.issuer(), client_id, alg, kid,
                    "accepted an access token"
                );
                Ok(token)
            }
            Err(error) => {
                let error_code = error.code().as_str();
                if error.kind() == ErrorKind::CredentialsMissing {
                    tracing::debug!(target: "auth0", error_code, "a request without credentials");
                } else {
                    let issuer = self.0.rules.issuer.as_str();
                    let client_id = seen.client_id.as_deref().map(escaped);
                    tracing::info!(
                        target: "auth0", error_code, issuer, client_id, alg, kid,
                        cause = error.cause(),
                        "refused an access token"
                    );
                }
                Err(error.with_options(&self.0.challenge))
            }
        }
    }
}

/// What the log may say of a token, as far as it was read.
#[derive(Default)]
struct Seen {
    header: Option<Header>,
    client_id: Option<String>,
}

struct Judgement {
    seen: Seen,
    result: Result<AccessToken, Error>,
}

fn settle(verdict: Verdict) -> Result<(), Error> {
    let (code, cause) = match verdict {
        Verdict::Valid => return Ok(()),
        Verdict::Invalid => (ErrorCode::SignatureInvalid, "the signature does not verify"),
        Verdict::OtherAlgorithm => (
            ErrorCode::AlgorithmUnsupported,
            "the key of this kid is not one for the token's alg, or cannot be used",
        ),
        Verdict::UnknownKey => (ErrorCode::KeyUnknown, "the issuer publishes no key of this kid"),
        Verdict::AmbiguousKey => (
            ErrorCode::KeyUnknown,
            "the token has no kid, and not exactly one of the issuer's keys fits its alg",
        ),
    };
    Err(Error::new(code).because(cause))
}

fn unavailable(reason: &Unavailable) -> Error {
    Error::new(ErrorCode::KeysUnavailable)
        .because(reason.cause.to_string())
        .retry_after(reason.retry_in)
}

impl fmt::Debug for Auth0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth0")
            .field("issuer", &self.0.rules.issuer.as_str())
            .field("audiences", &self.0.rules.audiences)
            .finish_non_exhaustive()
    }
}
