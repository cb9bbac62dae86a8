//! `POST /passwordless/start`: a code or a link for an e-mail address or a phone number. The tenant keeps the
//! message and sends nothing.
mod link;
mod recipient;

pub(super) use recipient::Recipient;

use super::{
    client_parameters::ClientParameters,
    faulty::observed,
    form,
    refusal::{Refusal, uncached},
};
use crate::{
    directory::{AUTHORIZATION_CODE, PASSWORDLESS_OTP},
    endpoint::Endpoint,
    running::RunningTenant,
    secret::random_of,
    store::{Channel, Message, Passcode},
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// More than any link needs.
const MAX_LINK: usize = 4 * 1024;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let start = observed(post(start), running, Endpoint::Passwordless);
    Router::new().route("/passwordless/start", start)
}

/// Returns the route of the user's browser.
pub(super) fn link(_: &RunningTenant) -> Router<RunningTenant> {
    Router::new().route(link::PATH, get(link::follow))
}

#[derive(Deserialize)]
struct Start {
    #[serde(flatten)]
    client: ClientParameters,
    connection: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
    send: Option<String>,
    #[serde(rename = "authParams")]
    auth_params: Option<Map<String, Value>>,
}

async fn start(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sent: Start =
        form::read(&headers, &body?, "client_id, connection, email or phone_number, and send")?;
    let recipient = recipient(&sent)?;
    let has_link = has_link(&sent, &recipient)?;
    let grant = if has_link { AUTHORIZATION_CODE } else { PASSWORDLESS_OTP };
    let client = sent.client.authenticated(&running, &headers, grant)?;
    let code = random_of(b"0123456789", 6)?;
    let link = match has_link {
        true => Some(link::of(&running, client.id(), &recipient, &code, sent.auth_params)?),
        false => None,
    };
    if link.as_ref().is_some_and(|link| link.len() > MAX_LINK) {
        return Err(bad("bad.authParams", "authParams make a link that is too long. Send fewer"));
    }
    let of = Passcode {
        client_id: client.id(),
        realm: recipient.realm(),
        recipient: recipient.address(),
    };
    let message = Message {
        to: recipient.address().to_owned(),
        channel: recipient.channel(),
        client_id: client.id().to_owned(),
        code: code.clone(),
        link,
    };
    let now = running.now();
    {
        let mut store = running.store();
        store.passcodes.keep(&of, &code, now);
        store.messages.keep(message);
    }
    let answer = match recipient.channel() {
        Channel::Email => json!({
            "_id": recipient.id(), "email": recipient.address(), "email_verified": false,
        }),
        Channel::Sms => json!({
            "_id": recipient.id(), "phone_number": recipient.address(), "phone_verified": false,
        }),
    };
    Ok(uncached(StatusCode::OK, &answer))
}

fn recipient(sent: &Start) -> Result<Recipient, Refusal> {
    let wrong = "connection must be email or sms";
    match sent.connection.as_deref() {
        Some("email") => Recipient::read("email", sent.email.as_deref().unwrap_or_default())
            .ok_or_else(|| bad("bad.email", "email is missing, or no e-mail address")),
        Some("sms") => Recipient::read("sms", sent.phone_number.as_deref().unwrap_or_default())
            .ok_or_else(|| {
                bad("bad.phone_number", "phone_number is missing, or not as in +15550100")
            }),
        _ => Err(bad("bad.connection", wrong)),
    }
}

/// Returns whether the message has a link: the default of an e-mail, as with Auth0.
fn has_link(sent: &Start, recipient: &Recipient) -> Result<bool, Refusal> {
    match (sent.send.as_deref(), recipient.channel()) {
        (Some("code"), _) | (None, Channel::Sms) => Ok(false),
        (Some("link") | None, Channel::Email) => Ok(true),
        _ => Err(bad("bad.send", "send must be code or, for an e-mail, link")),
    }
}

fn bad(error: &'static str, description: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, error, description)
}
