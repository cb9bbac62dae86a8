//! Which of the requested scopes a login grants.
use crate::{
    directory::{Api, Client, REFRESH_TOKEN, User},
    running::RunningTenant,
};
use std::collections::HashSet;

/// The scopes of OpenID Connect, which need no API.
const OF_OPENID: [&str; 5] = ["openid", "profile", "email", "address", "phone"];

/// The scope of a refresh token.
const OFFLINE_ACCESS: &str = "offline_access";

/// More than any application needs. The scopes of a request are kept with its code and its tokens.
const MAX_SCOPES: usize = 100;

/// Parses the scopes of a request (RFC 6749 §3.3), without repetitions. The error says what is wrong.
pub(crate) fn parsed(text: &str) -> Result<Vec<String>, String> {
    let mut scopes: Vec<&str> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
    if scopes.len() > MAX_SCOPES {
        return Err(format!("there are more than {MAX_SCOPES} scopes. Ask for fewer"));
    }
    let is_of_scopes = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if let Some(other) = scopes.iter().find(|scope| !scope.bytes().all(is_of_scopes)) {
        return Err(format!("{other:?} is not a scope. Separate scopes by single spaces"));
    }
    let mut known = HashSet::new();
    scopes.retain(|scope| known.insert(*scope));
    Ok(scopes.into_iter().map(str::to_owned).collect())
}

/// Returns whether only a login grants this scope, whatever the API.
pub(super) fn is_of_login(scope: &str) -> bool {
    scope == OFFLINE_ACCESS || OF_OPENID.contains(&scope)
}

/// Returns the granted scopes. As with Auth0, others are omitted without an error: those that the API does
/// not have, those that the user must not grant, those of an API if none is named, and `offline_access`
/// for a client that cannot refresh or an API that does not allow it.
pub(crate) fn granted(
    running: &RunningTenant,
    client: &Client,
    user: &User,
    audience: Option<&str>,
    requested: &[String],
) -> Vec<String> {
    let directory = running.directory();
    let api = audience.map(|audience| directory.api(audience));
    let is_granted = |scope: &&String| match scope.as_str() {
        OFFLINE_ACCESS => {
            client.may_use(REFRESH_TOKEN) && api.flatten().is_none_or(Api::allows_offline_access)
        }
        scope if OF_OPENID.contains(&scope) => true,
        scope => {
            let is_of_api = api.is_some_and(|api| api.is_none_or(|api| api.has_scope(scope)));
            is_of_api && user.can_grant(scope)
        }
    };
    requested.iter().filter(is_granted).cloned().collect()
}
