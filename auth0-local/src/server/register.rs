//! `POST /oidc/register`: dynamic client registration (RFC 7591).
use super::{
    body::object,
    faulty::observed,
    form::media_type,
    host::no_foreign_origin,
    refusal::{Refusal, uncached},
};
use crate::{
    directory::{
        AUTHORIZATION_CODE, Client, OF_REGISTRATION, REFRESH_TOKEN, is_loopback_url, is_native_url,
        is_website_url,
    },
    endpoint::Endpoint,
    running::RunningTenant,
    secret::random_text,
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    middleware,
    response::Response,
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// More than any application needs.
const MAX_REDIRECTS: usize = 20;

const METHODS: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    if !running.settings().dynamic_registration {
        return Router::new();
    }
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    let register = observed(post(register), running, Endpoint::Register);
    Router::new().route("/oidc/register", register.route_layer(no_foreign_origin))
}

/// The metadata of a client that the tenant reads. It ignores the rest, as RFC 7591 §2 allows.
#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
}

/// The response: what is registered.
#[derive(Serialize)]
struct Registered {
    client_id: String,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// 0: never. Only beside a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel_logout_uri: Option<String>,
    token_endpoint_auth_method: String,
    grant_types: Vec<String>,
    response_types: [&'static str; 1],
}

async fn register(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let body = body?;
    // A page can send other types to any server, without a preflight request.
    if !media_type(&headers).eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            "the body must be application/json. Send its type in Content-Type",
        ));
    }
    let mut sent: Registration = object(&body).map_err(|error| {
        refused(format!("the metadata of the client cannot be read: {error}. Send a JSON object"))
    })?;
    limit_redirects(&mut sent)?;
    let method = sent.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    if !METHODS.contains(&method) {
        return Err(refused(format!(
            "token_endpoint_auth_method {method} is not supported. Write none, client_secret_post or \
             client_secret_basic"
        )));
    }
    if sent.response_types.as_ref().is_some_and(|types| types.iter().any(|one| one != "code")) {
        return Err(refused("response_types can be code only"));
    }
    let grants = sent
        .grant_types
        .unwrap_or_else(|| vec![AUTHORIZATION_CODE.to_owned(), REFRESH_TOKEN.to_owned()]);
    if let Some(other) = grants.iter().find(|grant| !OF_REGISTRATION.contains(&grant.as_str())) {
        return Err(refused(format!(
            "a client that registers itself cannot have the grant {other:?}. Write one of {}",
            OF_REGISTRATION.join(", ")
        )));
    }
    if let Some(url) = sent.backchannel_logout_uri.iter().find(|url| !is_loopback_url(url)) {
        return Err(refused(format!(
            "backchannel_logout_uri cannot be {url:?}, because a local tenant sends requests of clients that \
             registered themselves to this machine only. Write http on loopback, or configure the client"
        )));
    }
    let id = random_text()?;
    let secret = if method == "none" { None } else { Some(random_text()?) };
    let client = match &secret {
        None => Client::public(&id),
        Some(secret) => Client::confidential(&id, secret),
    };
    let client = client.grant_types(&grants).multi_resource_refresh_tokens();
    let client = sent.redirect_uris.iter().fold(client, Client::callback);
    let client = sent.post_logout_redirect_uris.iter().fold(client, Client::logout_url);
    let client = sent.backchannel_logout_uri.iter().fold(client, Client::backchannel_logout_url);
    client.check().map_err(|error| refused(error.to_string()))?;
    running.directory().register(client);
    let registered = Registered {
        client_id: id,
        client_id_issued_at: running.now().as_secs(),
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret,
        client_name: sent.client_name,
        redirect_uris: sent.redirect_uris,
        post_logout_redirect_uris: sent.post_logout_redirect_uris,
        backchannel_logout_uri: sent.backchannel_logout_uri,
        token_endpoint_auth_method: method.to_owned(),
        grant_types: grants,
        response_types: ["code"],
    };
    Ok(uncached(StatusCode::CREATED, &json!(registered)))
}

/// Leaves out the redirects to websites, as RFC 7591 §2 allows: a user is not asked for consent, so the code
/// of a login must not leave this machine. Refuses those of other kinds, except to loopback and to the scheme
/// of a native application.
fn limit_redirects(sent: &mut Registration) -> Result<(), Refusal> {
    let count = sent.redirect_uris.len() + sent.post_logout_redirect_uris.len();
    if count > MAX_REDIRECTS || sent.redirect_uris.is_empty() {
        return Err(invalid_redirect(format!(
            "redirect_uris has none, or more than {MAX_REDIRECTS}"
        )));
    }
    for urls in [&mut sent.redirect_uris, &mut sent.post_logout_redirect_uris] {
        urls.retain(|url| !is_website_url(url));
        if let Some(url) = urls.iter().find(|url| !is_loopback_url(url) && !is_native_url(url)) {
            return Err(invalid_redirect(format!(
                "{url} cannot be registered. Write http on loopback, or a scheme of the application"
            )));
        }
    }
    if sent.redirect_uris.is_empty() {
        return Err(invalid_redirect(
            "redirect_uris has URLs of websites only, and a local tenant sends no code to a client that \
             registered itself there. Write http on loopback or a scheme of the application, or configure \
             the client",
        ));
    }
    Ok(())
}

fn invalid_redirect(description: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", description)
}

fn refused(description: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_client_metadata", description)
}
