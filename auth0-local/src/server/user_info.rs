//! `/userinfo` (OpenID Connect Core §5.3).
use super::{
    certificate,
    faulty::observed,
    proof,
    refusal::{Refusal, uncached},
};
use crate::{endpoint::Endpoint, running::RunningTenant, store::AccessToken};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION},
    response::Response,
    routing::get,
};
use serde_json::Value;

const PATH: &str = "userinfo";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let user_info = observed(get(user_info).post(user_info), running, Endpoint::UserInfo);
    Router::new().route(&format!("/{PATH}"), user_info)
}

async fn user_info(
    State(running): State<RunningTenant>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let AccessToken { grant, .. } = authorized(&running, &method, &headers)?;
    if !grant.has_scope("openid") {
        let refusal = Refusal::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "the access token lacks the scope openid. Ask for it at /authorize",
        );
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"openid\"";
        return Err(refusal.with_challenge(challenge));
    }
    let user = running.user(&grant.subject).ok_or_else(|| unauthorized("the user is gone"))?;
    let mut claims = user.profile(&grant.scopes);
    claims.insert("sub".into(), user.subject().into());
    Ok(uncached(StatusCode::OK, &Value::Object(claims)))
}

/// Returns the access token of a request: one that this tenant issued for a login.
fn authorized(
    running: &RunningTenant,
    method: &Method,
    headers: &HeaderMap,
) -> Result<AccessToken, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized(
            "the access token is missing. Send it in one Authorization header",
        ));
    };
    let (scheme, token) = value.to_str().ok().and_then(|it| it.split_once(' ')).unwrap_or_default();
    let kept = running.store().access_token(token.trim(), running.now()).cloned();
    let unknown =
        "the access token is unknown, expired or revoked. Use one of a login with this tenant";
    let kept = kept.ok_or_else(|| unauthorized(unknown))?;
    let client = running.directory().client(&kept.grant.client_id);
    if let Some(client) = client.filter(|client| client.certificate().is_some()) {
        certificate::check(running, headers, &client)?;
        if kept.key.is_none() {
            // It has the type `DPoP`, as with Auth0, and no key. Either scheme is accepted.
            return Ok(kept);
        }
    }
    let wanted = if kept.key.is_some() { "DPoP" } else { "Bearer" };
    if !scheme.eq_ignore_ascii_case(wanted) {
        return Err(unauthorized(format!("the scheme of this access token is {wanted}")));
    }
    if kept.key.is_some() {
        let key = proof::verified_thumbprint(running, method.as_str(), PATH, headers)?;
        if key != kept.key || !proof::is_for_token(headers, token.trim()) {
            return Err(unauthorized(
                "the access token is bound to a key. Send a proof of that key for this token",
            ));
        }
    }
    Ok(kept)
}

fn unauthorized(description: impl Into<String>) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", description);
    refusal.with_challenge("Bearer error=\"invalid_token\"")
}
