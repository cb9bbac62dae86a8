//! The grant `authorization_code`.
use super::{Call, Issued, Refusal, issue};
use crate::{
    directory::AUTHORIZATION_CODE,
    secret::{self, Fingerprint},
    server::form::non_empty,
    store::{Code, Grant, Redeemed},
};
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let (running, request) = (call.running, call.request);
    let client = call.client(AUTHORIZATION_CODE)?;
    let secret = non_empty(request.code.as_ref()).ok_or_else(|| {
        Refusal::invalid_request("Missing required parameter: code. Send that of the redirect")
    })?;
    let unknown = || Refusal::invalid_grant("Invalid authorization code");
    let fingerprint = Fingerprint::of(secret);
    let now = running.now();
    let code = running.store().codes.presented(&fingerprint, now).ok_or_else(unknown)?;
    if code.grant.client_id != client.id() {
        return Err(unknown());
    }
    check_redirect_uri(call, &code)?;
    check_verifier(call, &code)?;
    let user = running.user(&code.grant.subject).ok_or_else(unknown)?;
    if user.is_blocked() {
        return Err(Refusal::invalid_grant("user is blocked"));
    }
    check_resource(call, &code.grant)?;
    let grant = Arc::clone(&code.grant);
    // Last, so that a corrected request can be sent with the same code and the same proof.
    let key = call.proof()?;
    if code.key.is_some() && code.key != key {
        return Err(Refusal::invalid_grant(
            "the code is bound to another DPoP key (dpop_jkt). Send a proof of that key",
        ));
    }
    // The refresh token of a public client is bound to its key (RFC 9449 §5).
    let bound = key.clone().filter(|_| client.is_public());
    let (mut issued, kept) = issue::prepare(running, &grant, &user, key, false)?;
    let mut store = running.store();
    match store.codes.redeem(&fingerprint) {
        Redeemed::First => {}
        Redeemed::Again { grant } => {
            store.revoke_grant(grant);
            return Err(unknown());
        }
        Redeemed::Unknown => return Err(unknown()),
    }
    if grant.has_scope("offline_access") {
        issued.refresh_token = Some(store.refresh_tokens.begin(grant, bound, now));
    }
    store.keep_access_token(&issued.access_token, kept);
    Ok(issued)
}

fn check_redirect_uri(call: &Call<'_>, code: &Code) -> Result<(), Refusal> {
    match non_empty(call.request.redirect_uri.as_ref()) {
        Some(sent) if sent == code.redirect_uri => Ok(()),
        sent => Err(Refusal::invalid_grant(format!(
            "The redirect URI is wrong. You sent {}, and we expected {}",
            sent.unwrap_or("null"),
            code.redirect_uri
        ))),
    }
}

fn check_verifier(call: &Call<'_>, code: &Code) -> Result<(), Refusal> {
    let verifier = non_empty(call.request.code_verifier.as_ref());
    match (&code.code_challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier))
            if secret::equal(challenge, &secret::sha256(verifier)) =>
        {
            Ok(())
        }
        _ => Err(Refusal::invalid_grant("Failed to verify code verifier")),
    }
}

/// Refuses a `resource` that is not the API of the login. As with Auth0, it selects none.
fn check_resource(call: &Call<'_>, grant: &Grant) -> Result<(), Refusal> {
    let Some(resource) = non_empty(call.request.resource.as_ref()) else { return Ok(()) };
    let description = match grant.audience.as_deref() {
        Some(audience) if audience == resource => return Ok(()),
        Some(audience) => format!(
            "the login was for {audience}, and resource is {resource}. Send the same in both"
        ),
        None => format!(
            "the login was for no API, and resource is {resource}. Send it to /authorize, too: Auth0 ignores it here"
        ),
    };
    Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid_target", description))
}
