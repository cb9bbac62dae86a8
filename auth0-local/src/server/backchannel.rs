//! `POST /bc-authorize`: a client asks a user who is not in front of it (CIBA). The user's phone is
//! `auth0-local approve`, or the library.
use super::{
    authorization_details,
    client_parameters::{ClientParameters, check_confidential},
    faulty::observed,
    form::{self, non_empty},
    refusal::{Refusal, uncached},
    target::{Target, TargetParameters},
};
use crate::{
    directory::CIBA,
    endpoint::Endpoint,
    running::RunningTenant,
    secret::random_text,
    store::{Decision, INTERVAL, Pace, Pending, RequestKind},
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Auth0's default lifetime of a request, in seconds.
const LIFETIME: u64 = 300;

/// Auth0's longest lifetime of a request, in seconds.
const MAX_LIFETIME: u64 = 259_200;

/// The most characters of a `binding_message`.
const MAX_MESSAGE: usize = 64;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    Router::new().route("/bc-authorize", observed(post(ask), running, Endpoint::Backchannel))
}

#[derive(Deserialize)]
struct BackchannelRequest {
    #[serde(flatten)]
    client: ClientParameters,
    #[serde(flatten)]
    target: TargetParameters,
    login_hint: Option<String>,
    login_hint_token: Option<String>,
    id_token_hint: Option<String>,
    binding_message: Option<String>,
    authorization_details: Option<String>,
    requested_expiry: Option<String>,
    request: Option<String>,
}

async fn ask(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sent: BackchannelRequest =
        form::read(&headers, &body?, "client_id, scope, login_hint and binding_message")?;
    let client = sent.client.authenticated(&running, &headers, CIBA)?;
    check_confidential(&client)?;
    let Target { audience, scopes } = sent.target.checked_with_resource(&running, &client)?;
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "scope must contain openid",
        ));
    }
    let subject = subject(&running, &sent)?;
    let binding_message = binding_message(&sent)?;
    let lifetime = lifetime(&sent)?;
    let details = non_empty(sent.authorization_details.as_ref());
    let details = details.map(authorization_details::parsed).transpose().map_err(|why| {
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_authorization_details", why)
    })?;
    let auth_req_id = random_text()?;
    let id = {
        let now = running.now();
        let mut store = running.store();
        let id = store.pending.next_id();
        let request = Pending {
            kind: RequestKind::Backchannel,
            id: id.clone(),
            client_id: client.id().to_owned(),
            subject: Some(subject),
            scopes,
            audience,
            binding_message: Some(binding_message),
            authorization_details: details,
            expires: now + Duration::from_secs(lifetime),
            decision: Decision::Waiting,
            pace: Pace::default(),
        };
        store.pending.keep(&auth_req_id, request);
        id
    };
    if running.settings().approves_at_once {
        running.approve(&id, None)?;
    }
    let answer = json!({
        "auth_req_id": auth_req_id,
        "expires_in": lifetime,
        "interval": INTERVAL.as_secs(),
    });
    Ok(uncached(StatusCode::OK, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginHint {
    format: String,
    iss: String,
    sub: String,
}

/// Returns the `sub` of the user whom the request names.
fn subject(running: &RunningTenant, sent: &BackchannelRequest) -> Result<String, Refusal> {
    for (name, value) in [
        ("login_hint_token", &sent.login_hint_token),
        ("id_token_hint", &sent.id_token_hint),
        ("request", &sent.request),
    ] {
        if non_empty(value.as_ref()).is_some() {
            return Err(Refusal::invalid_request(format!(
                "{name} is not supported. Send login_hint and plain parameters"
            )));
        }
    }
    let hint = non_empty(sent.login_hint.as_ref())
        .ok_or_else(|| Refusal::invalid_request("Missing required parameter: login_hint"))?;
    let issuer = running.tenant().issuer();
    let wrong = |why: String| {
        Refusal::invalid_request(format!(
            "login_hint {why}. Send {{\"format\":\"iss_sub\",\"iss\":\"{issuer}\",\"sub\":\"auth0|…\"}}"
        ))
    };
    let hint: LoginHint = super::body::object(hint.as_bytes())
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if hint.format != "iss_sub" {
        return Err(wrong("has another format than iss_sub".into()));
    }
    if hint.iss != issuer {
        return Err(wrong(format!("has another iss than {issuer}, with the slash")));
    }
    match running.user(&hint.sub) {
        Some(user) => Ok(user.subject().to_owned()),
        None => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unknown_user_id",
            "the tenant has no user with the sub of login_hint",
        )),
    }
}

fn binding_message(sent: &BackchannelRequest) -> Result<String, Refusal> {
    let message = non_empty(sent.binding_message.as_ref())
        .ok_or_else(|| Refusal::invalid_request("Missing required parameter: binding_message"))?;
    let is_shown = |it: char| it.is_ascii_alphanumeric() || " +-_.,:#".contains(it);
    match message.chars().count() <= MAX_MESSAGE && message.chars().all(is_shown) {
        true => Ok(message.to_owned()),
        false => Err(Refusal::invalid_request(format!(
            "binding_message can have up to {MAX_MESSAGE} characters: letters and digits of ASCII, blanks, and \
             any of +-_.,:#"
        ))),
    }
}

fn lifetime(sent: &BackchannelRequest) -> Result<u64, Refusal> {
    let Some(text) = non_empty(sent.requested_expiry.as_ref()) else { return Ok(LIFETIME) };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds.filter(|seconds| (1..=MAX_LIFETIME).contains(seconds)).ok_or_else(|| {
        Refusal::invalid_request(format!(
            "requested_expiry is not from 1 to {MAX_LIFETIME} seconds"
        ))
    })
}
