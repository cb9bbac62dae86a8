//! The layer that binds sessions to identities.
use super::{refuse, verified};
use crate::{rejection::refusal, request::Head};
use auth0_core::{Error, VerifiedToken, mcp};
use axum_core::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, request::Parts};
use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

static SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Binds the sessions of an MCP server (`Mcp-Session-Id`) to the issuer, subject and client of the token that created
/// them, as a layer *inside* an [`AuthLayer`](crate::AuthLayer): to another identity, a session does not exist (`404
/// mcp_session_unknown`).
///
/// Only servers with sessions need it. See [`auth0_core::mcp::McpSessions`] for what it remembers.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, McpSessions};
/// use axum::{Router, routing::post};
///
/// # async fn mcp() {}
/// # fn app(auth: Auth0) -> Router {
/// Router::new()
///     .route("/mcp", post(mcp))
///     .layer(McpSessions::default())
///     .layer(AuthLayer::new(auth))
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct McpSessions(mcp::McpSessions);

impl McpSessions {
    /// Creates a memory for at most this many sessions, instead of 10,000.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(mcp::McpSessions::new(capacity))
    }

    fn admit(&self, parts: &mut Parts) -> Result<Option<VerifiedToken>, Error> {
        let (auth, token) = verified(parts)?;
        self.0
            .check(token.as_ref(), &parts.adapter())
            .map_err(|error| refuse(&auth, token.as_ref(), error, parts))?;
        Ok(token)
    }

    /// Takes from the answer whether a session has begun or ended.
    fn observe<R>(
        &self,
        token: Option<&VerifiedToken>,
        ended: Option<&HeaderValue>,
        response: &Response<R>,
    ) {
        if let Some(id) = session_id(response.headers()) {
            self.0.created(token, id.as_bytes());
        }
        if let Some(id) = ended.filter(|_| response.status().is_success()) {
            self.0.ended(id.as_bytes());
        }
    }
}

fn session_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(&SESSION_ID)
}

impl<S> Layer<S> for McpSessions {
    type Service = McpSessionsService<S>;

    fn layer(&self, inner: S) -> McpSessionsService<S> {
        McpSessionsService { inner, sessions: self.clone() }
    }
}

/// The service that [`McpSessions`] creates.
#[derive(Clone, Debug)]
pub struct McpSessionsService<S> {
    inner: S,
    sessions: McpSessions,
}

impl<S, B, R> Service<Request<B>> for McpSessionsService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<axum_core::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let sessions = self.sessions.clone();
        // The clone was not polled ready, the original was: call that one.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let token = match sessions.admit(&mut parts) {
                Ok(token) => token,
                Err(error) => return Ok(refusal(error).map(crate::body::AuthBody::into_axum)),
            };
            let is_end = parts.method == Method::DELETE;
            let ended = session_id(&parts.headers).cloned().filter(|_| is_end);
            let response = inner.call(Request::from_parts(parts, body)).await?;
            sessions.observe(token.as_ref(), ended.as_ref(), &response);
            Ok(response.map(Body::new))
        })
    }
}
