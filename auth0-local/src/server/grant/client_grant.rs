//! What a client may request, if that is limited.
use super::{Call, Refusal, parsed};
use crate::{
    directory::{Client, ClientGrant, OrganizationUsage},
    server::form::non_empty,
    token::Organization,
};
use axum::http::StatusCode;

/// Returns the client's grant for an API, or `None` if the client may request any.
pub(super) fn of<'a>(
    client: &'a Client,
    audience: &str,
) -> Result<Option<&'a ClientGrant>, Refusal> {
    let Some(grants) = client.grants() else { return Ok(None) };
    let grant = grants.iter().find(|grant| grant.audience() == audience);
    grant.map(Some).ok_or_else(|| {
        denied(format!(
            "Client is not authorized to access \"{audience}\". Add the API to its client_grants"
        ))
    })
}

/// Returns the scopes of a machine: those of the request, or all that are granted.
pub(super) fn scopes_of_machine(
    call: &Call<'_>,
    grant: Option<&ClientGrant>,
) -> Result<Vec<String>, Refusal> {
    let requested = requested_scopes(call)?;
    let Some(grant) = grant else { return Ok(requested.unwrap_or_default()) };
    let Some(requested) = requested else { return Ok(grant.granted_scopes().to_vec()) };
    let others: Vec<&str> =
        requested.iter().filter(|scope| !grant.has_scope(scope)).map(String::as_str).collect();
    match others.is_empty() {
        true => Ok(requested),
        false => Err(denied(format!("Client has not been granted scopes: {}", others.join(", ")))),
    }
}

/// Returns the scopes that a request names.
pub(super) fn requested_scopes(call: &Call<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let sent = non_empty(call.request.scope.as_ref());
    let invalid = |why| Refusal::new(StatusCode::BAD_REQUEST, "invalid_scope", why);
    sent.map(parsed).transpose().map_err(invalid)
}

/// Returns the organization of a machine, as its grant allows.
pub(super) fn organization_of_machine(
    call: &Call<'_>,
    client: &Client,
    grant: Option<&ClientGrant>,
) -> Result<Option<Organization>, Refusal> {
    let sent = non_empty(call.request.organization.as_ref());
    let usage = grant.map(ClientGrant::organization_usage);
    let named = match (usage, sent) {
        (Some(OrganizationUsage::None), Some(_)) => {
            return Err(denied(
                "the client grant allows no organization. Leave it out, or set organization_usage",
            ));
        }
        (Some(OrganizationUsage::Require), None) => {
            let missing = || {
                Refusal::invalid_request("organization is missing. The client grant requires it")
            };
            Some(client.own_organization().ok_or_else(missing)?)
        }
        (_, sent) => sent,
    };
    named.map(|text| text.parse().map_err(|why: String| Refusal::invalid_request(why))).transpose()
}

fn denied(description: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "access_denied", description)
}
