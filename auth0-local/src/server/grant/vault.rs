//! Token Vault: the token of a user's account at another provider.
use super::{
    Call, Issued, Refusal,
    exchange::{ACCESS_TOKEN, check_requested_type, required, subject_token},
    subject::Subject,
    worker,
};
use crate::{
    directory::{Client, ConnectedAccount, TOKEN_VAULT, User},
    secret::random_text,
    server::form::non_empty,
    store::VaultAccount,
};
use axum::http::StatusCode;
use std::sync::Arc;

const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const OF_CONNECTION: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";
const OF_VAULT: &str = "http://auth0.com/oauth/token-type/token-vault-access-token";

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let client = call.client(TOKEN_VAULT)?;
    if client.is_public() {
        return Err(denied(
            "the client is public. Register it with a secret, a key or a certificate",
        ));
    }
    let (kind, token) = subject_token(call)?;
    let request = call.request;
    for (name, value) in [
        ("audience", &request.audience),
        ("scope", &request.scope),
        ("resource", &request.resource),
    ] {
        if non_empty(value.as_ref()).is_some() {
            return Err(Refusal::invalid_request(format!(
                "{name} is not a parameter of this grant"
            )));
        }
    }
    let connection = required("connection", request.connection.as_ref())?;
    let (user, limit) = match kind {
        ACCESS_TOKEN => (of_access_token(call, &client, token)?, None),
        REFRESH_TOKEN => (of_refresh_token(call, &client, token)?, None),
        JWT => {
            check_requested_type(call, &[OF_VAULT, OF_CONNECTION])?;
            let scopes = client.vault_access().and_then(|access| access.scopes(connection));
            let scopes = scopes.ok_or_else(|| {
                denied(&format!(
                    "the client has no privileged access to {connection}. Add it to \
                     token_vault_privileged_access"
                ))
            })?;
            (worker::user(call, &client, token)?, Some(scopes))
        }
        _ => {
            return Err(Refusal::invalid_request(format!(
                "subject_token_type cannot be {kind}. Send {ACCESS_TOKEN}, {REFRESH_TOKEN} or {JWT}"
            )));
        }
    };
    if user.is_blocked() {
        return Err(super::subject::refused("its user is blocked"));
    }
    let hint = non_empty(request.login_hint.as_ref());
    let account = user.connected_account(connection, hint).ok_or_else(|| {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "federated_connection_refresh_token_not_found",
            "Federated connection Refresh Token not found.",
        )
    })?;
    answer(call, &user, account, limit)
}

/// Mints a token of an account, with the scopes within a limit.
fn answer(
    call: &Call<'_>,
    user: &User,
    account: &ConnectedAccount,
    limit: Option<&[String]>,
) -> Result<Issued, Refusal> {
    let is_within = |scope: &&String| limit.is_none_or(|limit| limit.contains(scope));
    let scopes: Vec<String> = account.own_scopes().iter().filter(is_within).cloned().collect();
    let token = random_text()?;
    let kept = VaultAccount {
        user: user.subject().to_owned(),
        connection: account.connection().to_owned(),
        login_hint: account.login_hint().to_owned(),
        scopes,
    };
    let scope = Some(kept.scopes.join(" ")).filter(|scope| !scope.is_empty());
    let expires = call.running.now() + account.lifetime();
    call.running.store().vault_tokens.keep(&token, kept, expires);
    let requested = non_empty(call.request.requested_token_type.as_ref());
    Ok(Issued {
        access_token: token,
        token_type: "Bearer",
        expires_in: account.lifetime().as_secs(),
        scope,
        issued_token_type: Some(if requested == Some(OF_VAULT) { OF_VAULT } else { OF_CONNECTION }),
        ..Issued::default()
    })
}

/// Returns the user of an access token that the client's API received.
fn of_access_token(call: &Call<'_>, client: &Client, token: &str) -> Result<Arc<User>, Refusal> {
    check_requested_type(call, &[OF_CONNECTION])?;
    let api = client.own_api().ok_or_else(|| {
        denied(
            "only the client of an API exchanges its access tokens. Register it with app_type resource_server \
             and resource_server_identifier",
        )
    })?;
    let subject = Subject::verified(call.running, token, api)?;
    call.proof()?;
    call.running.user(subject.sub()).ok_or_else(unknown_user)
}

/// Returns the user of a refresh token of the client, which stays as it is.
fn of_refresh_token(call: &Call<'_>, client: &Client, token: &str) -> Result<Arc<User>, Refusal> {
    check_requested_type(call, &[OF_CONNECTION])?;
    let running = call.running;
    if running.settings().rotates_refresh_tokens {
        return Err(Refusal::invalid_request(
            "refresh tokens rotate, and Token Vault does not support that. Start the tenant with --no-rotation",
        ));
    }
    let unknown = || Refusal::invalid_grant("Unknown or invalid refresh token.");
    let now = running.now();
    let presented = running.store().refresh_tokens.presented(token, now).ok_or_else(unknown)?;
    if presented.grant.client_id != client.id() {
        return Err(unknown());
    }
    let key = call.proof()?;
    if presented.key.is_some() && presented.key != key {
        return Err(Refusal::invalid_grant(
            "the refresh token is bound to another DPoP key. Send a proof of that key",
        ));
    }
    if !running.store().refresh_tokens.touch(presented.token, now) {
        return Err(unknown());
    }
    running.user(&presented.grant.subject).ok_or_else(unknown_user)
}

fn unknown_user() -> Refusal {
    super::subject::refused("the tenant has no user with its sub")
}

fn denied(why: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "unauthorized_client", why)
}
