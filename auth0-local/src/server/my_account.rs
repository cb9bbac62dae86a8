//! The part of the My Account API that connects accounts of users at other providers: `/me/v1/connected-accounts`.
use super::{
    body::object,
    form::Query,
    page,
    refusal::{noted, uncached},
};
use crate::{
    directory::ConnectedAccount,
    running::RunningTenant,
    secret::random_text,
    store::{CONNECTING_LIFETIME, Connecting},
};
use auth0_core::support::base64url;
use aws_lc_rs::digest;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, LOCATION},
    },
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

const PATH: &str = "/me/v1/connected-accounts";
/// The browser opens this path with its ticket.
const CONNECT_PATH: &str = "/connect";

/// The largest page of accounts.
const MAX_TAKE: usize = 20;

/// Longer than any access token of this tenant.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

const CREATE: &str = "create:me:connected_accounts";
const READ: &str = "read:me:connected_accounts";
const DELETE: &str = "delete:me:connected_accounts";

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new()
        .route(&format!("{PATH}/connect"), post(connect))
        .route(&format!("{PATH}/complete"), post(complete))
        .route(&format!("{PATH}/accounts"), get(accounts))
        .route(&format!("{PATH}/accounts/{{id}}"), delete(disconnect))
        .route(CONNECT_PATH, get(agree))
}

/// A refusal in the format of Auth0's My Account API (RFC 9457).
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into() }
    }

    fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad Request", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, title, detail } = self;
        let body = json!({ "type": "about:blank", "status": status.as_u16(), "title": title, "detail": detail });
        noted(uncached(status, &body), title)
    }
}

#[derive(Deserialize)]
struct Connect {
    connection: String,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    authorization_params: Map<String, Value>,
}

#[derive(Deserialize)]
struct Complete {
    auth_session: String,
    connect_code: String,
    redirect_uri: String,
    code_verifier: String,
}

/// The user and the client of an access token for the My Account API.
struct Caller {
    subject: String,
    client_id: String,
}

impl Caller {
    fn of(running: &RunningTenant, headers: &HeaderMap, scope: &str) -> Result<Self, Problem> {
        let unauthorized =
            |detail: &str| Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", detail);
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(unauthorized("Missing authentication"));
        };
        let parts = value.to_str().ok().and_then(|value| value.split_once(' '));
        let (scheme, token) = parts.unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > MAX_TOKEN_BYTES {
            return Err(unauthorized("Bad HTTP authentication header format"));
        }
        let claims = running.tenant().signed_claims(token.trim());
        let claims = claims.ok_or_else(|| unauthorized("Invalid token"))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let expires = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
        let api = running.my_account_api();
        let is_for = |audience: &Value| match audience {
            Value::Array(all) => all.iter().any(|one| *one == api),
            one => *one == api,
        };
        if text("iss") != running.tenant().issuer()
            || expires <= running.now().as_secs_f64()
            || !claims.get("aud").is_some_and(is_for)
        {
            return Err(unauthorized(&format!("the token is not one for {api}, or has expired")));
        }
        if !text("scope").split(' ').any(|granted| granted == scope) {
            let detail = format!("Insufficient scope, expected: {scope}");
            return Err(Problem::new(StatusCode::FORBIDDEN, "Forbidden", detail));
        }
        Ok(Self { subject: text("sub").to_owned(), client_id: text("azp").to_owned() })
    }
}

type Body = Result<Bytes, BytesRejection>;

fn read<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let body = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    object(&body).map_err(|error| Problem::bad_request(error.to_string()))
}

async fn connect(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Caller { subject, client_id } = Caller::of(&running, &headers, CREATE)?;
    let asked: Connect = read(body)?;
    if asked.code_challenge_method != "S256" || asked.code_challenge.len() != 43 {
        return Err(Problem::bad_request("code_challenge must be a SHA-256, with the method S256"));
    }
    let client = running.directory().client(&client_id);
    if !client.is_some_and(|client| client.may_redirect_to(&asked.redirect_uri)) {
        return Err(Problem::bad_request("redirect_uri is not a callback of the client"));
    }
    if asked.connection.is_empty() {
        return Err(Problem::bad_request("connection is empty"));
    }
    let hint = asked.authorization_params.get("login_hint").and_then(Value::as_str);
    let of_user = || {
        let name = subject.rsplit('|').next().unwrap_or_default();
        format!("{name}@{}.test", asked.connection)
    };
    let failed = |error: crate::error::LocalError| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Error", error.to_string())
    };
    let (ticket, auth_session) = (random_text().map_err(failed)?, random_text().map_err(failed)?);
    let connecting = Connecting {
        login_hint: hint.map_or_else(of_user, str::to_owned),
        subject,
        client_id,
        connection: asked.connection,
        scopes: asked.scopes,
        redirect_uri: asked.redirect_uri,
        state: asked.state.unwrap_or_default(),
        code_challenge: asked.code_challenge,
        expires: running.now() + CONNECTING_LIFETIME,
    };
    running.store().connections.begin(&ticket, &auth_session, connecting);
    let issuer = running.tenant().issuer().trim_end_matches('/');
    Ok(uncached(
        StatusCode::CREATED,
        &json!({
            "auth_session": auth_session,
            "connect_uri": format!("{issuer}{CONNECT_PATH}"),
            "connect_params": { "ticket": ticket },
            "expires_in": CONNECTING_LIFETIME.as_secs(),
        }),
    ))
}

/// The provider is a fake, whose user agrees at once.
async fn agree(State(running): State<RunningTenant>, RawQuery(query): RawQuery) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let now = running.now();
    let Ok(code) = random_text() else {
        return page::refusal("server_error", "no randomness");
    };
    let ticket = query.value("ticket").unwrap_or_default();
    let agreed = running.store().connections.agree(ticket, &code, now);
    let back = agreed.and_then(|connecting| {
        let mut url = Url::parse(&connecting.redirect_uri).ok()?;
        url.query_pairs_mut()
            .append_pair("connect_code", &code)
            .append_pair("state", &connecting.state);
        HeaderValue::try_from(String::from(url)).ok()
    });
    match back {
        Some(url) => (StatusCode::FOUND, [(LOCATION, url)]).into_response(),
        None => page::refusal("invalid_request", "the ticket is unknown, used or expired"),
    }
}

async fn complete(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = Caller::of(&running, &headers, CREATE)?;
    let asked: Complete = read(body)?;
    let now = running.now();
    let found = running.store().connections.complete(&asked.auth_session, &asked.connect_code, now);
    let digest = digest::digest(&digest::SHA256, asked.code_verifier.as_bytes());
    let connecting = found.filter(|known| {
        known.subject == caller.subject
            && known.client_id == caller.client_id
            && known.redirect_uri == asked.redirect_uri
            && base64url(&known.code_challenge)
                .is_some_and(|challenge| challenge == digest.as_ref())
    });
    let Some(connecting) = connecting else {
        let detail = "auth_session, connect_code, redirect_uri and code_verifier are not those of one connection";
        return Err(Problem::bad_request(detail));
    };
    let Connecting { subject, connection, login_hint, scopes, .. } = connecting;
    let user = running.user(&subject);
    let is_known = user.is_some_and(|user| {
        user.accounts()
            .iter()
            .any(|account| account.connection() == connection && account.login_hint() == login_hint)
    });
    if is_known {
        let detail = "this account is connected already";
        return Err(Problem::new(StatusCode::CONFLICT, "Conflict", detail));
    }
    let account = ConnectedAccount::new(&connection, &login_hint).scopes(scopes);
    let described = described(&account);
    let connected = running.connect_account(&subject, account);
    connected.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(uncached(StatusCode::CREATED, &described))
}

async fn accounts(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let caller = Caller::of(&running, &headers, READ)?;
    let query = Query::parse(&query.unwrap_or_default());
    let number = |name: &str, default: usize| match query.value(name) {
        None => Ok(default),
        Some(text) => {
            text.parse().map_err(|_| Problem::bad_request(format!("{name} is not a number")))
        }
    };
    let (from, take) = (number("from", 0)?, number("take", MAX_TAKE)?.clamp(1, MAX_TAKE));
    let user = running.user(&caller.subject);
    let all: Vec<Value> = user
        .iter()
        .flat_map(|user| user.accounts())
        .filter(|account| query.value("connection").is_none_or(|name| name == account.connection()))
        .map(described)
        .collect();
    let mut answer = json!({ "accounts": all.iter().skip(from).take(take).collect::<Vec<_>>() });
    let next = from.saturating_add(take);
    if let (true, Some(members)) = (all.len() > next, answer.as_object_mut()) {
        members.insert("next".into(), next.to_string().into());
    }
    Ok(uncached(StatusCode::OK, &answer))
}

async fn disconnect(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let caller = Caller::of(&running, &headers, DELETE)?;
    let user = running.user(&caller.subject);
    let account = user.iter().flat_map(|user| user.accounts()).find(|account| id_of(account) == id);
    let Some(account) = account else {
        let detail = "there is no such account";
        return Err(Problem::new(StatusCode::NOT_FOUND, "Not Found", detail));
    };
    let (connection, hint) = (account.connection(), account.login_hint());
    let removed = running.disconnect_account(&caller.subject, connection, Some(hint));
    removed.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn described(account: &ConnectedAccount) -> Value {
    json!({
        "id": id_of(account),
        "connection": account.connection(),
        "access_type": "offline",
        "scopes": account.own_scopes(),
    })
}

/// Returns the id of an account, which stays the same while it is connected.
fn id_of(account: &ConnectedAccount) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(account.connection().as_bytes());
    context.update(&[0]);
    context.update(account.login_hint().to_ascii_lowercase().as_bytes());
    let hash = context.finish();
    format!("cac_{}", URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default()))
}
