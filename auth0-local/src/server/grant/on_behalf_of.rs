//! On-behalf-of: an API exchanges the token that it received for one of another API, with the same user.
use super::{
    Call, Issued, Refusal, client_grant,
    exchange::{ACCESS_TOKEN, check_requested_type},
    issue,
    scopes::is_of_login,
    subject::{Subject, refused},
    token_type,
};
use crate::directory::{Api, Client, ClientGrant, Membership, User};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::{collections::BTreeSet, iter, sync::Arc};

/// The most clients that can act for a user, one after the other.
const MAX_DEPTH: usize = 4;

pub(super) fn issue(call: &Call<'_>, client: &Client, token: &str) -> Result<Issued, Refusal> {
    let running = call.running;
    let Some(own_api) = client.own_api().filter(|_| !client.is_public()) else {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "unauthorized_client",
            "only the client of an API exchanges its access tokens. Register it with a secret, a key or a \
             certificate, app_type resource_server and resource_server_identifier",
        ));
    };
    check_requested_type(call, &[ACCESS_TOKEN])?;
    let audience = call.audience().ok_or_else(|| {
        let resource = call.ignored_resource().unwrap_or_default();
        Refusal::invalid_request(format!(
            "Missing required parameter: audience{resource}. Send the API to call"
        ))
    })?;
    let subject = Subject::verified(running, token, own_api)?;
    call.check_api(audience, client)?;
    let grant = client_grant::of(client, audience)?;
    let actors = actors(&subject, client)?;
    let user = user(call, subject.sub())?;
    let organization = organization(&subject, user.as_deref());
    let requested = client_grant::requested_scopes(call)?;
    let scopes = scopes(call, audience, grant, user.as_deref(), requested.as_deref());
    // Last, so that a corrected request can be sent with the same proof.
    let key = call.proof()?;
    let (token, lifetime) = issue::token_for_api(running, audience)?;
    let mut token = token.subject(subject.sub()).client(client.id()).claim("act", actors);
    if !scopes.is_empty() {
        token = token.scope(&scopes.join(" "));
    }
    if let Some(user) = &user {
        token = issue::with_permissions(token, user, organization.as_ref());
        token = issue::with_user_claims(token, user, organization.as_ref());
    }
    for name in ["org_id", "org_name"] {
        token = subject.text(name).into_iter().fold(token, |token, value| token.claim(name, value));
    }
    let differs = requested.as_ref() != Some(&scopes);
    Ok(Issued {
        access_token: issue::bound(token, Some(client), key.as_deref()).mint(),
        token_type: token_type(key.as_ref(), Some(client)),
        expires_in: lifetime.as_secs(),
        scope: Some(scopes.join(" "))
            .filter(|scope| differs && (requested.is_some() || !scope.is_empty())),
        issued_token_type: Some(ACCESS_TOKEN),
        ..Issued::default()
    })
}

/// Returns the user of a token, if the tenant has it. One who is blocked or deleted is refused.
fn user(call: &Call<'_>, subject: &str) -> Result<Option<Arc<User>>, Refusal> {
    let user = call.running.user(subject);
    if user.as_ref().is_some_and(|user| user.is_blocked()) {
        return Err(refused("its user is blocked"));
    }
    match user.is_none() && call.running.directory().is_deleted(subject) {
        true => Err(refused("its user was deleted")),
        false => Ok(user),
    }
}

/// Returns the chain of clients with this one, outermost. The client of the login is the innermost one.
fn actors(subject: &Subject, client: &Client) -> Result<Value, Refusal> {
    let before = subject.actors().cloned();
    let before = before.unwrap_or_else(|| json!({ "sub": subject.client_id() }));
    let depth = 1 + iter::successors(Some(&before), |actor| actor.get("act")).count();
    if depth > MAX_DEPTH {
        return Err(Refusal::invalid_request(format!(
            "Delegation chain (`act` claim) depth exceeds the maximum allowed limit of {MAX_DEPTH}"
        )));
    }
    Ok(json!({ "sub": client.id(), "act": before }))
}

/// Returns the organization of the login, as far as the user is a member.
fn organization(subject: &Subject, user: Option<&User>) -> Option<Membership> {
    user?.membership(subject.text("org_id")?)
}

/// Returns the scopes that the API has, the client may request and the user may grant: of those requested, or all.
fn scopes(
    call: &Call<'_>,
    audience: &str,
    grant: Option<&ClientGrant>,
    user: Option<&User>,
    requested: Option<&[String]>,
) -> Vec<String> {
    let directory = call.running.directory();
    let api = directory.api(audience);
    let all: BTreeSet<&String> = match (grant, api) {
        (Some(grant), _) => grant.granted_scopes().iter().collect(),
        (None, api) => api.into_iter().flat_map(Api::own_scopes).collect(),
    };
    let is_granted = |scope: &&String| {
        !is_of_login(scope)
            && api.is_none_or(|api| api.has_scope(scope))
            && grant.is_none_or(|grant| grant.has_scope(scope))
            && user.is_none_or(|user| user.can_grant(scope))
    };
    match requested {
        Some(requested) => requested.iter().filter(is_granted).cloned().collect(),
        None => all.into_iter().filter(is_granted).cloned().collect(),
    }
}
