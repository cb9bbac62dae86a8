//! `/__local/messages`: what the tenant would send to users.
use super::{host::no_foreign_origin, refusal::uncached};
use crate::running::RunningTenant;
use axum::{
    Router, extract::State, http::StatusCode, middleware, response::Response, routing::get,
};
use serde_json::json;

pub(crate) const PATH: &str = "/__local/messages";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new().route(PATH, get(list)).route_layer(no_foreign_origin)
}

async fn list(State(running): State<RunningTenant>) -> Response {
    let messages = running.store().messages.to_vec();
    uncached(StatusCode::OK, &json!({ "messages": messages }))
}
