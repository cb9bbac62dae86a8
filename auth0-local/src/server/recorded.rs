//! The record of requests to the token endpoint: what they ask for, before any fault and any check.
use super::{
    MAX_BODY_BYTES, certificate,
    client_auth::basic,
    form::{self, non_empty},
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{
    directory::GRANT_TYPES, jws::ClientJwt, running::RunningTenant, token_requests::TokenRequest,
};
use axum::{
    Router,
    body::{self, Body},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PATH: &str = "/__local/token-requests";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new().route(PATH, get(requests)).route_layer(no_foreign_origin)
}

/// Records the requests of a route.
pub(super) fn recorded(
    route: MethodRouter<RunningTenant>,
    running: &RunningTenant,
) -> MethodRouter<RunningTenant> {
    route.route_layer(middleware::from_fn_with_state(running.clone(), record))
}

async fn record(State(running): State<RunningTenant>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = body::to_bytes(body, MAX_BODY_BYTES).await else {
        return Refusal::too_large().into_response();
    };
    let sent = form::read(&parts.headers, &bytes, "").unwrap_or_default();
    let request = described(&parts.headers, sent);
    let parameters = TokenParameters::of(&request);
    let known = GRANT_TYPES.into_iter().find(|grant| *grant == request.grant_type);
    running.record_token_request(known, request);
    let mut response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    response.extensions_mut().insert(parameters);
    response
}

/// What a request asked for, in one line for the list of the last requests.
#[derive(Clone, Debug)]
pub(super) struct TokenParameters(pub(super) String);

impl TokenParameters {
    fn of(request: &TokenRequest) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let parameters = [
            ("grant_type", request.grant_type.clone()),
            ("client_id", text(&request.client_id)),
            ("authentication", request.authentication.to_owned()),
            ("audience", text(&request.audience)),
            ("scope", text(&request.scope)),
            ("organization", text(&request.organization)),
            ("connection", text(&request.connection)),
            ("proof", if request.has_proof { "yes" } else { "" }.to_owned()),
        ];
        let pairs = parameters.into_iter().filter(|(_, value)| !value.is_empty());
        Self(pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }
}

#[derive(Default, Deserialize)]
struct Sent {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    audience: Option<String>,
    resource: Option<String>,
    scope: Option<String>,
    organization: Option<String>,
    connection: Option<String>,
    login_hint: Option<String>,
}

fn described(headers: &HeaderMap, sent: Sent) -> TokenRequest {
    let basic = basic(headers).ok().flatten();
    let assertion = non_empty(sent.client_assertion.as_ref());
    let has_secret = non_empty(sent.client_secret.as_ref()).is_some();
    let authentication = match (assertion, &basic) {
        (Some(_), _) => "private_key_jwt",
        (None, Some(_)) => "client_secret_basic",
        (None, None) if has_secret => "client_secret_post",
        (None, None) => certificate::method(headers).unwrap_or("none"),
    };
    let of_assertion = || Some(ClientJwt::parse(assertion?)?.text("iss")?.to_owned());
    TokenRequest {
        grant_type: sent.grant_type.unwrap_or_default(),
        client_id: sent.client_id.or_else(|| basic.map(|(id, _)| id)).or_else(of_assertion),
        authentication,
        audience: sent.audience.or(sent.resource),
        scope: sent.scope,
        organization: sent.organization,
        connection: sent.connection,
        login_hint: sent.login_hint,
        has_proof: headers.contains_key("dpop"),
    }
}

async fn requests(State(running): State<RunningTenant>) -> Response {
    let requests = running.token_requests();
    let last: Vec<Value> = requests.last().map(shown).collect();
    uncached(StatusCode::OK, &json!({ "counts": requests.counts(), "last": last }))
}

fn shown(request: &TokenRequest) -> Value {
    json!({
        "grant_type": request.grant_type,
        "client_id": request.client_id,
        "authentication": request.authentication,
        "audience": request.audience,
        "scope": request.scope,
        "organization": request.organization,
        "connection": request.connection,
        "login_hint": request.login_hint,
        "has_proof": request.has_proof,
    })
}
