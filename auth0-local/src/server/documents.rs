//! The documents that verifiers and clients fetch: metadata and key set.
use super::{certificate, cors, faulty::observed, refusal::Refusal};
use crate::{
    directory::{CLIENT_ALGORITHMS, GRANT_TYPES},
    endpoint::Endpoint,
    running::RunningTenant,
};
use axum::{
    Router,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, Value, json};

/// The endpoints that Auth0 names at the edge.
const AT_THE_EDGE: [&str; 3] =
    ["token_endpoint", "userinfo_endpoint", "pushed_authorization_request_endpoint"];

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let metadata = observed(get(metadata), running, Endpoint::Metadata);
    Router::new()
        .route("/.well-known/openid-configuration", metadata.clone())
        .route("/.well-known/oauth-authorization-server", metadata)
        .route("/.well-known/jwks.json", observed(get(key_set), running, Endpoint::KeySet))
        .route_layer(middleware::from_fn(cors::public))
        .route("/__local/redirected/{endpoint}", get(redirected))
}

async fn metadata(State(running): State<RunningTenant>) -> Response {
    genuine(&running, Endpoint::Metadata)
}

async fn key_set(State(running): State<RunningTenant>) -> Response {
    genuine(&running, Endpoint::KeySet)
}

/// Returns the target of a redirect, which verifiers must not follow. It serves the document, so
/// that a verifier that follows it continues without an error.
pub(super) fn redirect_target(endpoint: Endpoint) -> String {
    format!("__local/redirected/{}", endpoint.name())
}

async fn redirected(
    State(running): State<RunningTenant>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let endpoint = Endpoint::named(&name).ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "no redirect leads here. Request the URL in the Location header",
        )
    })?;
    running.count_redirect();
    Ok(genuine(&running, endpoint))
}

/// Returns the document without a fault, with the short `max-age` of Auth0's key set.
fn genuine(running: &RunningTenant, endpoint: Endpoint) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=15")];
    let json = match endpoint {
        Endpoint::Metadata => metadata_json(running),
        Endpoint::KeySet => running.tenant().key_set_json(),
        _ => "{}".to_owned(),
    };
    (headers, json).into_response()
}

/// Returns the metadata of the test kit, with what a local tenant adds to it.
fn metadata_json(running: &RunningTenant) -> String {
    let tenant = running.tenant();
    let url = |path: &str| format!("{}{path}", tenant.issuer());
    let mut metadata: Map<String, Value> =
        serde_json::from_str(&tenant.metadata_json()).unwrap_or_default();
    for (name, value) in [
        ("authorization_endpoint", json!(url("authorize"))),
        ("userinfo_endpoint", json!(url("userinfo"))),
        ("revocation_endpoint", json!(url("oauth/revoke"))),
        ("end_session_endpoint", json!(url("oidc/logout"))),
        ("backchannel_logout_supported", json!(true)),
        ("backchannel_logout_session_supported", json!(true)),
        ("backchannel_authentication_endpoint", json!(url("bc-authorize"))),
        ("backchannel_token_delivery_modes_supported", json!(["poll"])),
        ("backchannel_user_code_parameter_supported", json!(false)),
        ("pushed_authorization_request_endpoint", json!(url("oauth/par"))),
        ("require_pushed_authorization_requests", json!(false)),
        ("device_authorization_endpoint", json!(url("oauth/device/code"))),
        ("mfa_challenge_endpoint", json!(url("mfa/challenge"))),
        ("grant_types_supported", json!(GRANT_TYPES)),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("scopes_supported", json!(["openid", "profile", "email", "offline_access"])),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ),
        ("token_endpoint_auth_signing_alg_values_supported", json!(CLIENT_ALGORITHMS)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(true)),
        ("request_object_signing_alg_values_supported", json!(CLIENT_ALGORITHMS)),
        ("request_uri_parameter_supported", json!(false)),
    ] {
        metadata.insert(name.to_owned(), value);
    }
    if running.settings().dynamic_registration {
        metadata.insert("registration_endpoint".into(), url("oidc/register").into());
    }
    add_mtls(running, &mut metadata);
    Value::Object(metadata).to_string()
}

/// Adds what clients with certificates need: the endpoints at the edge.
fn add_mtls(running: &RunningTenant, metadata: &mut Map<String, Value>) {
    let Some(edge) = &running.settings().mtls else { return };
    if let Some(Value::Array(methods)) = metadata.get_mut("token_endpoint_auth_methods_supported") {
        methods.extend([json!(certificate::CA_SIGNED), json!(certificate::SELF_SIGNED)]);
    }
    let issuer = running.tenant().issuer();
    let alias = |name: &&str| {
        let url = metadata.get(*name)?.as_str()?;
        Some(((*name).to_owned(), json!(edge.url(url.strip_prefix(issuer)?))))
    };
    let aliases: Map<String, Value> = AT_THE_EDGE.iter().filter_map(alias).collect();
    metadata.insert("mtls_endpoint_aliases".into(), aliases.into());
    metadata.insert("tls_client_certificate_bound_access_tokens".into(), json!(true));
}
