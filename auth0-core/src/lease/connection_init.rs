//! The first messages of a GraphQL connection: `connection_init` of the subprotocol `graphql-transport-ws`, whose
//! payload has the token.
use super::{
    Lease,
    opening_request::OpeningRequest,
    websocket::{Close, Ending, Pause, Receive, Received, Transmit, UNAUTHORIZED},
};
use crate::{
    auth0::Auth0,
    error::Error,
    jose::json::{self, Value},
    policy::Requirement,
    request::RequestView,
    token::VerifiedToken,
};
use std::time::Duration;

/// The name of the subprotocol (RFC 6455 §1.9).
pub const GRAPHQL_TRANSPORT_WS: &str = "graphql-transport-ws";

/// How long a client may take for its `connection_init`, if the application sets nothing else: as long as the reference
/// implementation of the protocol gives it.
pub const INIT_LIMIT: Duration = Duration::from_secs(3);

/// The largest first message, in bytes: room for a token of the default limit.
pub const MAX_INIT_BYTES: usize = 32 * 1024;

/// The end of a connection that sent no `connection_init` in time: `4408`.
pub const INIT_TIMEOUT: Close = Close::new(4408, "Connection initialisation timeout");

/// The end of a connection that has not offered the subprotocol: `4406`.
pub const SUBPROTOCOL_UNACCEPTABLE: Close = Close::new(4406, "Subprotocol not acceptable");

/// The end of a connection that subscribes before it is acknowledged: `4401`.
pub const NOT_ACKNOWLEDGED: Close = Close::new(UNAUTHORIZED, "Unauthorized");

/// The end of a connection whose `connection_init` has no token: `4401`.
const NO_TOKEN: Close = Close::new(
    UNAUTHORIZED,
    "connection_init has no authorization: send {\"authorization\":\"Bearer ...\"}",
);

/// The end of a connection whose `connection_init` has something else for a token: `4401`.
const NOT_ONE_TOKEN: Close =
    Close::new(UNAUTHORIZED, "authorization in connection_init must be one string");

/// The end of a connection whose message is not one of the protocol: `4400`.
pub const BAD_MESSAGE: Close = Close::new(4400, "Not a message of graphql-transport-ws");

/// The end of a connection that sends `connection_init` again: `4429`.
pub const TOO_MANY_INITS: Close = Close::new(4429, "Too many initialisation requests");

/// Reads the first messages until `connection_init`, and verifies its token as that of the request which opened the
/// connection. Returns the lease, and the message, which the GraphQL server acknowledges.
///
/// # Errors
/// How to end the connection.
pub async fn open<R, T>(
    auth: &Auth0,
    requirement: Requirement,
    opening: Option<OpeningRequest>,
    limit: Duration,
    (receive, transmit): (&mut R, &mut T),
) -> Result<(Lease, R::Message), Ending>
where
    R: Receive,
    T: Transmit<Message = R::Message>,
{
    let (init, authorization) = tokio::select! {
        // First, because a client that sends without end keeps the other busy.
        biased;
        () = auth.passed(limit) => return Err(Ending::Close(INIT_TIMEOUT)),
        init = read_init(receive, transmit) => init?,
    };
    let Some(authorization) = authorization else { return Err(Ending::Close(NO_TOKEN)) };
    tokio::select! {
        biased;
        verdict = verify(auth, &requirement, opening.as_ref(), &authorization) => match verdict {
            Ok(token) => Ok((Lease::behind(auth, &token, requirement.clone(), || opening.clone()), init)),
            Err(error) => Err(Ending::Close(Close::for_error(&error))),
        },
        // It is not acknowledged yet.
        second = read_init(receive, transmit) => {
            Err(second.map_or_else(|ending| ending, |_| Ending::Close(TOO_MANY_INITS)))
        }
    }
}

/// Reads up to `connection_init`, and returns it with its value of `authorization`.
async fn read_init<R, T>(
    receive: &mut R,
    transmit: &mut T,
) -> Result<(R::Message, Option<String>), Ending>
where
    R: Receive,
    T: Transmit<Message = R::Message>,
{
    let mut pause = Pause::default();
    loop {
        match receive.receive().await {
            Received::Text(message) => match FirstMessage::read(R::text(&message)) {
                FirstMessage::Init(authorization) => return Ok((message, authorization)),
                FirstMessage::Answer(text) if !transmit.text(text).await => {
                    return Err(Ending::Drop);
                }
                FirstMessage::Answer(_) | FirstMessage::Ignore => {}
                FirstMessage::Close(close) => return Err(Ending::Close(close)),
            },
            Received::Control => {}
            Received::Binary(_) | Received::Refused(_) => return Err(Ending::Close(BAD_MESSAGE)),
            Received::Closed => return Err(Ending::Acknowledge),
            Received::Broken => return Err(Ending::Drop),
        }
        pause.after_one().await;
    }
}

async fn verify(
    auth: &Auth0,
    requirement: &Requirement,
    opening: Option<&OpeningRequest>,
    authorization: &str,
) -> Result<VerifiedToken, Error> {
    let request = RequestView::new().authorization([authorization.as_bytes()]);
    let request = match opening {
        Some(opening) => request.parts(opening),
        None => request,
    };
    let token = auth.authenticate(&request).await?;
    auth.check(&token, requirement, None, || opening)?;
    Ok(token)
}

/// What to do after a message that came before the acknowledgement.
///
/// ```
/// use auth0_core::adapter::graphql::{FirstMessage, NOT_ACKNOWLEDGED};
///
/// let init = r#"{"type":"connection_init","payload":{"authorization":"Bearer abc"}}"#;
/// assert_eq!(FirstMessage::read(init), FirstMessage::Init(Some("Bearer abc".into())));
/// let early = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { ticks }"}}"#;
/// assert_eq!(FirstMessage::read(early), FirstMessage::Close(NOT_ACKNOWLEDGED));
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstMessage {
    /// `connection_init`, with its value of `authorization`.
    Init(Option<String>),
    /// A message to send, the answer to `ping`.
    Answer(&'static str),
    /// Nothing: `pong` may come at any time, and `complete` of what does not run has no effect.
    Ignore,
    /// The connection is closed.
    Close(Close),
}

impl FirstMessage {
    /// Reads a text message. The value is that of the member `authorization` of the payload, in any case.
    #[must_use]
    pub fn read(text: &str) -> Self {
        if text.len() > MAX_INIT_BYTES {
            return Self::Close(BAD_MESSAGE);
        }
        let (mut kind, mut payload) = (None, None);
        let read = json::check_object(text, |name, value| match name {
            "type" => kind = value.as_str(),
            "payload" => payload = Some(value).filter(|value| !value.is_null()),
            _ => {}
        });
        match (read, kind.as_deref()) {
            (Ok(_), Some("connection_init")) => match authorization(payload) {
                Ok(value) => Self::Init(value),
                Err(close) => Self::Close(close),
            },
            (Ok(_), Some("subscribe")) => Self::Close(NOT_ACKNOWLEDGED),
            (Ok(_), Some("ping")) => Self::Answer(r#"{"type":"pong"}"#),
            (Ok(_), Some("pong" | "complete")) => Self::Ignore,
            _ => Self::Close(BAD_MESSAGE),
        }
    }
}

/// Returns the value of `authorization`, which may be there once. `null` is absent.
fn authorization(payload: Option<Value<'_>>) -> Result<Option<String>, Close> {
    let Some(payload) = payload else { return Ok(None) };
    let mut values = Vec::new();
    json::check_object(payload.raw(), |name, value| {
        if name.eq_ignore_ascii_case("authorization") {
            values.push(value);
        }
    })
    .map_err(|_| BAD_MESSAGE)?;
    match values[..] {
        [] => Ok(None),
        [value] if value.is_null() => Ok(None),
        [value] => value.as_str().map(|text| Some(text.into_owned())).ok_or(NOT_ONE_TOKEN),
        _ => Err(NOT_ONE_TOKEN),
    }
}
