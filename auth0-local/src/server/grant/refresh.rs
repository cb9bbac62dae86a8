//! The grant `refresh_token`.
use super::{Call, Issued, Refusal, granted, issue, parsed, scopes::is_of_login};
use crate::{
    directory::{Client, Membership, REFRESH_TOKEN, User},
    server::{form::non_empty, mfa, target::Target},
    store::Grant,
};
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let (running, request) = (call.running, call.request);
    let client = call.client(REFRESH_TOKEN)?;
    let secret = non_empty(request.refresh_token.as_ref()).ok_or_else(|| {
        Refusal::invalid_request("Missing required parameter: refresh_token. Send the latest one")
    })?;
    let unknown = || Refusal::invalid_grant("Unknown or invalid refresh token.");
    let now = running.now();
    let presented = running.store().refresh_tokens.presented(secret, now).ok_or_else(unknown)?;
    if presented.grant.client_id != client.id() {
        return Err(unknown());
    }
    let user = running.user(&presented.grant.subject).ok_or_else(unknown)?;
    check_user(&user, &presented.grant)?;
    let grant = requested(call, &presented.grant, &client, &user)?;
    // Last, so that a corrected request can be sent with the same token and the same proof.
    let key = call.proof()?;
    if presented.key.is_some() && presented.key != key {
        return Err(Refusal::invalid_grant(
            "the refresh token is bound to another DPoP key. Send a proof of that key",
        ));
    }
    if user.steps_up_at_refresh() {
        let target = Target { audience: grant.audience.clone(), scopes: grant.scopes.clone() };
        mfa::check(running, &client, &user, &target)?;
    }
    let settings = running.settings();
    let (mut issued, kept) = issue::prepare(running, &grant, &user, key, true)?;
    let mut store = running.store();
    let tokens = &mut store.refresh_tokens;
    if settings.rotates_refresh_tokens {
        issued.refresh_token = tokens.rotate(presented.token, settings.reuse_interval, now);
        if issued.refresh_token.is_none() {
            store.revoke_grant(presented.grant.number);
            return Err(unknown());
        }
    } else if !tokens.touch(presented.token, now) {
        return Err(unknown());
    }
    store.keep_access_token(&issued.access_token, kept);
    Ok(issued)
}

/// Refuses a user who is blocked, or has left the organization of the login.
fn check_user(user: &User, grant: &Grant) -> Result<(), Refusal> {
    if user.is_blocked() {
        return Err(Refusal::invalid_grant("user is blocked"));
    }
    let organization = grant.organization.as_ref().map(Membership::id);
    match organization.filter(|id| user.membership(id).is_none()) {
        Some(id) => Err(Refusal::invalid_grant(format!(
            "user {} is not part of the {id} organization",
            user.subject()
        ))),
        None => Ok(()),
    }
}

/// Returns the grant for the API and the scopes of this request. Another API than that of the login needs a
/// client that may refresh for several; for others it is ignored. Scopes that the login did not grant are
/// omitted, except those that another API defines.
fn requested(
    call: &Call<'_>,
    grant: &Arc<Grant>,
    client: &Client,
    user: &User,
) -> Result<Arc<Grant>, Refusal> {
    let sent = non_empty(call.request.scope.as_ref());
    let sent = sent
        .map(parsed)
        .transpose()
        .map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, "invalid_scope", why))?;
    let other = call.audience_or_resource().filter(|audience| {
        grant.audience.as_deref() != Some(*audience) && client.refreshes_any_api()
    });
    let Some(audience) = other else {
        let Some(sent) = sent else { return Ok(Arc::clone(grant)) };
        let scopes = grant.scopes.iter().filter(|scope| sent.contains(scope)).cloned().collect();
        return Ok(Arc::new(Grant { scopes, ..Grant::clone(grant) }));
    };
    call.check_api(audience, client)?;
    let mut wanted = sent.unwrap_or_else(|| grant.scopes.clone());
    wanted.retain(|scope| !is_of_login(scope) || grant.has_scope(scope));
    let scopes = granted(call.running, client, user, Some(audience), &wanted);
    Ok(Arc::new(Grant { audience: Some(audience.to_owned()), scopes, ..Grant::clone(grant) }))
}
