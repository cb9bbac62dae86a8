//! One try of a request.
use super::{Body, Call, Deadline, Endpoint, Server};
use crate::{authentication::Credentials, error::Error, secret::Secret};
use auth0_core::{
    support::fetch_thread::{self, How},
    transport::{HttpRequest, HttpResponse},
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// The limit of one try: there is time for another within the usual deadline.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Several times the size of the largest token with an ID token and a refresh token.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The end of a try.
pub(super) enum Attempt {
    Answer(HttpResponse),
    /// Nothing was sent. The text is for the log.
    Unsent(String),
    /// There is no answer, and the server may have seen the request.
    Lost(String),
}

/// Where a request goes.
pub(super) struct Destination<'a> {
    pub(super) url: &'a str,
    /// The issuer in the spelling of its metadata, to which assertions are addressed.
    pub(super) issuer: &'a str,
}

/// Sends a request once, with credentials and a proof of its own.
pub(super) async fn attempt(
    server: &Arc<Server>,
    call: &Call,
    to: &Destination<'_>,
    deadline: &Deadline,
) -> Result<Attempt, Error> {
    let message = Message::new(server, call, to)?;
    let limit = deadline.left(&*server.clock).min(TIMEOUT);
    let http = Arc::clone(&server.http);
    let work = async move {
        let headers: Vec<(&str, &str)> =
            message.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let mut request = HttpRequest::new(message.method, &message.url);
        request.headers = &headers;
        request.body = &message.body;
        request.timeout = limit;
        request.max_body_bytes = MAX_BODY_BYTES;
        http.send(request).await
    };
    Ok(match fetch_thread::within(&*server.clock, limit, work).await.how {
        How::Done(Ok(answer)) if answer.body().len() > MAX_BODY_BYTES => {
            Attempt::Answer(HttpResponse::new(answer.status(), ""))
        }
        How::Done(Ok(answer)) => Attempt::Answer(answer),
        How::Done(Err(error)) if error.is_unsent() => Attempt::Unsent(error.to_string()),
        How::Done(Err(error)) => Attempt::Lost(error.to_string()),
        How::Panicked => Attempt::Lost("the transport panicked".into()),
        How::Late => Attempt::Lost("there is no answer in time".into()),
    })
}

/// A request as it is sent.
struct Message {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, Secret)>,
    body: Zeroizing<Vec<u8>>,
}

impl Message {
    fn new(server: &Server, call: &Call, to: &Destination<'_>) -> Result<Self, Error> {
        let now = server.clock.unix_time();
        let mut url = to.url.to_owned();
        let mut headers = vec![("accept", Secret::new("application/json"))];
        let mut method = "POST";
        let mut bearer = |token: &Secret| {
            headers.push(("authorization", Secret::new(format!("Bearer {}", &**token))));
        };
        let (content_type, body, header) = match &call.body {
            Body::Form(parameters) => {
                let Credentials { parameters: mut own, header } =
                    server.authentication.credentials(&server.client_id, to.issuer, now)?;
                // A parameter of the request itself, whatever authenticates the client (RFC 9126 §2.1, RFC 8628 §3.1).
                if call.endpoint != Endpoint::Token && header.is_some() {
                    own.push(("client_id", Secret::new(&*server.client_id)));
                }
                (Some("application/x-www-form-urlencoded"), parameters.form(&own), header)
            }
            Body::Json(members) => {
                let own = server.authentication.in_body(&server.client_id, to.issuer, now)?;
                let mut members = members.clone();
                members.extend(
                    own.into_iter().map(|(name, value)| (name.to_owned(), (*value).into())),
                );
                (Some("application/json"), json(&members), None)
            }
            Body::WithToken(token, Some(members)) => {
                bearer(token);
                (Some("application/json"), json(members), None)
            }
            Body::WithToken(token, None) => {
                bearer(token);
                method = "GET";
                (None, Zeroizing::default(), None)
            }
            Body::Delete(token, path) => {
                bearer(token);
                method = "DELETE";
                url = format!("{url}/{path}");
                (None, Zeroizing::default(), None)
            }
        };
        headers.extend(content_type.map(|name| ("content-type", Secret::new(name))));
        headers.extend(header.map(|header| ("authorization", header)));
        if let Some(telemetry) = &server.telemetry {
            headers.push(("auth0-client", Secret::new(telemetry.as_str())));
        }
        if let Some(address) = call.forwarded_for {
            headers.push(("auth0-forwarded-for", Secret::new(address.to_string())));
        }
        if let Some(prover) = server.prover.as_ref().filter(|_| call.is_proven) {
            headers.push(("dpop", Secret::new(prover.prove(method, &url, None)?)));
        }
        Ok(Self { method, url, headers, body })
    }
}

fn json(members: &Map<String, Value>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(members).unwrap_or_default())
}
