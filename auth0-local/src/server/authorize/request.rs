//! The parameters of a request whose client and redirect are good.
use super::reply::Reply;
use crate::{
    directory::AUTHORIZATION_CODE,
    running::RunningTenant,
    server::{authorization_details, form::Query, grant::parsed},
};
use auth0_core::policy::MFA;
use serde_json::Value;
use url::Url;

/// The parameters that a request may have once only.
const ONCE: [&str; 16] = [
    "acr_values",
    "response_type",
    "scope",
    "nonce",
    "prompt",
    "max_age",
    "audience",
    "resource",
    "organization",
    "login_hint",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "request",
    "request_uri",
    "authorization_details",
];

/// The length of a SHA-256 in base64url.
const HASH_LENGTH: usize = 43;

/// What a client asks of a user.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) scopes: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) login_hint: Option<String>,
    /// The user must not be asked (`prompt=none`).
    pub(super) is_silent: bool,
    /// The user must log in again (`prompt=login`).
    pub(super) is_forced: bool,
    pub(super) max_age: Option<u64>,
    /// The user must pass another factor (`acr_values`).
    pub(super) needs_factor: bool,
    pub(super) code_challenge: Option<String>,
    pub(super) dpop_jkt: Option<String>,
    pub(super) authorization_details: Option<Value>,
}

/// An error that the client receives at its redirect.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) description: String,
}

impl Refused {
    pub(super) fn new(code: &str, description: impl Into<String>) -> Self {
        Self { code: code.into(), description: description.into() }
    }

    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl Request {
    pub(super) fn read(
        running: &RunningTenant,
        query: &Query,
        reply: &Reply,
    ) -> Result<Self, Refused> {
        if let Some(name) = query.repeated(&ONCE) {
            return Err(Refused::invalid(format!("{name} is sent twice. Send it once")));
        }
        let text = |name| query.value(name).map(str::to_owned);
        check_response(query)?;
        if !reply.client.may_use(AUTHORIZATION_CODE) {
            let why = "Grant type 'authorization_code' not allowed for the client.";
            return Err(Refused::new("unauthorized_client", why));
        }
        let prompts: Vec<&str> = query.value("prompt").unwrap_or_default().split(' ').collect();
        let is_silent = prompts.contains(&"none");
        if is_silent && prompts.len() > 1 {
            return Err(Refused::invalid("prompt=none excludes other values of prompt"));
        }
        Ok(Self {
            scopes: parsed(query.value("scope").unwrap_or_default())
                .map_err(|why| Refused::new("invalid_scope", why))?,
            audience: audience(running, query, reply)?,
            organization: text("organization"),
            nonce: text("nonce"),
            login_hint: text("login_hint"),
            is_silent,
            is_forced: prompts.iter().any(|one| ["login", "select_account"].contains(one)),
            max_age: max_age(query)?,
            needs_factor: query
                .value("acr_values")
                .is_some_and(|values| values.split(' ').any(|value| value == MFA)),
            code_challenge: code_challenge(query, reply)?,
            dpop_jkt: dpop_jkt(query)?,
            authorization_details: details(query)?,
        })
    }
}

fn check_response(query: &Query) -> Result<(), Refused> {
    match query.value("response_type") {
        Some("code") => {}
        Some(other) => {
            let why = format!("Unsupported response type: {other}. Send code");
            return Err(Refused::new("unsupported_response_type", why));
        }
        None => return Err(Refused::invalid("Missing required parameter: response_type")),
    }
    match query.value("response_mode") {
        None | Some("query" | "form_post") => {}
        Some(other) => {
            let why = format!("Unsupported response mode: {other}. Send query or form_post");
            return Err(Refused::invalid(why));
        }
    }
    if query.value("request_uri").is_some() {
        let why = "a local tenant reads a request_uri of its /oauth/par only. Push the request, or send request";
        return Err(Refused::new("request_uri_not_supported", why));
    }
    Ok(())
}

/// Returns the API. As with Auth0, `audience` outranks `resource` (RFC 8707).
fn audience(
    running: &RunningTenant,
    query: &Query,
    reply: &Reply,
) -> Result<Option<String>, Refused> {
    let audience = match (query.value("audience"), query.value("resource")) {
        (Some(audience), _) => audience,
        (None, Some(resource)) if is_absolute(resource) => resource,
        (None, Some(resource)) => {
            let why = format!("{resource} is not an absolute URI without a fragment");
            return Err(Refused::new("invalid_target", why));
        }
        (None, None) => return Ok(None),
    };
    if !running.offers(audience, &reply.client) {
        return Err(Refused::new("access_denied", format!("Service not found: {audience}")));
    }
    Ok(Some(audience.to_owned()))
}

fn is_absolute(resource: &str) -> bool {
    Url::parse(resource).is_ok_and(|url| url.fragment().is_none())
}

fn max_age(query: &Query) -> Result<Option<u64>, Refused> {
    let Some(text) = query.value("max_age") else { return Ok(None) };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    let why = || Refused::invalid(format!("max_age={text} is not a number of seconds"));
    seconds.map(Some).ok_or_else(why)
}

/// Returns the challenge of PKCE (RFC 7636). A public client needs one, and its method must be S256.
fn code_challenge(query: &Query, reply: &Reply) -> Result<Option<String>, Refused> {
    match (query.value("code_challenge"), query.value("code_challenge_method")) {
        (None, None) if !reply.client.is_public() => Ok(None),
        (Some(challenge), Some("S256")) if is_hash(challenge) => Ok(Some(challenge.to_owned())),
        (None, _) => Err(Refused::invalid(
            "Missing required parameter: code_challenge. A public client needs PKCE",
        )),
        (Some(_), Some("S256")) => Err(Refused::invalid(
            "code_challenge is not a SHA-256 in base64url: 43 characters without padding",
        )),
        _ => Err(Refused::invalid("code_challenge_method must be S256")),
    }
}

fn dpop_jkt(query: &Query) -> Result<Option<String>, Refused> {
    match query.value("dpop_jkt") {
        Some(thumbprint) if !is_hash(thumbprint) => Err(Refused::invalid(
            "dpop_jkt is not a thumbprint: 43 characters of base64url without padding",
        )),
        thumbprint => Ok(thumbprint.map(str::to_owned)),
    }
}

fn details(query: &Query) -> Result<Option<Value>, Refused> {
    let details = query.value("authorization_details").map(authorization_details::parsed);
    details.transpose().map_err(|why| Refused::new("invalid_authorization_details", why))
}

fn is_hash(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == HASH_LENGTH && text.bytes().all(is_base64url)
}
