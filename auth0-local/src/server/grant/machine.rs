//! The grant `client_credentials`.
use super::{Call, Issued, Refusal, token_type};
use crate::{directory::CLIENT_CREDENTIALS, server::form::non_empty, token::Organization};
use axum::http::StatusCode;
use std::time::Duration;

/// Auth0's default lifetime of an API's tokens.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let (running, request) = (call.running, call.request);
    let client = call.client(CLIENT_CREDENTIALS)?;
    let audience = match running.settings().resource_for_machines {
        true => call.audience(),
        false => non_empty(request.audience.as_ref()),
    };
    let audience = audience.ok_or_else(|| missing_audience(call))?;
    call.check_api(audience, &client)?;
    let (profile, lifetime) = match running.directory().api(audience) {
        Some(api) => (api.token_profile(), api.lifetime()),
        None => (auth0_testing::Profile::Auth0, LIFETIME),
    };
    let token = running.tenant().token().machine(client.id()).profile(profile);
    let mut token = token.audience(audience).expires_in(lifetime);
    let scope = non_empty(request.scope.as_ref());
    if let Some(scope) = scope {
        token = token.scope(scope);
    }
    if let Some(organization) = non_empty(request.organization.as_ref()) {
        let organization: Organization =
            organization.parse().map_err(|sentence: String| Refusal::invalid_request(sentence))?;
        token = organization.add_to(token);
    }
    // Last, so that a corrected request can be sent with the same proof.
    let key = call.proof()?;
    if let Some(thumbprint) = &key {
        token = token.bound_to_thumbprint(thumbprint);
    }
    Ok(Issued {
        access_token: token.mint(),
        token_type: token_type(key.as_ref()),
        expires_in: lifetime.as_secs(),
        scope: scope.map(str::to_owned),
        id_token: None,
        refresh_token: None,
        authorization_details: None,
        recovery_code: None,
    })
}

fn missing_audience(call: &Call<'_>) -> Refusal {
    let resource = match non_empty(call.request.resource.as_ref()) {
        Some(_) => {
            ", and resource is ignored for this grant, as Auth0 does. Start the tenant with \
             --resource-for-machines to read it"
        }
        None => ", and there is no default",
    };
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        format!(
            "audience is missing{resource}. Send the identifier of the API that the token is for"
        ),
    )
}
