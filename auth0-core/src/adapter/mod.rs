//! The interface for adapters of web frameworks: the view of a request, and the steps that are the same in
//! each framework.
//!
//! 1. An adapter describes its request with [`RequestParts`], or implements [`HttpParts`] for it, and creates a
//!    [`RequestView`].
//! 2. It calls [`Auth0::authenticate`], or first [`Auth0::authenticate_now`], once for each request: [`Verdicts`]
//!    keeps the verdict.
//! 3. It calls [`require`], [`optional`] or [`admit`] with the requirement of the route.
//! 4. It sends [`Error::challenge`] if the request is not admitted.
//!
//! `docs/adapters.md` of the repository has an adapter in sixty lines.
//!
//! ```
//! # use auth0_testing::Tenant;
//! use auth0_core::{adapter::{self, NoContext, RequestView}, policy::scope};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let tenant = Tenant::new();
//! let auth = tenant.auth0();
//! let header = format!("Bearer {}", tenant.token().scope("read:a").mint());
//! let request = RequestView::new().authorization([header.as_bytes()]);
//!
//! let verdict = auth.authenticate(&request).await;
//! let admitted = adapter::admit(&auth, verdict.clone(), &scope("read:a"), false, || NoContext);
//! assert!(admitted.is_ok_and(|token| token.is_some()));
//! let refused = adapter::admit(&auth, verdict, &scope("read:b"), false, || NoContext);
//! assert_eq!(refused.unwrap_err().challenge().status(), 403);
//! # })
//! ```
mod offered_token;
mod request_parts;

pub use crate::{
    auth0::RefusalWatch,
    policy::RequestContext,
    request::{Connection, HeaderLines, HttpParts, RequestView, only},
};

pub use offered_token::{BEARER_PROTOCOL, OfferedToken, offered_token};
pub use request_parts::RequestParts;

pub use crate::{
    auth0::{LogoutResponse, MetadataResponse},
    lease::{
        opening_request::OpeningRequest,
        tcp::{CloseGuard, TcpHandle},
    },
};

/// A WebSocket that ends with its token.
pub mod websocket {
    pub use crate::lease::websocket::{
        Close, Ending, Receive, Received, SEND_LIMIT, Session, Transmit, UNAUTHORIZED, refuse,
    };
}

/// The first messages of a GraphQL connection over `graphql-transport-ws`.
pub mod graphql {
    pub use crate::lease::connection_init::{
        BAD_MESSAGE, FirstMessage, GRAPHQL_TRANSPORT_WS, INIT_LIMIT, INIT_TIMEOUT, MAX_INIT_BYTES,
        NOT_ACKNOWLEDGED, SUBPROTOCOL_UNACCEPTABLE, TOO_MANY_INITS, open,
    };
}

use crate::{
    auth0::Auth0,
    error::{Error, ErrorCode},
    lease::Lease,
    policy::Requirement,
    token::{Organization, VerifiedToken},
};
use serde::de::DeserializeOwned;
use std::{borrow::Cow, fmt};

/// The verdicts about one request, including refusals. An adapter keeps them with the request, so that each
/// verifier verifies once.
///
/// A verdict belongs to a verifier, because a token for one audience must not reach a route that trusts
/// another. It also belongs to the `Authorization` header, because a middleware may replace the token.
///
/// ```
/// use auth0_core::{Auth0, adapter::Verdicts};
///
/// let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
/// let (one, other) = (builder.clone().build()?, builder.build()?);
/// let mut verdicts = Verdicts::new(&one, "Bearer a", 1);
/// verdicts.push(&one, "Bearer b", 2);
/// assert_eq!(verdicts.get(&one, &"Bearer b"), Some(&2));
/// assert_eq!(verdicts.get(&other, &"Bearer b"), None);
/// assert_eq!(format!("{verdicts:?}"), "Verdicts { len: 2, .. }"); // without the tokens
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Verdicts<H, V> {
    first: Entry<H, V>,
    /// The verdicts of further verifiers or headers, which are rare.
    more: Vec<Entry<H, V>>,
}

#[derive(Clone)]
struct Entry<H, V> {
    by: Auth0,
    header: H,
    verdict: V,
}

/// Prints the number of verdicts. The headers contain tokens.
impl<H, V> fmt::Debug for Verdicts<H, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdicts").field("len", &(1 + self.more.len())).finish_non_exhaustive()
    }
}

impl<H: PartialEq, V> Verdicts<H, V> {
    /// Creates the list with the first verdict about a request.
    pub fn new(by: &Auth0, header: H, verdict: V) -> Self {
        Self { first: Entry { by: by.clone(), header, verdict }, more: Vec::new() }
    }

    /// Adds a verdict.
    pub fn push(&mut self, by: &Auth0, header: H, verdict: V) {
        self.more.push(Entry { by: by.clone(), header, verdict });
    }

    /// Returns the verdict of a verifier about this header.
    pub fn get(&self, by: &Auth0, header: &H) -> Option<&V> {
        std::iter::once(&self.first)
            .chain(&self.more)
            .find(|entry| entry.by.is(by) && entry.header == *header)
            .map(|entry| &entry.verdict)
    }
}

/// Returns whether an adapter should keep a verdict for the rest of the request. A token in the token cache
/// need not be kept, because verifying it again costs no signature check. The verdict about a resolved
/// issuer must be kept, because a middleware may change the request that it depends on.
#[must_use]
pub fn is_to_be_kept(auth: &Auth0, verdict: &Result<VerifiedToken, Error>) -> bool {
    !verdict.as_ref().is_ok_and(|token| auth.has_cached(token))
}

/// Creates the lease of a connection behind a requirement. It keeps the request that opened it; its headers only if a newer
/// token depends on them.
pub fn lease_of_route(
    auth: &Auth0,
    token: &VerifiedToken,
    requirement: Requirement,
    opening: impl FnOnce() -> OpeningRequest,
) -> Lease {
    Lease::behind(auth, token, requirement, || Some(opening()))
}

/// Returns whether this verifier has verified the token, for every request: its issuer is not one that a resolver has
/// found for one of them. An extractor need not verify such a token again if a layer has admitted it.
#[must_use]
pub fn has_verified(auth: &Auth0, token: &VerifiedToken) -> bool {
    auth.has_verified(token)
}

/// Returns whether a request came from a trusted proxy ([`Builder::trusted_proxies`](crate::Builder::trusted_proxies)),
/// which may carry requests of several clients on one connection of HTTP/2: closing it would end those of all.
#[must_use]
pub fn is_from_proxy(auth: &Auth0, request: &dyn HttpParts) -> bool {
    auth.is_from_proxy(request)
}

/// Decides whether a request is admitted: with a token that meets the requirement or, if authentication is
/// optional, without any credentials (`None`). `context` is called only if the requirement needs a value of
/// the request, or for the log of a refusal.
///
/// # Errors
/// The refusal.
pub fn admit<C: RequestContext>(
    auth: &Auth0,
    verdict: Result<VerifiedToken, Error>,
    requirement: &Requirement,
    is_optional: bool,
    context: impl FnOnce() -> C,
) -> Result<Option<VerifiedToken>, Error> {
    if is_optional && verdict.as_ref().is_err_and(is_missing) {
        return Ok(None);
    }
    require(auth, verdict, requirement, context).map(Some)
}

/// Returns the token of a request, which must meet the requirement. `context` is called as by [`admit`].
///
/// # Errors
/// The refusal.
pub fn require<C: RequestContext>(
    auth: &Auth0,
    verdict: Result<VerifiedToken, Error>,
    requirement: &Requirement,
    context: impl FnOnce() -> C,
) -> Result<VerifiedToken, Error> {
    let token = verdict.map_err(|error| behind(auth, requirement, error))?;
    authorize(auth, &token, requirement, context)?;
    Ok(token)
}

/// Adds the scopes of a requirement to the refusal of a request behind it: a `401` names them if a
/// [resource](crate::Builder::resource) is configured, so that the client requests a token that has them.
#[must_use]
pub fn behind(auth: &Auth0, requirement: &Requirement, error: Error) -> Error {
    auth.suggesting_scope_of(requirement, error)
}

/// Completes, counts and logs a refusal that the adapter has decided, of a request with a verified token or
/// without one. `context` is called for the log.
#[must_use]
pub fn refuse<C: RequestContext>(
    auth: &Auth0,
    token: Option<&VerifiedToken>,
    error: Error,
    context: impl FnOnce() -> C,
) -> Error {
    auth.refuse_for(token, error, || Some(context()))
}

/// Decides whether an operation of an MCP server is admitted. `requirement` is the result of
/// [`McpTools::requirement_of`](crate::mcp::McpTools::requirement_of). Where authentication is optional, a request
/// without a token is admitted if its operation needs nothing. A token that has ended since it was verified is refused.
///
/// # Errors
/// The refusal.
#[cfg(feature = "mcp")]
pub fn admit_operation<C: RequestContext>(
    auth: &Auth0,
    token: Option<&VerifiedToken>,
    requirement: Result<crate::mcp::OperationRequirement, Error>,
    context: impl FnOnce() -> C,
) -> Result<(), Error> {
    // A client may send the body long after its token was verified.
    if let Some(token) = token
        && let Some(code) = token.ended().reason()
    {
        let error = Error::new(code).because("the token has ended before the body was complete");
        let error = error.with_scheme(token.scheme());
        let error = refuse(auth, Some(token), error, context);
        return Err(match &requirement {
            Ok(needed) => behind(auth, &needed.requirement, error),
            Err(_) => error,
        });
    }
    let (requirement, uncertain) = match requirement {
        Ok(needed) => (needed.requirement, needed.uncertain),
        Err(error) => return Err(refuse(auth, token, error, context)),
    };
    let reason = uncertain.map(|why| format!("the body needs everything, because {why}"));
    match token {
        Some(token) => auth.check(token, &requirement, reason.as_deref(), || Some(context())),
        None if requirement.is_authenticated() => Ok(()),
        None => {
            let error = refuse(auth, None, Error::new(ErrorCode::TokenMissing), context);
            Err(behind(auth, &requirement, error))
        }
    }
}

/// Checks that a token, and the request if it is needed, meet a requirement.
///
/// # Errors
/// As for [`Auth0::authorize_request`].
pub fn authorize<C: RequestContext>(
    auth: &Auth0,
    token: &VerifiedToken,
    requirement: &Requirement,
    context: impl FnOnce() -> C,
) -> Result<(), Error> {
    auth.check(token, requirement, None, || Some(context()))
}

/// Returns a verified token with the application's own claims. `context` is called only for the log of a
/// refusal.
///
/// # Errors
/// As for [`Auth0::with_claims`].
pub fn with_claims<T: DeserializeOwned + 'static, C: RequestContext>(
    auth: &Auth0,
    token: VerifiedToken,
    context: impl FnOnce() -> C,
) -> Result<VerifiedToken<T>, Error> {
    auth.with_claims_for(token, || Some(context()))
}

/// Returns the organization of a verified token, which must have one. `context` is called only for the log of
/// a refusal.
///
/// # Errors
/// As for [`Auth0::organization_of`].
pub fn organization_of<C: RequestContext>(
    auth: &Auth0,
    token: &VerifiedToken,
    context: impl FnOnce() -> C,
) -> Result<Organization, Error> {
    auth.organization_for(token, || Some(context()))
}

/// Converts the error of missing credentials to `None`: a missing token is allowed, an invalid one is
/// rejected.
///
/// # Errors
/// Every other refusal.
pub fn optional<T>(verdict: Result<T, Error>) -> Result<Option<T>, Error> {
    match verdict {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &Error) -> bool {
    error.code() == ErrorCode::TokenMissing
}

/// Returns the encoded token of an `Authorization` header (RFC 9110 §11.4); empty if there is none. The token
/// is a secret until it expires.
///
/// ```
/// use auth0_core::adapter::encoded_token;
///
/// assert_eq!(encoded_token(b"Bearer abc.def.ghi"), "abc.def.ghi");
/// assert_eq!(encoded_token(b"Bearer"), "");
/// ```
#[must_use]
pub fn encoded_token(authorization: &[u8]) -> &str {
    let scheme = authorization.iter().position(|byte| *byte == b' ').unwrap_or(authorization.len());
    let token = authorization.get(scheme..).unwrap_or_default().trim_ascii();
    std::str::from_utf8(token).unwrap_or_default()
}

/// A request of which nothing is known: it has no path parameters and no headers.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "there is nothing to add to it")]
pub struct NoContext;

impl RequestContext for NoContext {
    fn path_parameter(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn header(&self, _: &str) -> Option<&[u8]> {
        None
    }
}
