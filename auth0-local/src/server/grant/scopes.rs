//! Which of the requested scopes a login grants.
use crate::{
    directory::{Client, REFRESH_TOKEN, User},
    running::RunningTenant,
};

/// The scopes of OpenID Connect, which need no API.
const OF_OPENID: [&str; 5] = ["openid", "profile", "email", "address", "phone"];

/// The scope of a refresh token.
const OFFLINE_ACCESS: &str = "offline_access";

/// Returns whether only a login grants this scope, whatever the API.
pub(super) fn is_of_login(scope: &str) -> bool {
    scope == OFFLINE_ACCESS || OF_OPENID.contains(&scope)
}

/// Returns the granted scopes. As with Auth0, others are omitted without an error: those that the API does
/// not have, those that the user must not grant, those of an API if none is named, and `offline_access`
/// for a client that cannot refresh.
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
        OFFLINE_ACCESS => client.may_use(REFRESH_TOKEN),
        scope if OF_OPENID.contains(&scope) => true,
        scope => {
            let is_of_api = api.is_some_and(|api| api.is_none_or(|api| api.has_scope(scope)));
            is_of_api && user.can_grant(scope)
        }
    };
    requested.iter().filter(is_granted).cloned().collect()
}
