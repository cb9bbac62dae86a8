//! The grant `client_credentials`.
use super::{Call, Issued, Refusal, client_grant, issue, quota, token_type};
use crate::directory::CLIENT_CREDENTIALS;
use axum::http::StatusCode;

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let running = call.running;
    let client = call.client(CLIENT_CREDENTIALS)?;
    let audience = match running.settings().resource_for_machines {
        true => call.audience_or_resource(),
        false => call.audience(),
    };
    let audience = audience.ok_or_else(|| missing_audience(call))?;
    call.check_api(audience, &client)?;
    let grant = client_grant::of(&client, audience)?;
    let scopes = client_grant::scopes_of_machine(call, grant)?;
    let organization = client_grant::organization_of_machine(call, &client, grant)?;
    let organization_id = organization.as_ref().map(|it| it.id().to_owned());
    let (token, lifetime) = issue::token_for_api(running, audience)?;
    let mut token = token.machine(client.id());
    if !scopes.is_empty() {
        token = token.scope(&scopes.join(" "));
    }
    if let Some(organization) = organization {
        token = organization.add_to(token);
    }
    // Last, so that a corrected request can be sent with the same proof.
    let key = call.proof()?;
    let headers = quota::take(call, &client, organization_id.as_deref())?;
    Ok(Issued {
        access_token: issue::bound(token, Some(&client), key.as_deref()).mint(),
        token_type: token_type(key.as_ref(), Some(&client)),
        expires_in: lifetime.as_secs(),
        scope: Some(scopes.join(" ")).filter(|scope| !scope.is_empty()),
        headers,
        ..Issued::default()
    })
}

fn missing_audience(call: &Call<'_>) -> Refusal {
    let resource = match call.ignored_resource() {
        Some(why) => format!("{why}. Start the tenant with --resource-for-machines to read it"),
        None => ", and there is no default".to_owned(),
    };
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        format!(
            "audience is missing{resource}. Send the identifier of the API that the token is for"
        ),
    )
}
