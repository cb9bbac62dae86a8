//! `POST /oauth/token`, with the responses that Auth0 gives a machine.
use super::{
    body::object,
    proof,
    refusal::{Refusal, uncached},
};
use crate::{running::RunningTenant, token::Organization};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::form_urlencoded;

/// Auth0's default lifetime of an API's tokens.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The path, relative to the issuer.
pub(super) const PATH: &str = "oauth/token";

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new().route(&format!("/{PATH}"), post(token))
}

async fn token(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    running.count_token_request();
    let request = TokenRequest::parse(&headers, &body?)?;
    let Grant { client_id, audience } = request.grant()?;
    let mut token =
        running.tenant().token().machine(client_id).audience(audience).expires_in(LIFETIME);
    let scope = non_empty(request.scope.as_ref());
    if let Some(scope) = scope {
        token = token.scope(scope);
    }
    if let Some(organization) = non_empty(request.organization.as_ref()) {
        let organization: Organization =
            organization.parse().map_err(|sentence: String| Refusal::invalid_request(sentence))?;
        token = organization.add_to(token);
    }
    // Last, so that a corrected request can be sent with the same proof.
    let mut token_type = "Bearer";
    if let Some(thumbprint) = proof::verified_thumbprint(&running, &headers)? {
        token = token.bound_to_thumbprint(&thumbprint);
        token_type = "DPoP";
    }
    let expires_in = LIFETIME.as_secs();
    let issued = Issued { access_token: token.mint(), token_type, expires_in, scope };
    Ok(uncached(StatusCode::OK, &json!(issued)))
}

#[derive(Serialize)]
struct Issued<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
    organization: Option<String>,
}

/// The required parameters of a request.
struct Grant<'a> {
    client_id: &'a str,
    audience: &'a str,
}

impl TokenRequest {
    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let parsed = if essence.eq_ignore_ascii_case("application/json") {
            object(body)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            serde_json::from_value(Value::Object(form(body)?))
        } else {
            return Err(Refusal::invalid_request(
                "the body must be application/json or application/x-www-form-urlencoded. Send \
                 its type in Content-Type",
            ));
        };
        parsed.map_err(|error| {
            Refusal::invalid_request(format!(
                "the body cannot be read: {error}. Send grant_type, client_id, client_secret and \
                 audience, each once and as text"
            ))
        })
    }

    fn grant(&self) -> Result<Grant<'_>, Refusal> {
        match non_empty(self.grant_type.as_ref()) {
            Some("client_credentials") => {}
            Some(_) => {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "unsupported_grant_type",
                    "a local tenant supports the grant client_credentials only. For a user's token, \
                     run auth0-local token",
                ));
            }
            None => {
                return Err(Refusal::invalid_request(
                    "grant_type is missing. Send grant_type=client_credentials",
                ));
            }
        }
        let (Some(client_id), Some(_)) =
            (non_empty(self.client_id.as_ref()), non_empty(self.client_secret.as_ref()))
        else {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "client_id or client_secret is missing. Send both in the body; any values are accepted",
            ));
        };
        let Some(audience) = non_empty(self.audience.as_ref()) else {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "access_denied",
                "audience is missing, and there is no default. Send the identifier of the API that \
                 the token is for",
            ));
        };
        Ok(Grant { client_id, audience })
    }
}

/// Parses a form into an object whose values are text.
fn form(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if members.insert(name.clone().into_owned(), value.into()).is_some() {
            return Err(Refusal::invalid_request(format!("{name} is sent twice. Send it once")));
        }
    }
    Ok(members)
}

/// Treats a parameter without a value as omitted (RFC 6749 §3.2).
fn non_empty(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}
