//! WebSocket connections that end with their token.
mod frames;
mod graphql;
mod halves;
mod offered;
mod socket;

pub use graphql::GraphqlUpgrade;
pub use offered::take_offered_token;
pub use socket::TokenSocket;

use crate::{
    error::AuthError,
    opening_request::OpeningRequest,
    tcp::tcp_handle,
    token_body::EndsItself,
    unread_body::{UnreadBody, keep_unread},
    verifier::verifier,
};
use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, dev, error::InternalError, rt, web::Payload,
};
use actix_ws::AggregatedMessage;
use auth0_core::{
    Auth0, Lease, Requirement, VerifiedToken,
    adapter::{
        lease_of_route,
        websocket::{SEND_LIMIT, Session},
    },
    policy::authenticated,
};
use frames::Frames;
use halves::{Halves, TrackedBody, split};
use std::{fmt, future::Future, time::Duration};

/// The longest frame that actix-ws accepts where no limit is set.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Upgrades to a WebSocket that ends with its token: at the end it is closed with the code `4401`, whatever the client
/// and the handler do.
///
/// - A newer token of the same user and client extends the [`Lease`]: see [`Lease::renew`].
/// - A client that does not read, sends pings without end, or has closed its half only, is dropped two seconds after
///   the end, if the server stores its connections: see [`keep_tcp_handle`](crate::keep_tcp_handle). A message waits
///   for 30 seconds, unless [`send_limit`](Self::send_limit) sets another limit.
/// - When the handler returns, the connection closes with the code `1000`.
/// - Pings are answered, and a Close frame of the client is. A message of several frames arrives as one. The handler has
///   text and binary messages.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, web};
/// use auth0_actix::{AccessToken, TokenUpgrade};
/// use std::time::Duration;
///
/// async fn echo(
///     token: AccessToken,
///     request: HttpRequest,
///     body: web::Payload,
/// ) -> actix_web::Result<HttpResponse> {
///     TokenUpgrade::new(&request, body, &token)
///         .warn_before(Duration::from_secs(30), "the token ends soon")
///         .on_upgrade(async |mut socket| {
///             while let Some(message) = socket.recv().await {
///                 if socket.send(message).await.is_err() {
///                     return;
///                 }
///             }
///         })
/// }
/// # let _ = echo;
/// ```
#[must_use = "the connection is not upgraded without a handler"]
pub struct TokenUpgrade<'a> {
    request: &'a HttpRequest,
    payload: Payload,
    token: VerifiedToken,
    requirement: Requirement,
    protocols: &'a [&'a str],
    warning: Option<(Duration, String)>,
    send_limit: Duration,
    max_message_bytes: Option<usize>,
}

impl<'a> TokenUpgrade<'a> {
    /// Creates the upgrade of a connection that was opened with this token. The verifier is that of `app_data`.
    pub fn new(request: &'a HttpRequest, payload: Payload, token: &VerifiedToken) -> Self {
        let (token, requirement) = (token.clone(), authenticated());
        let (protocols, warning, send_limit) = (&[][..], None, SEND_LIMIT);
        let max_message_bytes = None;
        Self {
            request,
            payload,
            token,
            requirement,
            protocols,
            warning,
            send_limit,
            max_message_bytes,
        }
    }

    /// Adds a requirement for the token, and for one that renews the lease: that of the route.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Sets the subprotocols of the server. It selects the first that the client offers.
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Sends a text message this long before the end, so that the client can renew the lease.
    pub fn warn_before(mut self, time: Duration, text: impl Into<String>) -> Self {
        self.warning = Some((time, text.into()));
        self
    }

    /// Limits how long a message waits for a client that does not read. Then the connection is dropped.
    pub const fn send_limit(mut self, limit: Duration) -> Self {
        self.send_limit = limit;
        self
    }

    /// Limits the size of a message, in bytes. If not set, actix-ws allows 64 KiB for a frame, and 1 MiB for a message of
    /// several.
    pub const fn max_message_bytes(mut self, limit: usize) -> Self {
        self.max_message_bytes = Some(limit);
        self
    }

    /// Returns the response, and runs the handler after it. It stops at the end of the lease.
    ///
    /// # Errors
    /// The token does not meet the requirement, the request is not an upgrade to a WebSocket, or there is no verifier.
    pub fn on_upgrade<H, F>(self, handler: H) -> Result<HttpResponse, Error>
    where
        H: FnOnce(TokenSocket) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        let Self {
            request,
            payload,
            token,
            requirement,
            protocols,
            warning,
            send_limit,
            max_message_bytes,
        } = self;
        let mut payload = payload.into_inner();
        let mut refused = |error: auth0_core::Error| {
            AuthError::from(error).with_body(UnreadBody::share(&mut payload))
        };
        let auth = verifier(request).map_err(&mut refused)?;
        let opening = || OpeningRequest::of(request).into();
        let lease = lease_of_route(&auth, &token, requirement, opening);
        lease.check().map_err(&mut refused)?;
        let session = Session::new(lease.clone()).send_limit(send_limit);
        let session = match warning {
            Some((time, text)) => session.warning(time, text),
            None => session,
        };
        upgrade(request, payload, protocols, max_message_bytes, auth, async move |halves| {
            run(session, lease, halves, None, handler).await
        })
    }
}

/// Returns the response, and serves the connection after it. A client that does not read is dropped after its end.
fn upgrade<S>(
    request: &HttpRequest,
    mut payload: dev::Payload,
    protocols: &[&str],
    max_message_bytes: Option<usize>,
    auth: Auth0,
    serve: S,
) -> Result<HttpResponse, Error>
where
    S: AsyncFnOnce(Halves) -> bool + 'static,
{
    let unread = UnreadBody::share(&mut payload);
    let frames = Frames::new(payload, max_message_bytes.unwrap_or(MAX_FRAME_BYTES));
    let mut payload: dev::Payload = dev::Payload::Stream { payload: Box::pin(frames) };
    let payload = Payload::from_request(request, &mut payload).into_inner()?;
    let (response, session, messages) =
        actix_ws::handle_with_protocols(request, payload, protocols).map_err(|error| {
            let response = keep_unread(error.error_response(), unread.as_ref());
            InternalError::from_response(error, response)
        })?;
    let (mut response, ended, is_dropped) = TrackedBody::track(response);
    response.extensions_mut().insert(EndsItself);
    let handle = tcp_handle(request);
    rt::spawn(async move {
        let is_in_time = serve(split(session, messages, ended, max_message_bytes)).await;
        match handle {
            Some(handle) if is_in_time => handle.close_unless(&auth, is_dropped).await,
            Some(handle) => handle.close(),
            None => {}
        }
    });
    Ok(response)
}

/// Runs a handler. The first message is one that was read before. Returns whether the connection closed in time.
async fn run<H, F>(
    session: Session,
    lease: Lease,
    halves: Halves,
    first: Option<AggregatedMessage>,
    handler: H,
) -> bool
where
    H: FnOnce(TokenSocket) -> F,
    F: Future<Output = ()>,
{
    let (socket, to_handler, from_handler) = TokenSocket::new(lease);
    if let Some(first) = first {
        // The channel is empty.
        let _ = to_handler.try_send(first);
    }
    let Halves { receiving, sending } = halves;
    session.run(receiving, sending, to_handler, from_handler, handler(socket)).await
}

impl fmt::Debug for TokenUpgrade<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUpgrade")
            .field("token", &self.token)
            .field("requirement", &self.requirement)
            .field("send_limit", &self.send_limit)
            .finish_non_exhaustive()
    }
}
