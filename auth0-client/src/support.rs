//! What the crate `auth0-login` needs beyond the public interface: it may change in any release.
use crate::{
    client::{Client, ClientBuilder},
    error::{Error, ErrorKind},
    grant::{OpenGrant, Refresh},
    secret::Secret,
    server::{Deadline, Endpoint, Server},
    token::{Held, Lifetime, Token},
};
use auth0_core::{
    support::passed,
    time::Moment,
    transport::{HttpClient, HttpRequest, HttpResponse},
};
use std::{sync::Arc, time::Duration};

/// An access token that a session has kept.
#[allow(missing_debug_implementations, reason = "it has a secret")]
pub struct KeptToken<'a> {
    /// A secret.
    pub access_token: &'a str,
    /// The scopes that were granted.
    pub scope: &'a str,
    /// Whether it is bound to the client's DPoP key.
    pub is_dpop: bool,
    /// Since 1970.
    pub expires_at: Duration,
}

/// Returns a token that was kept, for requests of this client.
#[must_use]
pub fn token(client: &Client, kept: &KeptToken<'_>, now: Moment) -> Token {
    let left = kept.expires_at.saturating_sub(now.unix_time);
    Token(Arc::new(Held {
        access_token: Secret::new(kept.access_token),
        is_dpop: kept.is_dpop,
        scope: kept.scope.into(),
        lifetime: Some(Lifetime::new(now, left)),
        refresh_token: None,
        id_token: None,
        recovery_code: None,
        issued_token_type: None,
        authorization_details: None,
        prover: client.0.server.prover.clone(),
        marks: crate::token::Marks::default(),
    }))
}

/// Sets the scopes of the login whose code is exchanged: an answer without `scope` grants them (RFC 6749 §5.1).
pub fn code_of_login(grant: OpenGrant, scopes: &[String]) -> OpenGrant {
    grant.implying(scopes.join(" "))
}

/// Sets the scopes that were granted before: a refresh that names none has them (RFC 6749 §6).
pub fn refresh_of(refresh: Refresh, granted: &str) -> Refresh {
    refresh.implying(granted.to_owned())
}

/// Where users log out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutPage {
    /// The endpoint of the metadata (OpenID Connect RP-Initiated Logout 1.0 §2.1).
    EndSession(String),
    /// The one that each tenant of Auth0 has.
    OfAuth0(String),
    /// Another provider has none.
    Missing,
}

/// Returns where users log out. Without an answer of the tenant within the limit, that is the page of a tenant of Auth0.
pub async fn logout_page(client: &Client, limit: Duration) -> LogoutPage {
    let server = Arc::clone(&client.0.server);
    let read = async move {
        let deadline = Deadline::after(limit, &*server.clock);
        let metadata = server.metadata(&deadline).await?;
        Ok(match metadata.endpoint("end_session_endpoint") {
            Some(url) => LogoutPage::EndSession(url),
            None if server.is_of_auth0(&metadata) => LogoutPage::OfAuth0(server.at("v2/logout")),
            None => LogoutPage::Missing,
        })
    };
    let page = client.0.on_thread(read).await;
    page.unwrap_or_else(|_| LogoutPage::OfAuth0(client.0.server.at("v2/logout")))
}

/// Returns the URL of a path at the issuer, which may be written with a slash at its end or without.
#[must_use]
pub fn at_issuer(client: &Client, path: &str) -> String {
    client.0.server.at(path)
}

/// Replaces the tenant of a client: by a domain, or by an issuer if it is a URL.
pub fn with_tenant(client: ClientBuilder, tenant: &str) -> ClientBuilder {
    client.with_tenant(tenant)
}

/// Calls an API of the tenant with a token of the user, such as the My Account API. A proof that needs a nonce is sent once
/// more, and the nonce of each answer is kept.
///
/// # Errors
/// There is no answer within the limit.
pub async fn call_api(
    client: &Client,
    token: &Token,
    method: &'static str,
    url: String,
    body: Option<String>,
    limit: Duration,
) -> Result<HttpResponse, Error> {
    let (server, token) = (Arc::clone(&client.0.server), token.clone());
    let call = async move {
        let deadline = Deadline::after(limit, &*server.clock);
        let answer = async {
            let answer = attempt(&server, &token, method, &url, body.as_deref(), &deadline).await?;
            if !(token.is_dpop() && needs_nonce(&answer)) {
                return Ok(answer);
            }
            attempt(&server, &token, method, &url, body.as_deref(), &deadline).await
        };
        deadline.watch(&*server.clock, answer).await
    };
    client.0.on_thread(call).await
}

/// Calls an API once, with a proof of its own, and keeps the nonce of the answer.
async fn attempt(
    server: &Server,
    token: &Token,
    method: &'static str,
    url: &str,
    body: Option<&str>,
    deadline: &Deadline,
) -> Result<HttpResponse, Error> {
    let proofs = token.headers_for(method, url)?;
    let mut headers: Vec<(&str, &str)> = vec![("accept", "application/json")];
    for (name, value) in &proofs {
        headers.extend(value.to_str().ok().map(|value| (name.as_str(), value)));
    }
    if body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    let left = deadline.left(&*server.clock);
    let mut request = HttpRequest::new(method, url);
    request.headers = &headers;
    request.body = body.unwrap_or_default().as_bytes();
    request.timeout = left;
    let answer = tokio::select! {
        answer = server.http.send(request) => answer.map_err(|error| {
            Error::new(ErrorKind::Unavailable, error.to_string())
        })?,
        () = passed(&*server.clock, left) => {
            let cause = "The API has not answered in time";
            return Err(Error::new(ErrorKind::DeadlineExceeded, cause));
        }
    };
    if let Some(nonce) = answer.header("dpop-nonce") {
        token.keep_nonce(url, nonce);
    }
    Ok(answer)
}

/// Returns whether an API requires the nonce of this answer. The challenge may not be the first one, so the body counts
/// too.
fn needs_nonce(answer: &HttpResponse) -> bool {
    let code = "use_dpop_nonce";
    answer.status() == 401
        && answer.header("dpop-nonce").is_some()
        && (answer.header("www-authenticate").is_some_and(|line| line.contains(code))
            || answer.body().windows(code.len()).any(|part| part == code.as_bytes()))
}

/// Returns the transport of a client, for others that are created later.
#[must_use]
pub fn http_client(client: &Client) -> Arc<dyn HttpClient> {
    Arc::clone(&client.0.server.http)
}

/// Returns the limit of a call, unless a call has one of its own.
#[must_use]
pub fn deadline(client: &Client) -> Duration {
    client.0.deadline
}

/// Returns whether a client with this configuration can sign authorization requests (JAR).
#[must_use]
pub const fn signs_requests(client: &ClientBuilder) -> bool {
    client.signs_requests()
}

/// Checks that the tenant accepts pushed authorization requests (RFC 9126 §5).
///
/// # Errors
/// The metadata cannot be read within the limit, or names no endpoint for them.
pub async fn check_pushed_requests(client: &Client, limit: Duration) -> Result<(), Error> {
    let server = Arc::clone(&client.0.server);
    let read = async move {
        let deadline = Deadline::after(limit, &*server.clock);
        let metadata = server.metadata(&deadline).await?;
        server.url(Endpoint::PushedAuthorization, &metadata).map(drop)
    };
    client.0.on_thread(read).await
}

/// Returns an error of the verifier as one of the client.
#[must_use]
pub fn unavailable(error: auth0_core::Error) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}
