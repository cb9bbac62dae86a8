//! What an administrator does, while the tenant runs: `/__local/block`, `unblock`, `delete-user`, `remove-member` and
//! `delete-organization`.
use super::{
    body::object,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{directory::Membership, error::LocalError, running::RunningTenant};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::post,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

pub(crate) const BLOCK_PATH: &str = "/__local/block";
pub(crate) const UNBLOCK_PATH: &str = "/__local/unblock";
pub(crate) const DELETE_USER_PATH: &str = "/__local/delete-user";
pub(crate) const REMOVE_MEMBER_PATH: &str = "/__local/remove-member";
pub(crate) const DELETE_ORGANIZATION_PATH: &str = "/__local/delete-organization";

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(BLOCK_PATH, post(block))
        .route(UNBLOCK_PATH, post(unblock))
        .route(DELETE_USER_PATH, post(delete_user))
        .route(REMOVE_MEMBER_PATH, post(remove_member))
        .route(DELETE_ORGANIZATION_PATH, post(delete_organization))
        .route_layer(no_foreign_origin)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfMember {
    organization: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfOrganization {
    organization: String,
}

async fn block(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    set_blocked(&running, body, true)
}

async fn unblock(State(running): State<RunningTenant>, body: Body) -> Result<Response, Refusal> {
    set_blocked(&running, body, false)
}

fn set_blocked(running: &RunningTenant, body: Body, blocked: bool) -> Result<Response, Refusal> {
    let OfUser { user } = read(&body?, "{\"user\":\"auth0|ann\"}")?;
    running.set_blocked(&user, blocked).map_err(refused)?;
    Ok(ok(&json!({ "user": user, "blocked": blocked })))
}

async fn delete_user(
    State(running): State<RunningTenant>,
    body: Body,
) -> Result<Response, Refusal> {
    let OfUser { user } = read(&body?, "{\"user\":\"auth0|ann\"}")?;
    running.delete_user(&user).map_err(refused)?;
    Ok(ok(&json!({ "user": user })))
}

async fn remove_member(
    State(running): State<RunningTenant>,
    body: Body,
) -> Result<Response, Refusal> {
    let OfMember { organization, user } =
        read(&body?, "{\"organization\":\"org_acme\",\"user\":\"auth0|ann\"}")?;
    let removed = running.remove_member(&organization, &user).map_err(refused)?;
    Ok(ok(&json!({ "organization": named(&removed), "user": user })))
}

async fn delete_organization(
    State(running): State<RunningTenant>,
    body: Body,
) -> Result<Response, Refusal> {
    let OfOrganization { organization } = read(&body?, "{\"organization\":\"org_acme\"}")?;
    let (deleted, members) = running.delete_organization(&organization).map_err(refused)?;
    Ok(ok(&json!({ "organization": named(&deleted), "members": members })))
}

fn named(organization: &Membership) -> Value {
    json!({ "id": organization.id(), "name": organization.name() })
}

/// Reads the body of a drill. The refusal of another one shows what is wanted.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], wanted: &str) -> Result<T, Refusal> {
    object(body).map_err(|error| {
        Refusal::invalid_request(format!("the body cannot be read: {error}. Send {wanted}"))
    })
}

pub(super) fn refused(error: LocalError) -> Refusal {
    Refusal::invalid_request(error.to_string())
}

fn ok(answer: &Value) -> Response {
    uncached(StatusCode::OK, answer)
}
