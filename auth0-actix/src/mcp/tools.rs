//! The middleware that reads which tools a request calls.
use super::{Answer, refuse, refused, verified};
use crate::{
    context::ContextAdapter,
    request::RequestAdapter,
    unread_body::UnreadBody,
    whole_body::{Unread, whole_body},
};
use actix_web::{
    Error as ActixError, HttpMessage,
    body::EitherBody,
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};
use auth0_core::{Error, adapter, mcp};
use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

/// What a token needs for the operations of an MCP server (Model Context Protocol), as a middleware *inside* a
/// [`RequireAuth`](crate::RequireAuth), around handlers or a service of `rmcp-actix-web`.
///
/// ```
/// use actix_web::{App, web};
/// use auth0_actix::{Auth0, McpTools, metadata_service, policy::*, require};
///
/// # async fn mcp() -> &'static str { "" }
/// # fn main() -> Result<(), auth0_actix::ConfigError> {
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .resource("https://api.acme.com/mcp")
///     .build()?;
/// let tools = McpTools::new().default(scope("mcp:read")).tool("purge", scope("mcp:purge"));
/// let metadata = auth.resource_metadata()?.requirement(&scope("mcp:read"));
/// let app = App::new().app_data(auth).service(metadata_service(metadata)).service(
///     web::resource("/mcp").wrap(tools).wrap(require(scope("mcp:read"))).route(web::post().to(mcp)),
/// );
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

    /// Reads the body and decides. The body is put back as it was; it is in the refusal if it was not read to its end.
    async fn admit(&self, request: &mut ServiceRequest) -> Result<(), (Error, Option<UnreadBody>)> {
        let (auth, token) = verified(request).map_err(|error| (error, None))?;
        let token = token.as_ref();
        let needed = self.0.requirement_of_upgrade(&RequestAdapter::new(request.request()));
        if let Some(needed) = needed {
            let context = || ContextAdapter::new(request.request());
            let admitted = adapter::admit_operation(&auth, token, Ok(needed), context);
            return admitted.map_err(|error| (error, None));
        }
        let mut payload = request.take_payload();
        let body = match whole_body(request.headers(), &mut payload, self.0.body_limit()).await {
            Ok(body) => body,
            Err(unread) => {
                let error = match unread {
                    Unread::TooLarge => self.0.too_large(),
                    // The client has broken off, and does not read the answer.
                    Unread::Incomplete => self.0.broken_off(),
                };
                let error = refuse(&auth, token, error, request);
                return Err((error, UnreadBody::take(payload)));
            }
        };
        let requirement = self.0.requirement_of(&RequestAdapter::new(request.request()), &body);
        let context = || ContextAdapter::new(request.request());
        adapter::admit_operation(&auth, token, requirement, context)
            .map_err(|error| (error, None))?;
        request.set_payload(Payload::from(body));
        Ok(())
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

impl<S, B> Transform<S, ServiceRequest> for McpTools
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = ActixError> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = ActixError;
    type InitError = ();
    type Transform = McpToolsService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(McpToolsService { service: Rc::new(service), tools: self.clone() }))
    }
}

/// The service that [`McpTools`] creates.
#[derive(Debug)]
pub struct McpToolsService<S> {
    service: Rc<S>,
    tools: McpTools,
}

impl<S, B> Service<ServiceRequest> for McpToolsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = ActixError> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = ActixError;
    type Future = Answer<B>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (service, tools) = (Rc::clone(&self.service), self.tools.clone());
        Box::pin(async move {
            match tools.admit(&mut request).await {
                Ok(()) => Ok(service.call(request).await?.map_into_left_body()),
                Err((error, body)) => Ok(refused(request, error, body)),
            }
        })
    }
}
