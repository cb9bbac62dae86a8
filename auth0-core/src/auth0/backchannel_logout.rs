//! The endpoint of back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8).
use super::{
    Auth0,
    environment::variables,
    logout_token::{LogoutToken, LogoutTokenError, MAX_TOKEN_BYTES},
};
use crate::{
    config_error::ConfigError,
    identifier::{Domain, Issuer, is_placeholder},
    revocation::{Revocation, RevocationError, Revocations, UsedId},
    runtime::{BoxFuture, fetch_thread::passed},
    telemetry::{Escaped, metrics},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The issuer waits for five seconds, the way of the answer included.
const LIMIT: Duration = Duration::from_secs(4);

/// After this time the issuer may try again.
const RETRY: &str = "5";

/// Revokes access tokens when the issuer says that their user has logged out. The adapters have a function for the route.
///
/// It accepts logout tokens of the issuers that the verifier is configured with, for the client ids of the applications
/// with which users log in: an API has no client id of its own.
///
/// - A token with `sub` revokes the tokens of the user that were issued up to its `iat`.
/// - A token with `sid` revokes the tokens of the session, if [`Builder::session_claim`](crate::Builder::session_claim)
///   says which claim names it, and else nothing: the log says so once.
/// - With both, the session is revoked where it is named, and the user's other tokens are accepted.
///
/// ```
/// use auth0_core::{Auth0, BackchannelLogout, Revocations};
///
/// let revocations = Revocations::in_memory();
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .revocations(&revocations)
///     .build()?;
/// let logout = BackchannelLogout::new(&auth, ["the client id of the web application"])?;
/// # let _ = logout;
///
/// assert!(BackchannelLogout::new(&auth, ["YOUR_CLIENT_ID"]).is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct BackchannelLogout(Arc<Shared>);

struct Shared {
    auth: Auth0,
    effect: Effect,
    client_ids: Vec<String>,
    /// The issuers whose tokens are revoked as well.
    issuers: Vec<String>,
    /// Whether the log has said that tokens do not name their session.
    has_warned: AtomicBool,
}

/// What a logout token changes.
#[derive(Clone)]
enum Effect {
    Revocations(Revocations),
    Sink(Arc<dyn LogoutSink>),
}

/// Ends sessions that are not access tokens.
pub trait LogoutSink: Send + Sync + 'static {
    /// Ends what a logout token names, and then records its use. Returns whether that is the first one.
    ///
    /// # Errors
    /// The sessions cannot be ended now. The text is for the log.
    fn log_out<'a>(&'a self, token: &'a LogoutToken) -> BoxFuture<'a, Result<bool, String>>;
}

/// Creates an endpoint that ends other sessions than access tokens.
///
/// # Errors
/// As for [`BackchannelLogout::new`].
pub fn backchannel_logout_with(
    auth: &Auth0,
    client_id: &str,
    sink: Arc<dyn LogoutSink>,
) -> Result<BackchannelLogout, ConfigError> {
    BackchannelLogout::with(auth, vec![client_id.to_owned()], Effect::Sink(sink))
}

/// Returns the id under which the use of a logout token is recorded.
#[must_use]
pub fn use_of(token: &LogoutToken) -> UsedId {
    token.used
}

impl BackchannelLogout {
    /// Creates the endpoint for these client ids.
    ///
    /// # Errors
    /// There is no client id, one is empty or a placeholder, the verifier has no
    /// [`Builder::revocations`](crate::Builder::revocations), or it has a resolver and no configured issuer.
    pub fn new<C: Into<String>>(
        auth: &Auth0,
        client_ids: impl IntoIterator<Item = C>,
    ) -> Result<Self, ConfigError> {
        let client_ids = client_ids.into_iter().map(Into::into).collect();
        let Some(revocations) = auth.0.revocations.clone() else {
            return Err(ConfigError::new(
                "back-channel logout has an effect only if the verifier has revocations. Add \
                 .revocations(&revocations) to Auth0::builder()",
            ));
        };
        Self::with(auth, client_ids, Effect::Revocations(revocations))
    }

    fn with(auth: &Auth0, client_ids: Vec<String>, effect: Effect) -> Result<Self, ConfigError> {
        const HINT: &str = "the applications with which users log in (Dashboard > Applications > Settings > Client ID)";
        if client_ids.is_empty() {
            let text = format!("back-channel logout needs the client ids of {HINT}");
            return Err(ConfigError::new(text));
        }
        let is_wrong = |id: &&String| id.trim() != *id || id.is_empty() || is_placeholder(id);
        if let Some(wrong) = client_ids.iter().find(is_wrong) {
            let why = match wrong.trim() {
                "" => "is empty",
                trimmed if trimmed != wrong => "has spaces around it",
                _ => "is still a placeholder",
            };
            return Err(ConfigError::new(format!(
                "the client id {} for back-channel logout {why}. Write those of {HINT}",
                Escaped(wrong)
            )));
        }
        if auth.issuers().next().is_none() {
            return Err(ConfigError::new(
                "back-channel logout accepts logout tokens of configured issuers only, and the verifier has none but \
                 those of its resolver. Add them with Auth0::builder().issuers(...)",
            ));
        }
        let (auth, issuers, has_warned) = (auth.clone(), Vec::new(), AtomicBool::new(false));
        Ok(Self(Arc::new(Shared { auth, effect, client_ids, issuers, has_warned })))
    }

    /// Adds issuers for which a logout token revokes as well, whichever of the tenant's issuers has sent it: a tenant with
    /// a custom domain has two, and the logout token names one of them. They are written as domains or as in the `iss`
    /// claim.
    ///
    /// # Errors
    /// One is not valid, or not a configured issuer of the verifier.
    pub fn issuers<I: Into<String>>(
        self,
        issuers: impl IntoIterator<Item = I>,
    ) -> Result<Self, ConfigError> {
        let Shared { auth, effect, client_ids, .. } = &*self.0;
        let mut all = self.0.issuers.clone();
        for text in issuers.into_iter().map(Into::into) {
            let parsed: Issuer = match text.contains("://") {
                true => text.parse()?,
                false => text.parse::<Domain>()?.issuer(),
            };
            let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
            let known = auth.issuers().find(|known| bare(known) == bare(parsed.as_str()));
            let known = known.ok_or_else(|| {
                ConfigError::new(format!(
                    "the issuer {parsed} for back-channel logout is not one of the verifier. Add it with \
                     Auth0::builder().issuer(...)"
                ))
            })?;
            all.push(known.to_owned());
        }
        let (auth, effect, client_ids) = (auth.clone(), effect.clone(), client_ids.clone());
        let has_warned = AtomicBool::new(false);
        Ok(Self(Arc::new(Shared { auth, effect, client_ids, issuers: all, has_warned })))
    }

    /// Creates the endpoint for the client ids of the environment variable `AUTH0_LOGOUT_CLIENT_IDS`: one, or several
    /// separated by commas.
    ///
    /// # Errors
    /// The variable is missing or not valid; otherwise as for [`new`](Self::new).
    pub fn from_env(auth: &Auth0) -> Result<Self, ConfigError> {
        const NAME: &str = "AUTH0_LOGOUT_CLIENT_IDS";
        let client_ids = variables(NAME)?;
        Self::new(auth, client_ids).map_err(|error| ConfigError::new(format!("{NAME}: {error}")))
    }

    /// Limits the body of a request in bytes: an adapter reads no more, and passes `None` for what is longer.
    #[must_use]
    pub const fn body_limit(&self) -> usize {
        MAX_TOKEN_BYTES
    }

    /// Returns the response to a request: for adapters. `body` is `None` if it is longer than
    /// [`body_limit`](Self::body_limit).
    pub async fn respond(
        &self,
        method: &str,
        content_type: Option<&[u8]>,
        body: Option<&[u8]>,
    ) -> LogoutResponse {
        if method != "POST" {
            let mut response = LogoutResponse::refused(405, "Send the logout token with POST.");
            response.headers.push(("allow", "POST"));
            return response;
        }
        if !content_type.is_some_and(is_form) {
            return LogoutResponse::refused(
                415,
                "Send the logout token as application/x-www-form-urlencoded.",
            );
        }
        let Some(body) = body else {
            return LogoutResponse::refused(413, "The body of the request is too large.");
        };
        let Some(token) = logout_token(body) else {
            return LogoutResponse::refused(400, "The body must have exactly one logout_token.");
        };
        let clock = &*self.0.auth.0.clock;
        let outcome = tokio::select! {
            biased;
            outcome = self.0.handle(&token) => outcome,
            () = passed(clock, LIMIT) => Err(LogoutTokenError::unavailable("it took too long")),
        };
        match outcome {
            Ok(()) => {
                metrics::logout_token("accepted");
                LogoutResponse::accepted()
            }
            Err(error) if error.is_temporary() => {
                self.0.note_failure(&error);
                let mut response = LogoutResponse::new(
                    503,
                    "temporarily_unavailable",
                    "The logout token cannot be handled at the moment. Try again later.",
                );
                response.headers.push(("retry-after", RETRY));
                response
            }
            Err(error) => {
                metrics::logout_token("refused");
                if self.0.auth.0.refusals.admits_logout_token(false) {
                    tracing::warn!(target: "auth0", %error, "refused a logout token");
                }
                LogoutResponse::refused(400, "The logout token is not valid.")
            }
        }
    }
}

impl Shared {
    async fn handle(&self, token: &str) -> Result<(), LogoutTokenError> {
        let token = self.auth.verify_logout_token(token, &self.client_ids).await?;
        let is_first = match &self.effect {
            Effect::Revocations(revocations) => self.revoke(revocations, &token).await?,
            Effect::Sink(sink) => {
                sink.log_out(&token).await.map_err(LogoutTokenError::unavailable)?
            }
        };
        match is_first {
            true => Ok(()),
            false => Err(LogoutTokenError::invalid("it was used before")),
        }
    }

    /// Counts and logs a token that may be good. One whose key is unknown is nearly always forged: it must not look as if
    /// logouts had no effect.
    fn note_failure(&self, error: &LogoutTokenError) {
        let (is_key_unknown, refusals) = (error.is_key_unknown(), &self.auth.0.refusals);
        metrics::logout_token(if is_key_unknown { "key_unknown" } else { "unavailable" });
        if !refusals.admits_logout_token(!is_key_unknown) {
            return;
        }
        if is_key_unknown {
            tracing::warn!(target: "auth0", %error, "a logout token could not be handled yet");
        } else {
            tracing::error!(target: "auth0", %error, "a logout token could not be handled");
        }
    }

    async fn revoke(
        &self,
        revocations: &Revocations,
        token: &LogoutToken,
    ) -> Result<bool, LogoutTokenError> {
        let failed = |error: RevocationError| LogoutTokenError::unavailable(error.to_string());
        // Revoked before the use is recorded: a token whose revocation fails can be sent again.
        let others = self.issuers.iter().map(String::as_str);
        for issuer in [token.issuer()].into_iter().chain(others) {
            for revocation in self.revocations_of(token, issuer) {
                revocations.revoke(revocation).await.map_err(failed)?;
            }
        }
        revocations.use_once(token.used).await.map_err(failed)
    }

    fn revocations_of(&self, token: &LogoutToken, issuer: &str) -> Vec<Revocation> {
        let at = token.issued_at();
        let trusted = self.auth.0.issuers.named(issuer);
        let has_sessions = trusted.is_some_and(|trusted| trusted.validation.has_sessions());
        match (token.subject(), token.session_id(), has_sessions) {
            (subject, Some(session), true) => {
                let session = Revocation::session(issuer, session);
                let others = subject
                    .map(|subject| Revocation::subject_outside_sessions(issuer, subject).at(at));
                [Some(session), others].into_iter().flatten().collect()
            }
            (Some(subject), _, _) => vec![Revocation::subject(issuer, subject).at(at)],
            (None, _, _) => {
                if !self.has_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        target: "auth0", issuer = %Escaped(issuer),
                        "a logout token names a session and no user, and access tokens do not name their session: \
                         nothing is revoked. Copy event.session.id into a claim with an Action, and name it with \
                         Builder::session_claim"
                    );
                }
                Vec::new()
            }
        }
    }
}

/// Returns whether the media type is that of a form (RFC 9110 §8.3.1).
fn is_form(content_type: &[u8]) -> bool {
    let name = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Returns the logout token of a form, if there is exactly one.
fn logout_token(body: &[u8]) -> Option<String> {
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then(|| token.into_owned())
}

/// The response to a logout token, for any HTTP library: copy the status, every header and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutResponse {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl LogoutResponse {
    fn accepted() -> Self {
        Self { status: 200, headers: vec![("cache-control", "no-store")], body: String::new() }
    }

    fn refused(status: u16, description: &str) -> Self {
        Self::new(status, "invalid_request", description)
    }

    fn new(status: u16, error: &str, description: &str) -> Self {
        let headers = vec![("content-type", "application/json"), ("cache-control", "no-store")];
        let body = serde_json::json!({ "error": error, "error_description": description });
        Self { status, headers, body: body.to_string() }
    }

    /// Returns the HTTP status code: 200, 400, 405, 413, 415 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns every header: a lower-case name, and a value of printable ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.headers.iter().copied()
    }

    /// Returns the body, which is empty after a success.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }
}

impl fmt::Debug for BackchannelLogout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackchannelLogout")
            .field("client_ids", &self.0.client_ids)
            .finish_non_exhaustive()
    }
}
