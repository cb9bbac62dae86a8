//! The tokens of a login.
use super::{Issued, token_type};
use crate::{
    directory::{Client, Membership, User},
    error::LocalError,
    running::RunningTenant,
    secret::random_text,
    store::{AccessToken, Grant},
};
use auth0_core::policy::MFA;
use auth0_testing::{Profile, TokenBuilder};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Auth0's default lifetime of access tokens.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Auth0's default lifetime of ID tokens.
const ID_TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60 * 60);

/// Prepares the tokens of a grant, bound to the key of the request's proof, if any. The caller keeps the access
/// token when it uses the code or refresh token, under the same lock: a second use of either revokes it. The ID
/// token of a refresh has neither `sid` nor `nonce`, as with Auth0.
pub(super) fn prepare(
    running: &RunningTenant,
    grant: &Arc<Grant>,
    user: &User,
    key: Option<String>,
    is_refreshed: bool,
) -> Result<(Issued, AccessToken), LocalError> {
    prepare_for_actor(running, grant, user, key, is_refreshed, None)
}

/// The same for a program or person that acts for the user: the tokens have `act`.
pub(super) fn prepare_for_actor(
    running: &RunningTenant,
    grant: &Arc<Grant>,
    user: &User,
    key: Option<String>,
    is_refreshed: bool,
    actor: Option<&Value>,
) -> Result<(Issued, AccessToken), LocalError> {
    let client = running.directory().client(&grant.client_id);
    let client = client.as_deref();
    let with_actor = |token: TokenBuilder| match actor {
        Some(actor) => token.claim("act", actor),
        None => token,
    };
    let (access_token, lifetime) = match &grant.audience {
        Some(audience) => {
            let (token, lifetime) = access_token(running, grant, user, audience)?;
            (bound(with_actor(token), client, key.as_deref()).mint(), lifetime)
        }
        None => (opaque_token(running)?, LIFETIME),
    };
    let id_token = grant.has_scope("openid").then(|| id_token(running, grant, user, is_refreshed));
    let issued = Issued {
        access_token,
        token_type: token_type(key.as_ref(), client),
        expires_in: lifetime.as_secs(),
        scope: Some(grant.scopes.join(" ")).filter(|scope| !scope.is_empty()),
        id_token: id_token.map(|token| with_actor(token).mint()),
        act: actor.cloned(),
        authorization_details: grant.authorization_details.clone(),
        ..Issued::default()
    };
    Ok((issued, AccessToken { grant: Arc::clone(grant), key, expires: running.now() + lifetime }))
}

fn access_token(
    running: &RunningTenant,
    grant: &Grant,
    user: &User,
    audience: &str,
) -> Result<(TokenBuilder, Duration), LocalError> {
    let (mut token, lifetime) = token_for_api(running, audience)?;
    token = token.subject(&grant.subject).client(&grant.client_id);
    if grant.has_scope("openid") {
        // As with Auth0, the token is for /userinfo, too.
        token = token.claim("aud", [audience, &user_info_url(running)]);
    }
    if !grant.scopes.is_empty() {
        token = token.scope(&grant.scopes.join(" "));
    }
    if let Some(details) = &grant.authorization_details {
        token = token.claim("authorization_details", details);
    }
    let organization = grant.organization.as_ref();
    let token = with_permissions(token, user, organization);
    Ok((with_user_claims(token, user, organization), lifetime))
}

/// Begins a token for an API, with the lifetime that the API has.
pub(super) fn token_for_api(
    running: &RunningTenant,
    audience: &str,
) -> Result<(TokenBuilder, Duration), LocalError> {
    let (profile, lifetime) = match running.directory().api(audience) {
        Some(api) => (api.token_profile(), api.lifetime()),
        None => (Profile::Auth0, LIFETIME),
    };
    let token = running.tenant().token().profile(profile).expires_in(lifetime).audience(audience);
    Ok(match profile {
        Profile::Rfc9068 => (token.claim("jti", random_text()?), lifetime),
        _ => (token, lifetime),
    })
}

/// Adds the permissions of a user, and those of the organization.
pub(super) fn with_permissions(
    token: TokenBuilder,
    user: &User,
    organization: Option<&Membership>,
) -> TokenBuilder {
    let permissions: BTreeSet<&String> = user
        .own_permissions()
        .iter()
        .chain(organization.into_iter().flat_map(Membership::own_permissions))
        .collect();
    match permissions.is_empty() {
        true => token,
        false => token.permissions(permissions.into_iter().cloned()),
    }
}

/// Binds a token to the certificate of the client and to the key of the request's proof, if there are.
pub(super) fn bound(
    token: TokenBuilder,
    client: Option<&Client>,
    key: Option<&str>,
) -> TokenBuilder {
    let token = match client.and_then(Client::certificate) {
        Some(thumbprint) => token.claim("cnf", json!({ "x5t#S256": thumbprint })),
        None => token,
    };
    match key {
        Some(key) => token.bound_to_thumbprint(key),
        None => token,
    }
}

/// Returns a token for `/userinfo` only. As with Auth0, it has the form of an encrypted token (JWE).
fn opaque_token(running: &RunningTenant) -> Result<String, LocalError> {
    let header = json!({ "alg": "dir", "enc": "A256GCM", "iss": running.tenant().issuer() });
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    Ok(format!("{header}..{}.{}.{}", random_text()?, random_text()?, random_text()?))
}

fn id_token(
    running: &RunningTenant,
    grant: &Grant,
    user: &User,
    is_refreshed: bool,
) -> TokenBuilder {
    let mut token = running.tenant().token().without("azp").expires_in(ID_TOKEN_LIFETIME);
    token = token.subject(&grant.subject).audience(&grant.client_id);
    if !is_refreshed {
        token = token.claim("sid", &grant.session_id);
        if let Some(nonce) = &grant.nonce {
            token = token.claim("nonce", nonce);
        }
    }
    if grant.has_max_age {
        token = token.claim("auth_time", grant.authenticated);
    }
    if grant.has_factor && !is_refreshed {
        token = token.claim("acr", MFA).claim("amr", ["mfa"]);
    }
    let profile = user.profile(&grant.scopes);
    let token = profile.iter().fold(token, |token, (name, value)| token.claim(name, value));
    with_user_claims(token, user, grant.organization.as_ref())
}

/// Adds the organization of a login and the claims that an Action would set.
pub(super) fn with_user_claims(
    mut token: TokenBuilder,
    user: &User,
    organization: Option<&Membership>,
) -> TokenBuilder {
    if let Some(organization) = organization {
        token = token.organization(organization.id(), organization.name());
    }
    let claims = organization.into_iter().flat_map(Membership::token_claims);
    user.token_claims()
        .iter()
        .chain(claims)
        .fold(token, |token, (name, value)| token.claim(name, value))
}

fn user_info_url(running: &RunningTenant) -> String {
    format!("{}userinfo", running.tenant().issuer())
}
