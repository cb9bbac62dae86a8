//! The accounts of users at other providers, while the tenant runs: `/__local/accounts`, and `/__local/vault`,
//! which says whose token one is.
use super::{
    body::object,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{directory::ConnectedAccount, error::LocalError, running::RunningTenant};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

pub(crate) const ACCOUNTS_PATH: &str = "/__local/accounts";
const VAULT_PATH: &str = "/__local/vault";

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(ACCOUNTS_PATH, post(connect).delete(disconnect))
        .route(VAULT_PATH, post(account_of))
        .route_layer(no_foreign_origin)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connected {
    user: String,
    account: ConnectedAccount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnected {
    user: String,
    connection: String,
    login_hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presented {
    token: String,
}

async fn connect(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let Connected { user, account } = read(
        &body?,
        "{\"user\":\"auth0|ann\",\"account\":{\"connection\":\"google-oauth2\",\"login_hint\":\"ann@work.test\"}}",
    )?;
    running.connect_account(&user, account).map_err(refused)?;
    Ok(uncached(StatusCode::OK, &json!({ "user": user })))
}

async fn disconnect(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let Disconnected { user, connection, login_hint } =
        read(&body?, "{\"user\":\"auth0|ann\",\"connection\":\"google-oauth2\"}")?;
    let removed = running.disconnect_account(&user, &connection, login_hint.as_deref());
    Ok(uncached(StatusCode::OK, &json!({ "removed": removed.map_err(refused)? })))
}

async fn account_of(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let Presented { token } = read(&body?, "{\"token\":\"…\"}")?;
    let account = running.vault_account_of(&token).ok_or_else(|| {
        let why = "no account has this token, or it has expired. Request one from the tenant";
        Refusal::new(StatusCode::NOT_FOUND, "not_found", why)
    })?;
    Ok(uncached(
        StatusCode::OK,
        &json!({
            "user": account.user,
            "connection": account.connection,
            "login_hint": account.login_hint,
            "scope": account.scopes.join(" "),
        }),
    ))
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8], wanted: &str) -> Result<T, Refusal> {
    object(body).map_err(|error| {
        Refusal::invalid_request(format!("the body cannot be read: {error}. Send {wanted}"))
    })
}

fn refused(error: LocalError) -> Refusal {
    Refusal::invalid_request(error.to_string())
}
