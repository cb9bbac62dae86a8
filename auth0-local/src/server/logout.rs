//! `/v2/logout` and `/oidc/logout` (OpenID Connect RP-Initiated Logout). The clients of an ended session receive
//! logout tokens.
use super::{
    cookie,
    faulty::observed,
    form::Query,
    page::{self, page},
};
use crate::{endpoint::Endpoint, running::RunningTenant};
use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use url::form_urlencoded::Serializer;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let v2 = observed(get(v2_logout), running, Endpoint::Logout);
    let oidc = observed(get(oidc_logout).post(post_oidc_logout), running, Endpoint::Logout);
    Router::new().route("/v2/logout", v2).route("/oidc/logout", oidc)
}

async fn v2_logout(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let request = query.repeated(&["client_id", "returnTo"]).map_or_else(
        || Logout::checked(&running, query.value("client_id"), query.value("returnTo")),
        |name| Err(format!("{name} is sent twice. Send it once")),
    );
    respond(&running, &headers, request)
}

async fn oidc_logout(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    respond(&running, &headers, Logout::of_openid(&running, &query))
}

async fn post_oidc_logout(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = Query::parse(&String::from_utf8_lossy(&body));
    respond(&running, &headers, Logout::of_openid(&running, &query))
}

/// A logout whose parameters are good.
#[derive(Debug, Default)]
struct Logout {
    /// Where the browser goes.
    target: Option<String>,
    /// The `sid` of a session to end, beside that of the browser.
    session_id: Option<String>,
}

impl Logout {
    fn checked(
        running: &RunningTenant,
        client_id: Option<&str>,
        target: Option<&str>,
    ) -> Result<Self, String> {
        let Some(target) = target else { return Ok(Self::default()) };
        let client_id = client_id.ok_or(
            "client_id is missing, and URLs are allowed for each client. Send it with the URL",
        )?;
        let registered = running.directory().client(client_id);
        let is_open = running.settings().open_clients;
        let open = || is_open.then(|| crate::directory::Client::open(client_id).into());
        let client = registered.or_else(open).ok_or(format!("Unknown client: {client_id}"))?;
        if !client.may_log_out_to(target) {
            return Err(format!(
                "{target} is not in the list of allowed logout URLs. Add it to the client {client_id}"
            ));
        }
        Ok(Self { target: Some(target.to_owned()), session_id: None })
    }

    fn of_openid(running: &RunningTenant, query: &Query) -> Result<Self, String> {
        let once =
            ["client_id", "post_logout_redirect_uri", "id_token_hint", "logout_hint", "state"];
        if let Some(name) = query.repeated(&once) {
            return Err(format!("{name} is sent twice. Send it once"));
        }
        let hint = match query.value("id_token_hint") {
            Some(token) => Some(hinted(running, token)?),
            None => None,
        };
        let claim =
            |name| hint.as_ref().and_then(|claims| claims.get(name)).and_then(Value::as_str);
        let client_id = match (query.value("client_id"), claim("aud")) {
            (Some(sent), Some(of_hint)) if sent != of_hint => {
                return Err("client_id is another one than in id_token_hint".into());
            }
            (sent, of_hint) => sent.or(of_hint),
        };
        let session_id = match (query.value("logout_hint"), claim("sid")) {
            (Some(sent), Some(of_hint)) if sent != of_hint => {
                return Err("logout_hint is another session than that of id_token_hint".into());
            }
            (sent, of_hint) => sent.or(of_hint),
        };
        let mut logout =
            Self::checked(running, client_id, query.value("post_logout_redirect_uri"))?;
        if let (Some(target), Some(state)) = (&mut logout.target, query.value("state")) {
            let separator = if target.contains('?') { '&' } else { '?' };
            let state = Serializer::new(String::new()).append_pair("state", state).finish();
            target.push(separator);
            target.push_str(&state);
        }
        logout.session_id = session_id.map(str::to_owned);
        Ok(logout)
    }
}

/// Returns the claims of an ID token of this tenant. It may have expired.
fn hinted(running: &RunningTenant, token: &str) -> Result<Value, String> {
    let tenant = running.tenant();
    let is_ours =
        |claims: &Value| claims.get("iss").and_then(Value::as_str) == Some(tenant.issuer());
    let claims = tenant.signed_claims(token).filter(is_ours);
    claims.ok_or("id_token_hint is not an ID token of this tenant. Leave it out".into())
}

/// Ends the session and sends the browser back.
fn respond(
    running: &RunningTenant,
    headers: &HeaderMap,
    logout: Result<Logout, String>,
) -> Response {
    let Logout { target, session_id } = match logout {
        Ok(logout) => logout,
        Err(why) => return page::refusal("invalid_request", &why),
    };
    let mut ended = Vec::new();
    {
        let mut store = running.store();
        for value in cookie::values(running, headers) {
            ended.extend(store.sessions.end(value));
        }
        if let Some(id) = &session_id {
            ended.extend(store.sessions.end_by_id(id));
        }
    }
    running.announce_logout(&ended);
    let mut response = match target {
        Some(target) => {
            let headers = [(LOCATION, target), (CACHE_CONTROL, "no-store".into())];
            (StatusCode::FOUND, headers).into_response()
        }
        None => page(StatusCode::OK, "Logged out", ""),
    };
    let cleared = cookie::clear(running).map(|cookie| (SET_COOKIE, cookie));
    response.headers_mut().extend(cleared);
    response
}
