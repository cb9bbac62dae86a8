//! A login without a redirect: the user decided, or proved who it is, at another place.
use super::{Call, Issued, Refusal, check_not_blocked, granted, issue};
use crate::{
    directory::{Client, User},
    secret::random_text,
    server::target::Target,
    store::Grant,
};
use serde_json::Value;
use std::sync::Arc;

/// Issues the tokens of a new login, bound to the key of the request's proof, if any.
pub(super) fn issue(
    call: &Call<'_>,
    client: &Client,
    user: &User,
    target: Target,
    authorization_details: Option<Value>,
    key: Option<String>,
) -> Result<Issued, Refusal> {
    check_not_blocked(user)?;
    let (running, Target { audience, scopes: requested }) = (call.running, target);
    let now = running.now();
    let number = running.store().next_grant();
    let grant = Arc::new(Grant {
        number,
        client_id: client.id().to_owned(),
        subject: user.subject().to_owned(),
        scopes: granted(running, client, user, audience.as_deref(), &requested),
        audience,
        organization: None,
        session_id: random_text()?,
        authenticated: now.as_secs(),
        has_max_age: false,
        has_factor: false,
        nonce: None,
        authorization_details,
    });
    // The refresh token of a public client is bound to its key (RFC 9449 §5).
    let bound = key.clone().filter(|_| client.is_public());
    let (mut issued, kept) = issue::prepare(running, &grant, user, key, false)?;
    let mut store = running.store();
    if grant.has_scope("offline_access") {
        issued.refresh_token = Some(store.refresh_tokens.begin(grant, bound, now));
    }
    store.keep_access_token(&issued.access_token, kept);
    Ok(issued)
}
