//! The middleware that binds sessions to identities.
use super::{Answer, refuse, refused, verified};
use crate::request::RequestAdapter;
use actix_web::{
    Error as ActixError,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
};
use auth0_core::{Error, VerifiedToken, mcp};
use std::{
    future::{Ready, ready},
    rc::Rc,
};

static SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Binds the sessions of an MCP server (`Mcp-Session-Id`) to the issuer, subject and client of the token that created
/// them, as a middleware *inside* a [`RequireAuth`](crate::RequireAuth): to another identity, a session does not exist
/// (`404 mcp_session_unknown`).
///
/// Only servers with sessions need it. Create it once, outside the closure of `HttpServer::new`, because each worker
/// must know all sessions. See [`auth0_core::mcp::McpSessions`] for what it remembers.
///
/// ```
/// use actix_web::{App, web};
/// use auth0_actix::{Auth0, McpSessions, RequireAuth};
///
/// # async fn mcp() -> &'static str { "" }
/// # fn app(auth: Auth0, sessions: McpSessions) {
/// App::new().app_data(auth).service(
///     web::resource("/mcp")
///         .wrap(sessions.clone())
///         .wrap(RequireAuth::new())
///         .route(web::post().to(mcp)),
/// )
/// # ; }
/// ```
#[derive(Clone, Debug, Default)]
pub struct McpSessions(mcp::McpSessions);

impl McpSessions {
    /// Creates a memory for at most this many sessions, instead of 10,000.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(mcp::McpSessions::new(capacity))
    }

    fn admit(&self, request: &ServiceRequest) -> Result<Option<VerifiedToken>, Error> {
        let (auth, token) = verified(request)?;
        self.0
            .check(token.as_ref(), &RequestAdapter::new(request.request()))
            .map_err(|error| refuse(&auth, token.as_ref(), error, request))?;
        Ok(token)
    }

    /// Takes from the answer whether a session has begun or ended.
    fn observe<B>(
        &self,
        token: Option<&VerifiedToken>,
        ended: Option<&HeaderValue>,
        response: &ServiceResponse<B>,
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

impl<S, B> Transform<S, ServiceRequest> for McpSessions
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = ActixError> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = ActixError;
    type InitError = ();
    type Transform = McpSessionsService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(McpSessionsService { service: Rc::new(service), sessions: self.clone() }))
    }
}

/// The service that [`McpSessions`] creates.
#[derive(Debug)]
pub struct McpSessionsService<S> {
    service: Rc<S>,
    sessions: McpSessions,
}

impl<S, B> Service<ServiceRequest> for McpSessionsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = ActixError> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = ActixError;
    type Future = Answer<B>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, sessions) = (Rc::clone(&self.service), self.sessions.clone());
        Box::pin(async move {
            let token = match sessions.admit(&request) {
                Ok(token) => token,
                Err(error) => return Ok(refused(request, error, None)),
            };
            let is_end = request.method() == Method::DELETE;
            let ended = session_id(request.headers()).cloned().filter(|_| is_end);
            let response = service.call(request).await?;
            sessions.observe(token.as_ref(), ended.as_ref(), &response);
            Ok(response.map_into_left_body())
        })
    }
}
