//! `/__local/requests`: what users decide about requests that wait for them.
use super::{
    body::object,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::running::RunningTenant;
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

pub(crate) const PATH: &str = "/__local/requests";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new().route(PATH, get(list).post(decide)).route_layer(no_foreign_origin)
}

async fn list(State(running): State<RunningTenant>) -> Response {
    waiting(&running)
}

/// A decision, with the id of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    approve: Option<String>,
    deny: Option<String>,
    user: Option<String>,
}

/// Decides a request. Returns those that still wait.
async fn decide(
    State(running): State<RunningTenant>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let forms = "Send {\"approve\":\"ID\"}, {\"approve\":\"ID\",\"user\":\"auth0|ann\"} or {\"deny\":\"ID\"}";
    let choice: Choice = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!("the decision cannot be read: {error}. {forms}"))
    })?;
    let decided = match (&choice.approve, &choice.deny, &choice.user) {
        (Some(id), None, user) => running.approve(id, user.as_deref()),
        (None, Some(id), None) => running.deny(id),
        _ => return Err(Refusal::invalid_request(forms)),
    };
    decided.map_err(|error| Refusal::invalid_request(error.to_string()))?;
    Ok(waiting(&running))
}

fn waiting(running: &RunningTenant) -> Response {
    uncached(StatusCode::OK, &json!({ "requests": running.pending_requests() }))
}
