//! Authorization requests that the client sends itself: pushed (RFC 9126), signed (RFC 9101), with details
//! (RFC 9396).
use super::{Members, audience, backchannel::details_text};
use crate::{
    client::Client,
    error::{Error, ErrorKind},
    key::random_id,
    parameters::{Mistake, Parameters, Scopes, required},
    server::{Body, Call, Deadline, Endpoint},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// The largest request that Auth0 accepts at its endpoint, in bytes.
const MAX_BYTES: usize = 10 * 1024;

/// The most custom parameters that Auth0 accepts.
const MAX_CUSTOM: usize = 10;

/// The life of a signed request: until the browser has opened it.
const SIGNED_LIFE: Duration = Duration::from_secs(60);

/// The type of a signed request (RFC 9101 §10.8).
const REQUEST_OBJECT: &str = "oauth-authz-req+jwt";

/// The parameters that this request sets, and those that would replace it.
const RESERVED: [&str; 9] = [
    "audience",
    "authorization_details",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "scope",
    "iss",
    "aud",
];

/// An authorization request: see [`Client::authorization_request`].
#[must_use = "`push` sends the request"]
pub struct AuthorizationRequest {
    client: Client,
    redirect_uri: String,
    audience: Option<String>,
    scopes: Scopes,
    details: Option<String>,
    extra: Parameters,
    is_signed: bool,
    deadline: Duration,
    mistake: Mistake,
}

/// A request that Auth0 has received: the browser opens [`url`](Self::url).
pub struct PushedRequest {
    url: String,
    request_uri: String,
    expires_in: Duration,
}

impl Client {
    /// Starts an authorization request (`response_type=code`) that the browser of the user opens. Its parameters reach
    /// Auth0 from this server, so that neither the browser nor a link can change or read them.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, web};
    /// # run(async {
    /// # let client = web();
    /// let request = client
    ///     .authorization_request("https://app.acme.com/callback")
    ///     .scopes(["openid"])
    ///     .parameter("state", "af0ifjsldkj")
    ///     .parameter("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    ///     .parameter("code_challenge_method", "S256");
    /// let pushed = request.push().await?;
    /// assert!(pushed.url().contains("request_uri="));
    /// # Ok(())
    /// # });
    /// ```
    pub fn authorization_request(&self, redirect_uri: impl Into<String>) -> AuthorizationRequest {
        let redirect_uri = redirect_uri.into();
        let mut mistake = Mistake::default();
        mistake.note(required("the redirect URI", &redirect_uri));
        AuthorizationRequest {
            client: self.clone(),
            redirect_uri,
            audience: None,
            scopes: Scopes::default(),
            details: None,
            extra: Parameters::default(),
            is_signed: false,
            deadline: self.0.deadline,
            mistake,
        }
    }
}

impl AuthorizationRequest {
    /// Sets the API that the access token is for.
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Requests these scopes.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.mistake.note(result);
        self
    }

    /// Sets what exactly the user authorizes (RFC 9396): a list of objects with a `type`.
    pub fn authorization_details(mut self, details: &impl Serialize) -> Self {
        match details_text(details) {
            Ok(details) => self.details = Some(details),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Adds a parameter of `/authorize`: `state`, `nonce`, `code_challenge`, `organization`, `ext-…` and others.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Signs the request with the client's signing key (JAR), so that Auth0 accepts no other parameters.
    pub const fn signed(mut self) -> Self {
        self.is_signed = true;
        self
    }

    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sends the request to Auth0 (PAR).
    ///
    /// # Errors
    /// [`Misconfigured`](ErrorKind::Misconfigured): the tenant has not enabled it, the client is public, or the request
    /// is too large. Others as for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn push(self) -> Result<PushedRequest, Error> {
        let (client, deadline) = (self.client.clone(), self.deadline);
        if !client.0.server.authentication.is_confidential() {
            return Err(misconfigured("A public client cannot push authorization requests"));
        }
        let parameters = self.parameters().await?;
        if parameters.form(&[]).len() > MAX_BYTES {
            return Err(misconfigured("The authorization request is larger than 10 KiB"));
        }
        let body = Body::Form(parameters);
        let call = Call::to(Endpoint::PushedAuthorization, "pushed_authorization", body);
        let answer = Members::read(&client.0.answer(call, deadline).await?)?;
        let request_uri = answer.text("request_uri")?;
        let query = [("client_id", client.client_id()), ("request_uri", &request_uri)];
        let url = client.authorize_url(&query, deadline).await?;
        let expires_in = answer.seconds("expires_in").unwrap_or_default();
        Ok(PushedRequest { url, request_uri, expires_in })
    }

    /// Returns the URL of the request for the browser, without sending anything: with all parameters, or with the signed
    /// request.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub async fn url(self) -> Result<String, Error> {
        let (client, deadline) = (self.client.clone(), self.deadline);
        let parameters = self.parameters().await?;
        let mut query = vec![("client_id", client.client_id())];
        query.extend(parameters.iter());
        client.authorize_url(&query, deadline).await
    }

    async fn parameters(self) -> Result<Parameters, Error> {
        self.mistake.check()?;
        let shared = Arc::clone(&self.client.0);
        let custom = self.extra.iter().filter(|(name, _)| name.starts_with("ext-")).count();
        if custom > MAX_CUSTOM {
            return Err(misconfigured(
                "The authorization request has more than 10 parameters ext-…",
            ));
        }
        let mut parameters = Parameters::default()
            .with("response_type", "code")
            .with("redirect_uri", self.redirect_uri);
        parameters.set_some("scope", self.scopes.text());
        parameters.set_some("audience", self.audience);
        parameters.set_some("authorization_details", self.details);
        if let Some(prover) = &shared.server.prover {
            parameters.set("dpop_jkt", prover.key.thumbprint());
        }
        parameters.append(self.extra);
        if !self.is_signed {
            return Ok(parameters);
        }
        let server = &shared.server;
        let key = server.signing_key().ok_or_else(|| {
            misconfigured(
                "A signed request needs a signing key: AUTH0_CLIENT_ASSERTION_SIGNING_KEY",
            )
        })?;
        let unsigned =
            || Error::new(ErrorKind::Unavailable, "The system has no randomness for a request");
        let now = server.clock.unix_time().as_secs();
        let mut claims: Map<String, Value> =
            parameters.iter().map(|(name, value)| (name.to_owned(), claim(name, value))).collect();
        for (name, value) in [
            ("client_id", Value::from(&*server.client_id)),
            ("iss", (*server.client_id).into()),
            ("aud", shared.issuer(self.deadline).await?.into()),
            ("iat", now.into()),
            ("nbf", now.into()),
            ("exp", (now + SIGNED_LIFE.as_secs()).into()),
            ("jti", random_id().ok_or_else(unsigned)?.into()),
        ] {
            claims.insert(name.into(), value);
        }
        let request = key.sign(REQUEST_OBJECT, &claims.into()).ok_or_else(unsigned)?;
        Ok(Parameters::default().with("request", request))
    }
}

/// Returns a parameter as a claim: those that are JSON are not texts there (RFC 9101 §4).
fn claim(name: &str, value: &str) -> Value {
    match name {
        "authorization_details" | "claims" => {
            serde_json::from_str(value).unwrap_or_else(|_| value.into())
        }
        "max_age" => value.parse::<u64>().map_or_else(|_| value.into(), Value::from),
        _ => value.into(),
    }
}

impl Client {
    async fn authorize_url(
        &self,
        query: &[(&str, &str)],
        limit: Duration,
    ) -> Result<String, Error> {
        let server = Arc::clone(&self.0.server);
        let deadline = Deadline::after(limit, &*server.clock);
        let base = self.0.on_thread(async move {
            let metadata = server.metadata(&deadline).await?;
            server.url(Endpoint::Authorization, &metadata)
        });
        let mut url = Url::parse(&base.await?).map_err(|_| {
            Error::new(ErrorKind::Malformed, "The authorization endpoint is not a URL")
        })?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url.into())
    }
}

fn misconfigured(cause: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, cause)
}

impl PushedRequest {
    /// Returns the URL that the browser opens: with the client id and the request URI, and nothing else.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the request URI, which is good for one use.
    #[must_use]
    pub fn request_uri(&self) -> &str {
        &self.request_uri
    }

    /// Returns how long the request can be opened, as of the answer.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.expires_in
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PushedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushedRequest")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
