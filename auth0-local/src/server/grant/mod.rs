//! `POST /oauth/token`, with the responses that Auth0 gives.
mod backchannel;
mod client_grant;
mod code;
mod custom_exchange;
mod device;
mod direct;
mod exchange;
mod issue;
mod machine;
mod mfa;
mod on_behalf_of;
mod parameters;
mod password;
mod passwordless;
mod quota;
mod refresh;
mod scopes;
mod subject;
mod vault;
mod worker;

pub(super) use scopes::{granted, parsed};

use super::{
    client_auth::{Credentials, authenticate},
    faulty::observed,
    form::{self, non_empty},
    proof,
    recorded::recorded,
    refusal::{DPOP_NONCE, Refusal, uncached},
    target::Target,
};
use crate::{
    directory::{
        AUTHORIZATION_CODE, CIBA, CLIENT_CREDENTIALS, Client, DEVICE_CODE, MFA_OOB, MFA_OTP,
        MFA_RECOVERY_CODE, PASSWORD, PASSWORD_REALM, PASSWORDLESS_OTP, REFRESH_TOKEN,
        TOKEN_EXCHANGE, TOKEN_VAULT, User,
    },
    endpoint::Endpoint,
    running::RunningTenant,
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION},
    response::Response,
    routing::post,
};
use parameters::LoginParameters;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The path, relative to the issuer.
const PATH: &str = "oauth/token";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let token = recorded(observed(post(token), running, Endpoint::Token), running);
    Router::new().route(&format!("/{PATH}"), token)
}

async fn token(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let wanted = "grant_type, client_id and the parameters of the grant";
    let request: TokenRequest = form::read(&headers, &body?, wanted)?;
    let call = Call { running: &running, headers: &headers, request: &request };
    let issued = match non_empty(request.grant_type.as_ref()) {
        Some(CLIENT_CREDENTIALS) => machine::issue(&call)?,
        Some(AUTHORIZATION_CODE) => code::issue(&call)?,
        Some(REFRESH_TOKEN) => refresh::issue(&call)?,
        Some(TOKEN_EXCHANGE) => exchange::issue(&call)?,
        Some(TOKEN_VAULT) => vault::issue(&call)?,
        Some(DEVICE_CODE) => device::issue(&call)?,
        Some(CIBA) => backchannel::issue(&call)?,
        Some(grant @ (MFA_OTP | MFA_OOB | MFA_RECOVERY_CODE)) => mfa::issue(&call, grant)?,
        Some(PASSWORDLESS_OTP) => passwordless::issue(&call)?,
        Some(grant @ (PASSWORD | PASSWORD_REALM)) => password::issue(&call, grant)?,
        Some(_) => {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "a local tenant supports the grants of grant_types_supported in its metadata only. For any \
                 other token, run auth0-local token",
            ));
        }
        None => {
            return Err(Refusal::invalid_request(
                "grant_type is missing. Send grant_type=client_credentials, authorization_code or \
                 refresh_token",
            ));
        }
    };
    let mut response = uncached(StatusCode::OK, &json!(issued));
    response.headers_mut().extend(issued.headers);
    response.headers_mut().extend(call.next_nonce());
    Ok(response)
}

/// The response with the tokens.
#[derive(Default, Serialize)]
struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    /// The actor of a custom token exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Value>,
    /// The headers of the response: the state of quotas.
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<Value>,
    /// The next one, after a recovery code was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_code: Option<String>,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
    audience: Option<String>,
    resource: Option<String>,
    scope: Option<String>,
    organization: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    subject_token: Option<String>,
    subject_token_type: Option<String>,
    requested_token_type: Option<String>,
    actor_token: Option<String>,
    actor_token_type: Option<String>,
    connection: Option<String>,
    login_hint: Option<String>,
    #[serde(flatten)]
    login: LoginParameters,
}

/// A request to the token endpoint, as its grants read it.
struct Call<'a> {
    running: &'a RunningTenant,
    headers: &'a HeaderMap,
    request: &'a TokenRequest,
}

impl Call<'_> {
    /// Authenticates the client, which must be allowed to use this grant.
    fn client(&self, grant: &str) -> Result<Arc<Client>, Refusal> {
        let sent = Credentials {
            client_id: non_empty(self.request.client_id.as_ref()),
            client_secret: non_empty(self.request.client_secret.as_ref()),
            client_assertion: non_empty(self.request.client_assertion.as_ref()),
            client_assertion_type: non_empty(self.request.client_assertion_type.as_ref()),
        };
        let is_machine = grant == CLIENT_CREDENTIALS;
        let client = authenticate(self.running, self.headers, &sent, is_machine)?;
        if !client.may_use(grant) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "unauthorized_client",
                format!("Grant type '{grant}' not allowed for the client."),
            ));
        }
        Ok(client)
    }

    /// Verifies the DPoP proof. Returns the thumbprint of its key, or `None` without a proof.
    fn proof(&self) -> Result<Option<String>, Refusal> {
        let verifier = self.running.proofs().of_client(self.is_of_public_client());
        proof::verified_by(verifier, self.running, "POST", PATH, self.headers)
    }

    /// Returns the nonce for the client's next proof, if it sent one and needs nonces.
    fn next_nonce(&self) -> Option<(HeaderName, HeaderValue)> {
        self.headers.get("dpop")?;
        let (proofs, is_public) = (self.running.proofs(), self.is_of_public_client());
        if !proofs.needs_nonce(is_public) {
            return None;
        }
        let verifier = proofs.of_client(is_public);
        Some((DPOP_NONCE, proof::nonce(verifier, self.running, PATH)?))
    }

    /// Returns whether the client has no credentials. It was authenticated before.
    fn is_of_public_client(&self) -> bool {
        let id = non_empty(self.request.client_id.as_ref());
        match id.and_then(|id| self.running.directory().client(id)) {
            Some(client) => client.is_public(),
            None => {
                let sent = &self.request;
                let credentials = [&sent.client_secret, &sent.client_assertion];
                let has_any = credentials.into_iter().any(|it| non_empty(it.as_ref()).is_some());
                !has_any && !self.headers.contains_key(AUTHORIZATION)
            }
        }
    }

    /// Returns the API that the request names.
    fn audience(&self) -> Option<&str> {
        non_empty(self.request.audience.as_ref())
    }

    /// Returns the API that the request names, for grants that read `resource` as well. `audience` outranks it.
    fn audience_or_resource(&self) -> Option<&str> {
        self.audience().or(non_empty(self.request.resource.as_ref()))
    }

    /// Returns what to say of an API that is missing, if the request has a `resource` that is not read.
    fn ignored_resource(&self) -> Option<&'static str> {
        let resource = non_empty(self.request.resource.as_ref());
        resource.map(|_| ", and resource is ignored for this grant, as Auth0 does")
    }

    /// Returns the API and the scopes of a grant that logs a user in.
    fn target(&self, client: &Client) -> Result<Target, Refusal> {
        let scope = non_empty(self.request.scope.as_ref());
        Target::checked(self.running, client, self.audience(), scope)
    }

    /// Refuses an API that the tenant does not have.
    fn check_api(&self, audience: &str, client: &Client) -> Result<(), Refusal> {
        if self.running.offers(audience, client) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "access_denied",
            format!("Service not found: {audience}"),
        ))
    }
}

/// Refuses a user whom an administrator blocked.
fn check_not_blocked(user: &User) -> Result<(), Refusal> {
    match user.is_blocked() {
        true => Err(Refusal::new(StatusCode::FORBIDDEN, "access_denied", "user is blocked")),
        false => Ok(()),
    }
}

/// Returns the type of a token. As with Auth0, one that is bound to a certificate has the type `DPoP`, too.
fn token_type(key: Option<&String>, client: Option<&Client>) -> &'static str {
    if key.is_some() || client.and_then(Client::certificate).is_some() { "DPoP" } else { "Bearer" }
}
