//! Custom token exchange: a token that a profile of the tenant reads becomes a login of a user.
use super::{
    Call, Issued, Refusal, check_not_blocked, client_grant, exchange::ACCESS_TOKEN, granted, issue,
};
use crate::{
    directory::{Client, Membership, TokenExchangeProfile, User, is_reserved},
    secret::random_text,
    server::form::non_empty,
    store::{Grant, SESSION_TRANSFER_LIFETIME},
};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

const SESSION_TRANSFER: &str = "urn:auth0:params:oauth:token-type:session_transfer_token";

pub(super) fn issue(
    call: &Call<'_>,
    client: &Client,
    kind: &str,
    token: &str,
) -> Result<Issued, Refusal> {
    let running = call.running;
    let profile = profile(call, kind)?;
    let actor = actor(call, &profile)?;
    let is_transfer = call.audience().is_some_and(|audience| audience == transfer_audience(call));
    check_requested_type(call, is_transfer)?;
    let user = profile.user_of(token).ok_or_else(|| {
        Refusal::invalid_request("the subject_token is not valid for the profile of its type")
    })?;
    let user = running.user(&user).ok_or_else(|| {
        Refusal::invalid_request(
            "the profile names a user that the tenant does not have. Add the user",
        )
    })?;
    check_not_blocked(&user)?;
    let organization = organization(call, &user)?;
    let requested = client_grant::requested_scopes(call)?.unwrap_or_default();
    if is_transfer {
        return session_transfer(call, &user);
    }
    let audience = call.audience().map(str::to_owned);
    if let Some(audience) = &audience {
        call.check_api(audience, client)?;
    }
    let mut scopes = granted(running, client, &user, audience.as_deref(), &requested);
    if actor.is_some() {
        // As with Auth0: a delegation ends with its access token.
        scopes.retain(|scope| scope != "offline_access");
    }
    let (session_id, now) = (random_text()?, running.now());
    let grant = Arc::new(Grant {
        number: running.store().next_grant(),
        client_id: client.id().to_owned(),
        subject: user.subject().to_owned(),
        audience,
        scopes,
        organization,
        session_id,
        authenticated: now.as_secs(),
        has_max_age: false,
        has_factor: false,
        nonce: None,
        authorization_details: None,
    });
    // Last, so that a corrected request can be sent with the same proof.
    let key = call.proof()?;
    let bound = key.clone().filter(|_| client.is_public());
    // There is no session with the tenant, so the ID token has no `sid`.
    let prepared = issue::prepare_for_actor(running, &grant, &user, key, true, actor.as_ref());
    let (mut issued, kept) = prepared?;
    issued.issued_token_type = Some(ACCESS_TOKEN);
    let mut store = running.store();
    if grant.has_scope("offline_access") {
        issued.refresh_token = Some(store.refresh_tokens.begin(grant, bound, now));
    }
    store.keep_access_token(&issued.access_token, kept);
    Ok(issued)
}

/// Returns the profile that reads tokens of a type.
fn profile(call: &Call<'_>, kind: &str) -> Result<Arc<TokenExchangeProfile>, Refusal> {
    if is_reserved(kind) {
        return Err(Refusal::invalid_request(format!(
            "subject_token_type {kind} is in a reserved namespace. Send {ACCESS_TOKEN}, or the type of a profile"
        )));
    }
    call.running.directory().exchange_profile(kind).ok_or_else(|| {
        Refusal::invalid_request(format!(
            "no profile has the subject_token_type {kind}. Add it to token_exchange_profiles"
        ))
    })
}

/// Returns who acts for the user, for `act`.
fn actor(call: &Call<'_>, profile: &TokenExchangeProfile) -> Result<Option<Value>, Refusal> {
    let token = non_empty(call.request.actor_token.as_ref());
    let kind = non_empty(call.request.actor_token_type.as_ref());
    let (Some(token), Some(_)) = (token, kind) else {
        return match (token, kind) {
            (None, None) => Ok(None),
            _ => Err(Refusal::invalid_request(
                "actor_token and actor_token_type belong together. Send both, or none",
            )),
        };
    };
    let actor = profile.actor_of(token).ok_or_else(|| {
        Refusal::invalid_request(
            "the actor_token is not one of the profile. Add it to actor_tokens",
        )
    })?;
    Ok(Some(json!({ "sub": actor })))
}

/// The requested type may be omitted, as Auth0's clients do.
fn check_requested_type(call: &Call<'_>, is_transfer: bool) -> Result<(), Refusal> {
    let Some(sent) = non_empty(call.request.requested_token_type.as_ref()) else { return Ok(()) };
    let expected = if is_transfer { SESSION_TRANSFER } else { ACCESS_TOKEN };
    match sent == expected {
        true => Ok(()),
        false => Err(Refusal::invalid_request(format!(
            "requested_token_type cannot be {sent}. Send {expected}, or none"
        ))),
    }
}

fn organization(call: &Call<'_>, user: &User) -> Result<Option<Membership>, Refusal> {
    let Some(name) = non_empty(call.request.organization.as_ref()) else { return Ok(None) };
    let member = user.membership(name).ok_or_else(|| {
        let subject = user.subject();
        let why = format!("user {subject} is not part of the {name} organization");
        Refusal::new(StatusCode::FORBIDDEN, "access_denied", why)
    })?;
    Ok(Some(member))
}

/// Issues a token that logs the user in at `/authorize`, once.
fn session_transfer(call: &Call<'_>, user: &User) -> Result<Issued, Refusal> {
    let token = random_text()?;
    let now = call.running.now();
    call.running.store().session_transfers.keep(&token, user.subject(), now);
    Ok(Issued {
        access_token: token,
        token_type: "N_A",
        expires_in: SESSION_TRANSFER_LIFETIME.as_secs(),
        issued_token_type: Some(SESSION_TRANSFER),
        ..Issued::default()
    })
}

/// Returns `urn:{domain}:session_transfer`, with the port that the domain of a local tenant has.
fn transfer_audience(call: &Call<'_>) -> String {
    let issuer = call.running.tenant().issuer();
    let domain = issuer.trim_start_matches("http://").trim_end_matches('/');
    format!("urn:{domain}:session_transfer")
}
