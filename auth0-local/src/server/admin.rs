//! The endpoints of drills, which control a running tenant: `/__local/rotate`, `revoke`, `faults`,
//! `stats` and `login`.
use super::{
    body::object,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{
    endpoint::Endpoint,
    error::LocalError,
    fault::{FaultChanges, Faults},
    running::RunningTenant,
    store::LoginAnswer,
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
use serde_json::{Map, Value, json};

pub(crate) const ROTATE_PATH: &str = "/__local/rotate";
pub(crate) const REVOKE_PATH: &str = "/__local/revoke";
pub(crate) const FAULTS_PATH: &str = "/__local/faults";
pub(crate) const STATS_PATH: &str = "/__local/stats";
pub(crate) const LOGIN_PATH: &str = "/__local/login";

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(ROTATE_PATH, post(rotate))
        .route(REVOKE_PATH, post(revoke))
        .route(FAULTS_PATH, post(set_faults).delete(clear_faults))
        .route(STATS_PATH, get(stats))
        .route(LOGIN_PATH, post(choose_login))
        .route_layer(no_foreign_origin)
}

async fn rotate(State(running): State<RunningTenant>) -> Result<Response, Refusal> {
    Ok(ok(&json!({ "kid": running.rotate().await? })))
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
    let counts = Endpoint::ALL.map(|endpoint| {
        let of = stats.requests(endpoint);
        let counts = json!({
            "requests": of.total(), "served": of.served, "faulted": of.faulted,
        });
        (endpoint.name().to_owned(), counts)
    });
    let mut answer = Map::from_iter(counts);
    let redirects = json!({ "requests": stats.redirect_target });
    answer.insert("redirect_target".into(), redirects);
    ok(&answer.into())
}

/// Who logs in from now on, and who answers the next login.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginChoice {
    user: Option<String>,
    next: Option<NextChoice>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum NextChoice {
    User { user: String },
    Error { error: String, error_description: Option<String> },
}

async fn choose_login(
    State(running): State<RunningTenant>,
    body: Body,
) -> Result<Response, Refusal> {
    let LoginChoice { user, next } = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!(
            "the choice cannot be read: {error}. Send {{\"user\":\"auth0|ann\"}}, \
             {{\"next\":{{\"user\":\"auth0|ann\"}}}} or {{\"next\":{{\"error\":\"access_denied\"}}}}"
        ))
    })?;
    let refused = |error: LocalError| Refusal::invalid_request(error.to_string());
    if let Some(user) = &user {
        running.answer_logins_as(user).map_err(refused)?;
    }
    if let Some(next) = next {
        let answer = match next {
            NextChoice::User { user } => LoginAnswer::user(user),
            NextChoice::Error { error, error_description } => {
                LoginAnswer::error(error, error_description.unwrap_or_default())
            }
        };
        running.answer_next_login(answer).map_err(refused)?;
    }
    Ok(ok(&json!({ "user": running.default_user().map(|user| user.subject().to_owned()) })))
}

fn ok(answer: &Value) -> Response {
    uncached(StatusCode::OK, answer)
}
