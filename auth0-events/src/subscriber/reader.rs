//! The connections, one after the other, and what they receive.
use super::{EventSubscriber, Received};
use crate::{
    backoff::{Backoff, LONGEST},
    connection::{Connection, Ended, NoConnection},
    credential::NoToken,
    effect::{REVOKING_TYPES, Target},
    event::{Content, Event, read},
    metrics,
    position::{Cursor, Start},
    sse::{Endless, Frame, Message, Parser},
    timestamp,
};
use auth0_core::support::{Escaped, EscapedMessage, passed};
use reqwest::StatusCode;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// The pause after a connection that the server has closed, unless it asks for another one.
const RETRY: Duration = Duration::from_secs(2);

/// The shortest pause that a server can ask for.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// How one connection ended.
#[derive(Debug)]
enum Outcome {
    Ended(Ended),
    /// More bytes were skipped than any message has.
    Endless,
    /// The stream ended with an error.
    Error(String),
    NoConnection(NoConnection),
    NoToken(NoToken),
    /// No one waits for events any more.
    Stopped,
}

/// The pauses between connections.
#[derive(Debug)]
struct Pace {
    backoff: Backoff,
    /// What the server asks for.
    retry: Duration,
}

impl EventSubscriber {
    /// Reads the events, beginning at a position. Ends when no one receives them.
    pub(super) async fn read(&self, mut cursor: Cursor, queue: &Sender<Received>) {
        let mut pace = Pace { backoff: Backoff::default(), retry: RETRY };
        loop {
            let outcome = self.connect(&mut cursor, &mut pace, queue).await;
            metrics::connected(false);
            if matches!(outcome, Outcome::Stopped) {
                return;
            }
            metrics::connection(outcome.name(&cursor));
            let pause = self.after(&outcome, &mut cursor, &mut pace);
            passed(&*self.clock, pause).await;
        }
    }

    /// Connects once, and reads until the connection ends.
    async fn connect(
        &self,
        cursor: &mut Cursor,
        pace: &mut Pace,
        queue: &Sender<Received>,
    ) -> Outcome {
        let start = cursor.start();
        let mut has_forgotten = false;
        let mut connection = loop {
            let authorization = match self.credential.authorize(&self.connector.endpoint()).await {
                Ok(authorization) => authorization,
                Err(error) => return Outcome::NoToken(error),
            };
            match self.connector.open(&start, authorization.headers.clone()).await {
                Ok(connection) => break connection,
                Err(NoConnection::Refused { status: StatusCode::UNAUTHORIZED, .. })
                    if !has_forgotten && self.credential.forget(&authorization) =>
                {
                    has_forgotten = true;
                }
                Err(error) => return Outcome::NoConnection(error),
            }
        };
        tracing::debug!(target: "auth0", "connected to the events of the tenant");
        metrics::connected(true);
        if cursor.connected(self.clock.unix_time()) {
            let received = Received { event: None, position: cursor.to_text() };
            if queue.send(received).await.is_err() {
                return Outcome::Stopped;
            }
        }
        match self.receive(&mut connection, cursor, pace, queue).await {
            Ok(never) => match never {},
            Err(outcome) => outcome,
        }
    }

    async fn receive(
        &self,
        connection: &mut Connection,
        cursor: &mut Cursor,
        pace: &mut Pace,
        queue: &Sender<Received>,
    ) -> Result<std::convert::Infallible, Outcome> {
        let mut parser = Parser::new();
        loop {
            let bytes = connection.bytes().await.map_err(Outcome::Ended)?;
            for frame in parser.feed(&bytes).map_err(|Endless| Outcome::Endless)? {
                match frame {
                    Frame::Retry(time) => pace.retry = time.clamp(SHORTEST_RETRY, LONGEST),
                    Frame::Message(message) => {
                        let received = self.process(&message, cursor).await?;
                        pace.backoff.reset();
                        queue.send(received).await.map_err(|_| Outcome::Stopped)?;
                    }
                }
            }
        }
    }

    /// Reads a message, and revokes what it says.
    async fn process(&self, message: &Message, cursor: &mut Cursor) -> Result<Received, Outcome> {
        let (content, offset) = read(message);
        let now = self.clock.unix_time();
        let (time, event) = match content {
            Content::OffsetOnly => (Some(now), None),
            Content::Malformed(why) => {
                self.skip(&message.name, why);
                (None, None)
            }
            Content::Error { code } => {
                if let Some(offset) = offset {
                    cursor.advance(offset, None, now);
                }
                return Err(Outcome::Error(code));
            }
            Content::Event(event) => {
                if let Some(time) = event.unix_time() {
                    metrics::lag(now.saturating_sub(time));
                }
                self.revoke(&event, now).await;
                (event.unix_time().map(|time| time.min(now)), Some(event))
            }
        };
        let has_moved = offset.is_some_and(|offset| cursor.advance(offset, time, now));
        let position = if has_moved { cursor.to_text() } else { None };
        let wanted = |event: &Event| {
            self.handler.as_ref().is_some_and(|handler| handler.wants(event.event_type()))
        };
        Ok(Received { event: event.filter(wanted), position })
    }

    /// Revokes what an event says, for each issuer. Tries without end: the stream does not go on before.
    async fn revoke(&self, event: &Event, received_at: Duration) {
        let kind = event.event_type();
        tracing::debug!(
            target: "auth0", r#type = %Escaped(kind), id = %Escaped(event.id().unwrap_or_default()),
            "an event was received"
        );
        let Some(revocations) = &self.revocations else { return };
        let target = match Target::of(event) {
            Ok(Some(target)) => target,
            Ok(None) => return metrics::event(self.label(kind), "ignored"),
            Err(incomplete) => {
                return self.skip(kind, &format!("its object has no {}", incomplete.0));
            }
        };
        if event.unix_time().is_none() {
            tracing::warn!(
                target: "auth0", r#type = kind, id = %Escaped(event.id().unwrap_or_default()),
                "an event has no time: tokens are revoked up to now"
            );
        }
        for issuer in &self.issuers {
            let mut backoff = Backoff::default();
            let revocation = || target.revocation(issuer, event, received_at);
            while let Err(error) = revocations.revoke(revocation()).await {
                metrics::event(self.label(kind), "delayed");
                tracing::error!(
                    target: "auth0", r#type = kind, %error, attempts = backoff.failures() + 1,
                    "an event revokes tokens, and that has failed: it is tried again"
                );
                passed(&*self.clock, backoff.pause()).await;
            }
        }
        metrics::event(self.label(kind), "revoked");
    }

    /// Skips a message that cannot be read.
    fn skip(&self, kind: &str, why: &str) {
        metrics::event(self.label(kind), "malformed");
        tracing::warn!(
            target: "auth0", r#type = %Escaped(kind), why, "an event cannot be read, and is skipped"
        );
    }

    /// Returns a label for metrics, of which there is a small number.
    pub(super) fn label<'a>(&'a self, kind: &str) -> &'a str {
        let own = self.handler.iter().flat_map(|handler| handler.types.iter().flatten());
        let known = REVOKING_TYPES.into_iter().chain(own.map(String::as_str));
        known.into_iter().find(|known| *known == kind).unwrap_or("other")
    }

    /// Logs how a connection ended. Returns the pause before the next one.
    fn after(&self, outcome: &Outcome, cursor: &mut Cursor, pace: &mut Pace) -> Duration {
        match outcome {
            Outcome::Ended(Ended::Closed) => {
                tracing::debug!(target: "auth0", "the connection to the events of the tenant was closed");
                return pace.retry;
            }
            Outcome::Ended(Ended::Silent) => tracing::warn!(
                target: "auth0",
                "the connection to the events of the tenant is silent, and is replaced by another one"
            ),
            Outcome::Endless => tracing::error!(
                target: "auth0",
                "the stream of events has a message without an end. Check the URL of the Events API"
            ),
            Outcome::Error(code) if is_cursor(code) => self.lost(cursor, code),
            Outcome::Error(code) => tracing::warn!(
                target: "auth0", code = %Escaped(code), "the stream of events has ended with an error"
            ),
            Outcome::NoConnection(NoConnection::Unreachable(error)) => tracing::warn!(
                target: "auth0", error = %EscapedMessage(error), "the Events API cannot be reached"
            ),
            Outcome::NoConnection(NoConnection::OtherContent) => tracing::error!(
                target: "auth0",
                "the answer is not a stream of events (text/event-stream). Check the URL of the Events API"
            ),
            Outcome::NoConnection(NoConnection::Refused { status, code, retry_after }) => {
                match has_lost(*status, code.as_deref(), cursor) {
                    true => self.lost(cursor, code.as_deref().unwrap_or(status.as_str())),
                    false => refused(*status, code.as_deref()),
                }
                return retry_after
                    .map_or_else(|| pace.backoff.pause(), |wait| wait.max(SHORTEST_RETRY));
            }
            Outcome::NoToken(NoToken { cause, retry_after }) => {
                tracing::error!(
                    target: "auth0", error = %EscapedMessage(cause), "there is no token for the Events API"
                );
                let wait = retry_after.unwrap_or_default().min(LONGEST);
                return pace.backoff.pause().max(wait);
            }
            Outcome::Stopped => {}
        }
        pace.backoff.pause()
    }

    /// Logs that the offset is not usable any more, and lets the next connection begin at a time.
    fn lost(&self, cursor: &mut Cursor, code: &str) {
        let since = cursor.lose(self.clock.unix_time());
        let since = since.map_or_else(|| "an unknown time".to_owned(), timestamp::write);
        let begins_at_a_time = matches!(cursor.start(), Start::Time(_));
        tracing::error!(
            target: "auth0", code = %Escaped(code), since, begins_at_a_time,
            "events may have been lost: the offset has expired or is unknown. Tokens of users who were deleted or \
             blocked meanwhile are accepted until they expire"
        );
    }
}

impl Outcome {
    /// Returns the name in metrics, for a connection that began at this cursor.
    fn name(&self, cursor: &Cursor) -> &'static str {
        match self {
            Self::Ended(Ended::Closed) | Self::Stopped => "closed",
            Self::Ended(Ended::Silent) => "silent",
            Self::Endless => "endless",
            Self::Error(code) if is_cursor(code) => "offset_lost",
            Self::Error(_) => "error",
            Self::NoConnection(NoConnection::Unreachable(_)) => "unreachable",
            Self::NoConnection(NoConnection::OtherContent) => "other_content",
            Self::NoConnection(NoConnection::Refused { status, code, .. })
                if has_lost(*status, code.as_deref(), cursor) =>
            {
                "offset_lost"
            }
            Self::NoConnection(NoConnection::Refused { status, .. }) => match status.as_u16() {
                401 => "unauthorized",
                403 => "forbidden",
                429 => "throttled",
                _ => "refused",
            },
            Self::NoToken(_) => "no_token",
        }
    }
}

/// Returns whether an answer means that the server does not know where the connection was to begin.
fn has_lost(status: StatusCode, code: Option<&str>, cursor: &Cursor) -> bool {
    match status.as_u16() {
        410 => true,
        400 => matches!(cursor.start(), Start::Time(_)) || code.is_some_and(is_cursor),
        _ => false,
    }
}

/// Logs an answer with the status of an error, and what to do.
fn refused(status: StatusCode, code: Option<&str>) {
    let code = code.unwrap_or_default();
    let status = status.as_u16();
    match status {
        401 => tracing::error!(
            target: "auth0", status, code,
            "the Events API refuses the token. It must be one for the Management API (its audience is the issuer of \
             the tenant's own domain, and api/v2/) that has not expired. A client gets it by itself; a given token \
             must be replaced"
        ),
        403 => tracing::error!(
            target: "auth0", status, code,
            "the Events API refuses the token. It needs the scope read:events: Dashboard > Applications > APIs > \
             Auth0 Management API > Machine to Machine Applications"
        ),
        429 => tracing::warn!(
            target: "auth0", status, code,
            "the tenant has no connection to the Events API left (1, 4 or 8, by its plan): another one is open. \
             Instances share one if they have a common store"
        ),
        500.. => tracing::warn!(target: "auth0", status, code, "the Events API fails"),
        300..=399 => tracing::error!(
            target: "auth0", status, "the Events API redirects, which is not followed. Check its URL"
        ),
        _ => tracing::error!(
            target: "auth0", status, code,
            "the Events API refuses the request. Check the types of events, and the URL"
        ),
    }
}

fn is_cursor(code: &str) -> bool {
    ["cursor_expired", "invalid_cursor"].contains(&code)
}
