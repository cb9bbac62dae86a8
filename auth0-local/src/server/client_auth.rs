//! Authentication of clients: `client_secret_post`, `client_secret_basic`, `private_key_jwt`, mTLS and `none`.
use super::{assertion, certificate, refusal::Refusal};
use crate::{directory::Client, running::RunningTenant};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::Arc;
use url::form_urlencoded;

/// What the body of a request says about its client.
#[derive(Debug)]
pub(super) struct Credentials<'a> {
    pub(super) client_id: Option<&'a str>,
    pub(super) client_secret: Option<&'a str>,
    pub(super) client_assertion: Option<&'a str>,
    pub(super) client_assertion_type: Option<&'a str>,
}

/// Authenticates the client of a request. A client that is not registered is accepted as a machine with
/// any secret, or as a public client if the tenant is open to them.
pub(super) fn authenticate(
    running: &RunningTenant,
    headers: &HeaderMap,
    sent: &Credentials<'_>,
    is_machine: bool,
) -> Result<Arc<Client>, Refusal> {
    if let Some(assertion) = assertion(headers, sent)? {
        return assertion::client_of(running, assertion, sent.client_id);
    }
    let basic = basic(headers)?;
    let refused = |error: &'static str, description: &str| {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, error, description);
        match basic {
            Some(_) => refusal.with_challenge("Basic realm=\"auth0-local\""),
            None => refusal,
        }
    };
    let (id, secret) = match &basic {
        Some(_) if sent.client_secret.is_some() => {
            return Err(Refusal::invalid_request(
                "the client authenticates twice. Send the secret in the body or in Authorization",
            ));
        }
        Some((id, _)) if sent.client_id.is_some_and(|other| other != id) => {
            return Err(Refusal::invalid_request(
                "client_id in the body is another one than in Authorization. Send one client",
            ));
        }
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (sent.client_id, sent.client_secret),
    };
    let registered = id.and_then(|id| running.directory().client(id));
    match (registered, id, secret) {
        (Some(client), ..) if client.is_public() => Ok(client),
        (Some(client), _, None) if client.certificate().is_some() => {
            certificate::check(running, headers, &client)?;
            Ok(client)
        }
        (Some(client), _, None) if client.signs_assertions() => Err(refused(
            "invalid_client",
            "the client authenticates with private_key_jwt. Send client_assertion and client_assertion_type",
        )),
        (Some(client), _, Some(secret)) if client.has_secret(secret) => Ok(client),
        (Some(_), ..) => Err(refused("access_denied", "Unauthorized")),
        (None, Some(id), Some(secret)) if is_machine => {
            Ok(Arc::new(Client::confidential(id, secret)))
        }
        (None, Some(id), _) if !is_machine && running.settings().open_clients => {
            Ok(Arc::new(Client::open(id)))
        }
        (None, Some(id), _) if !is_machine => Err(refused(
            "invalid_client",
            &format!("Unknown client: {id}. Register it, or start the tenant with --open-clients"),
        )),
        (None, id, secret) => Err(refused("invalid_client", missing(id, secret, is_machine))),
    }
}

/// Returns the assertion of a request, which has no other credentials beside it.
fn assertion<'a>(headers: &HeaderMap, sent: &Credentials<'a>) -> Result<Option<&'a str>, Refusal> {
    let (assertion, kind) = (sent.client_assertion, sent.client_assertion_type);
    if assertion.is_none() && kind.is_none() {
        return Ok(None);
    }
    if sent.client_secret.is_some() || headers.contains_key(AUTHORIZATION) {
        return Err(Refusal::invalid_request(
            "the client authenticates twice. Send the assertion or the secret",
        ));
    }
    match (assertion, kind) {
        (Some(assertion), Some(assertion::TYPE)) => Ok(Some(assertion)),
        (Some(_), _) => Err(Refusal::invalid_request(format!(
            "client_assertion_type is missing or unknown. Send {}",
            assertion::TYPE
        ))),
        (None, _) => {
            Err(Refusal::invalid_request("client_assertion is missing. Send it, or no type"))
        }
    }
}

/// Says what a client did not send. A public client has no secret.
const fn missing(id: Option<&str>, secret: Option<&str>, is_machine: bool) -> &'static str {
    match (id, secret) {
        (None, None) if is_machine => {
            "client_id and client_secret are missing. Send them in the body; any values are accepted from a \
             client that is not registered"
        }
        (None, _) => "client_id is missing. Send it in the body",
        _ => {
            "client_secret is missing. Send it in the body; any value is accepted from a client that is not \
             registered"
        }
    }
}

/// Reads the credentials of the scheme `Basic`, whose parts are encoded as in a form (RFC 6749 §2.3.1).
pub(super) fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let parse = || {
        let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
        let decoded = STANDARD.decode(credentials.trim()).ok()?;
        let text =
            String::from_utf8(decoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (id, secret) = text.split_once(':')?;
        Some((form_decoded(id), form_decoded(secret)))
    };
    parse().map(Some).ok_or_else(|| {
        Refusal::invalid_request(
            "the Authorization header cannot be read. Send Basic with client_id:client_secret in base64",
        )
    })
}

/// Decodes one value of a form. Text that was not encoded as such is returned as it is.
fn form_decoded(text: &str) -> String {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    match (pairs.next(), pairs.next()) {
        (Some((decoded, rest)), None) if rest.is_empty() && !text.contains('=') => {
            decoded.into_owned()
        }
        _ => text.to_owned(),
    }
}
