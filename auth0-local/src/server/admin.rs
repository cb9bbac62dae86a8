//! The endpoints of drills, which control a running tenant: `/__local/rotate`, `revoke`, `faults`
//! and `stats`.
use super::{
    body::object,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{
    error::LocalError,
    fault::{FaultChanges, Faults},
    running::RunningTenant,
    stats::Requests,
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const ROTATE_PATH: &str = "/__local/rotate";
pub(crate) const REVOKE_PATH: &str = "/__local/revoke";
pub(crate) const FAULTS_PATH: &str = "/__local/faults";
pub(crate) const STATS_PATH: &str = "/__local/stats";

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(ROTATE_PATH, post(rotate))
        .route(REVOKE_PATH, post(revoke))
        .route(FAULTS_PATH, post(set_faults).delete(clear_faults))
        .route(STATS_PATH, get(stats))
        .route_layer(no_foreign_origin)
}

async fn rotate(State(running): State<RunningTenant>) -> Result<Response, Refusal> {
    let failed = |error: LocalError| {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", error.to_string())
    };
    Ok(ok(&json!({ "kid": running.rotate().await.map_err(failed)? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    kid: String,
}

async fn revoke(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let body = body?;
    let tenant = running.tenant();
    if body.is_empty() {
        tenant.withdraw_old_keys();
    } else {
        let Revocation { kid } = object(&body).map_err(|error| {
            Refusal::invalid_request(format!(
                "the body cannot be read: {error}. Send {{\"kid\":\"…\"}}, or no body to withdraw all \
                 keys except the signing key"
            ))
        })?;
        tenant.withdraw_key(&kid).map_err(|error| Refusal::invalid_request(error.to_string()))?;
    }
    Ok(ok(&json!({ "kids": tenant.key_ids() })))
}

async fn set_faults(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let changes: FaultChanges = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!(
            "the faults cannot be read: {error}. Send {{\"jwks\":\"500\",\"metadata\":\"none\"}}, or \
             one of them"
        ))
    })?;
    let faults = running.change_faults(&changes);
    Ok(current(faults.map_err(|error| Refusal::invalid_request(error.to_string()))?))
}

async fn clear_faults(State(running): State<RunningTenant>) -> Response {
    current(running.clear_faults())
}

fn current(faults: Faults) -> Response {
    ok(&json!(FaultChanges::from(faults)))
}

async fn stats(State(running): State<RunningTenant>) -> Response {
    let stats = running.stats();
    let requests = |of: Requests| {
        json!({
            "requests": of.total(), "served": of.served, "faulted": of.faulted,
        })
    };
    ok(&json!({
        "metadata": requests(stats.metadata),
        "jwks": requests(stats.key_set),
        "token": { "requests": stats.token },
        "redirect_target": { "requests": stats.redirect_target },
    }))
}

fn ok(answer: &Value) -> Response {
    uncached(StatusCode::OK, answer)
}
