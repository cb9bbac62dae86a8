//! `POST /__local/logout`, which logs a user out everywhere, and `POST /__local/logout-token`, which mints any logout
//! token. With `accept: text/plain`, the response of the second is the token and nothing else, for a shell.
use super::{
    administration::{read, refused},
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{logout::LogoutTokenDescription, running::RunningTenant};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CACHE_CONTROL},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

pub(crate) const LOGOUT_PATH: &str = "/__local/logout";
const TOKEN_PATH: &str = "/__local/logout-token";

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(LOGOUT_PATH, post(log_out))
        .route(TOKEN_PATH, post(mint))
        .route_layer(no_foreign_origin)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    user: String,
}

async fn log_out(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    let OfUser { user } = read(&body?, "{\"user\":\"auth0|ann\"}")?;
    let deliveries = running.log_out(&user).await.map_err(refused)?;
    Ok(uncached(StatusCode::OK, &json!({ "user": user, "deliveries": deliveries })))
}

async fn mint(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let wanted = "{\"client_id\":\"web\",\"user\":\"auth0|ann\",\"claims\":{},\"without\":[]}";
    let description: LogoutTokenDescription = read(&body?, wanted)?;
    let token = description.token(&running);
    if headers.get(ACCEPT).is_some_and(|types| types == "text/plain") {
        return Ok(([(CACHE_CONTROL, "no-store")], token).into_response());
    }
    Ok(uncached(StatusCode::OK, &json!({ "logout_token": token })))
}
