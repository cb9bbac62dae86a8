//! The layer that reads which tools a request calls.
use super::{refuse, verified};
use crate::{
    context::ContextAdapter,
    rejection::refusal,
    request::Head,
    whole_body::{Unread, whole_body},
};
use auth0_core::{Error, adapter, mcp};
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// What a token needs for the operations of an MCP server (Model Context Protocol), as a layer *inside* an
/// [`AuthLayer`](crate::AuthLayer), around a `Router` or a service of `rmcp`.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, McpTools, metadata_routes, policy::*};
/// use axum::{Router, routing::post};
///
/// # async fn mcp() {}
/// # fn main() -> Result<(), auth0_axum::ConfigError> {
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .resource("https://api.acme.com/mcp")
///     .build()?;
/// let tools = McpTools::new().default(scope("mcp:read")).tool("purge", scope("mcp:purge"));
/// let metadata = auth.resource_metadata()?.requirement(&scope("mcp:read"));
/// let app: Router = Router::new()
///     .route("/mcp", post(mcp))
///     .layer(tools)
///     .layer(AuthLayer::new(auth).require(scope("mcp:read")))
///     .merge(metadata_routes(metadata));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// - It reads the body of each request, up to [`max_body_bytes`](Self::max_body_bytes), and hands it on unchanged.
/// - Each operation needs the default requirement and its own, and a refusal names all scopes of the operation, so that
///   a client can request them (step-up). A batch needs what all its messages need. What cannot be read with
///   certainty needs everything: see [`auth0_core::mcp::McpTools`].
/// - A header `Mcp-Method` or `Mcp-Name` that says something else than the body is refused with `400`. Clients of older
///   versions of the protocol do not send them.
#[derive(Clone)]
#[must_use]
pub struct McpTools(Arc<mcp::McpTools>);

impl McpTools {
    auth0_core::__mcp_tools!();

    /// Reads the body, and decides. The body is returned as it was.
    async fn admit(&self, parts: &mut Parts, body: Body) -> Result<Body, Error> {
        let (auth, token) = verified(parts)?;
        let token = token.as_ref();
        if let Some(needed) = self.0.requirement_of_upgrade(&parts.adapter()) {
            adapter::admit_operation(&auth, token, Ok(needed), || ContextAdapter::new(parts))?;
            return Ok(body);
        }
        let limit = self.0.body_limit();
        let body = match whole_body(body, limit).await {
            Ok(body) => body,
            Err(Unread::TooLarge) => {
                return Err(refuse(&auth, token, self.0.too_large(), parts));
            }
            Err(Unread::Incomplete) => {
                return Err(refuse(&auth, token, self.0.broken_off(), parts));
            }
        };
        let requirement = self.0.requirement_of(&parts.adapter(), &body);
        adapter::admit_operation(&auth, token, requirement, || ContextAdapter::new(parts))?;
        Ok(Body::from(body))
    }
}

impl Default for McpTools {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for McpTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S> Layer<S> for McpTools {
    type Service = McpToolsService<S>;

    fn layer(&self, inner: S) -> McpToolsService<S> {
        McpToolsService { inner, tools: self.clone() }
    }
}

/// The service that [`McpTools`] creates.
#[derive(Clone, Debug)]
pub struct McpToolsService<S> {
    inner: S,
    tools: McpTools,
}

impl<S, R> Service<Request<Body>> for McpToolsService<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<axum_core::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let tools = self.tools.clone();
        // The clone was not polled ready, the original was: call that one.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match tools.admit(&mut parts, body).await {
                Ok(body) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.map(Body::new))
                }
                Err(error) => Ok(refusal(error).map(crate::body::AuthBody::into_axum)),
            }
        })
    }
}
