//! The API that is called. Its calendar stands for that of another provider.
use auth0_axum::{AccessToken, Auth0};
use auth0_local::LocalTenant;
use axum::{
    Json, Router,
    extract::{FromRef, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, FromRef)]
struct App {
    auth: Auth0,
    tenant: Arc<LocalTenant>,
}

pub(crate) fn routes(auth: Auth0, tenant: Arc<LocalTenant>) -> Router {
    Router::new()
        .route("/report", get(report))
        .route("/inventory", get(inventory))
        .route("/calendar", get(calendar))
        .with_state(App { auth, tenant })
}

/// Says for whom the report is, and which client calls on behalf of that user.
async fn report(token: AccessToken) -> Json<Value> {
    let actor = token.actor().ok().flatten().and_then(|actor| actor.subject().map(str::to_owned));
    Json(json!({ "report_of": token.subject(), "called_by": actor, "dpop": token.is_dpop() }))
}

async fn inventory(token: AccessToken) -> Json<Value> {
    Json(
        json!({ "inventory": ["chairs", "tables"], "called_by": token.subject(), "dpop": token.is_dpop() }),
    )
}

/// Says whose calendar a token of Token Vault opens.
async fn calendar(
    State(tenant): State<Arc<LocalTenant>>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.strip_prefix("Bearer "));
    let account = token.and_then(|token| tenant.vault_account_of(token));
    let account = account.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(json!({ "calendar_of": account.login_hint, "user": account.user })))
}
