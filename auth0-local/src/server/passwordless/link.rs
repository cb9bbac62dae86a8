//! The link of a message, which logs in with the code that it has.
use super::{Recipient, bad};
use crate::{
    running::RunningTenant,
    server::{authorize, form::Query, page, refusal::Refusal},
    store::{NextLogin, Passcode, Proved},
};
use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Map, Value};

pub(super) const PATH: &str = "/passwordless/verify_redirect";

/// The parameters of the link that are not those of a login.
const CONNECTION: &str = "connection";
const CODE: &str = "verification_code";

/// Returns the link with a code, which logs in with these parameters of `/authorize`.
pub(super) fn of(
    running: &RunningTenant,
    client_id: &str,
    recipient: &Recipient,
    code: &str,
    parameters: Option<Map<String, Value>>,
) -> Result<String, Refusal> {
    let mut query = Query::of(Vec::new());
    for (name, value) in parameters.unwrap_or_default() {
        match value {
            Value::String(text) => query.set(&name, text),
            _ => return Err(bad("bad.authParams", "authParams must have values of text")),
        }
    }
    query.set("client_id", client_id);
    query.set(CONNECTION, recipient.realm());
    query.set("email", recipient.address());
    query.set(CODE, code);
    let path = PATH.trim_start_matches('/');
    Ok(format!("{}{path}?{}", running.tenant().issuer(), query.encoded()))
}

/// Logs the user in who followed the link, once.
pub(super) async fn follow(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let sent = Query::parse(&query);
    let [realm, email, client_id, code] =
        [CONNECTION, "email", "client_id", CODE].map(|name| sent.value(name).unwrap_or_default());
    let now = running.now();
    let recipient = Recipient::read(realm, email).filter(|recipient| {
        let of = Passcode { client_id, realm: recipient.realm(), recipient: recipient.address() };
        running.store().passcodes.prove(&of, code, now) == Proved::Right
    });
    let Some(recipient) = recipient else {
        let why = "the link was used or has expired, or a newer one was sent. Ask for another";
        return page::refusal("invalid_request", why);
    };
    let user = recipient.user(&running).subject().to_owned();
    authorize::answer(&running, &headers, &query, Some(NextLogin::User(user)))
}
