//! The device flow (RFC 8628): `POST /oauth/device/code`, and the page `/activate`.
mod activate;

use super::{
    client_parameters::ClientParameters,
    faulty::observed,
    form,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
    target::{Target, TargetParameters},
};
use crate::{
    directory::DEVICE_CODE,
    endpoint::Endpoint,
    running::RunningTenant,
    secret::{random_of, random_text},
    store::{Decision, INTERVAL, Pace, Pending, RequestKind},
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    middleware,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Auth0's default lifetime of a device code.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Consonants, which form no words and resemble no digits (RFC 8628 §6.1).
const ALPHABET: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let code = observed(post(device_code), running, Endpoint::Device);
    Router::new().route("/oauth/device/code", code)
}

/// Returns the routes of the user's browser.
pub(super) fn pages(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    let pages = get(activate::ask).post(activate::decide);
    Router::new().route(activate::PATH, pages).route_layer(no_foreign_origin)
}

#[derive(Deserialize)]
struct DeviceRequest {
    #[serde(flatten)]
    client: ClientParameters,
    #[serde(flatten)]
    target: TargetParameters,
}

async fn device_code(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sent: DeviceRequest = form::read(&headers, &body?, "client_id, scope and audience")?;
    let client = sent.client.authenticated(&running, &headers, DEVICE_CODE)?;
    let Target { audience, scopes } = sent.target.checked(&running, &client)?;
    let (device_code, user_code) = (random_text()?, user_code()?);
    let request = Pending {
        kind: RequestKind::Device,
        id: user_code.clone(),
        client_id: client.id().to_owned(),
        subject: None,
        scopes,
        audience,
        binding_message: None,
        authorization_details: None,
        expires: running.now() + LIFETIME,
        decision: Decision::Waiting,
        pace: Pace::default(),
    };
    running.store().pending.keep(&device_code, request);
    if running.settings().approves_at_once {
        running.approve(&user_code, None)?;
    }
    let page = format!("{}{}", running.tenant().issuer(), &activate::PATH.trim_start_matches('/'));
    let answer = json!({
        "device_code": device_code,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "verification_uri": page,
        "user_code": user_code,
        "expires_in": LIFETIME.as_secs(),
        "interval": INTERVAL.as_secs(),
    });
    Ok(uncached(StatusCode::OK, &answer))
}

/// Returns a new user code, as a user enters it.
fn user_code() -> Result<String, Refusal> {
    let mut code = random_of(ALPHABET, 8)?;
    code.insert(4, '-');
    Ok(code)
}
