//! The quotas of machines and of their organizations.
use super::{Call, Refusal};
use crate::{
    directory::Client,
    server::throttled::{CLIENT_QUOTA, ORGANIZATION_QUOTA, exceeded, value},
    store::{QuotaOf, QuotaState},
};
use axum::http::{HeaderName, HeaderValue};

/// Counts a token of a machine. Returns the headers of the response, which a refusal has, too.
pub(super) fn take(
    call: &Call<'_>,
    client: &Client,
    organization: Option<&str>,
) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
    let running = call.running;
    let mut quotas = Vec::new();
    if let Some(quota) = client.quota() {
        quotas.push((QuotaOf::Client(client.id().to_owned()), quota));
    }
    if let Some(id) = organization
        && let Some(quota) = running.settings().organization_quotas.get(id)
    {
        quotas.push((QuotaOf::Organization(id.to_owned()), *quota));
    }
    let now = running.now();
    let states = running.store().quotas.take(quotas, now);
    let headers = states.iter().filter_map(header).collect();
    match states.iter().find(|state| state.is_exhausted).map(|state| &state.of) {
        None => Ok(headers),
        Some(QuotaOf::Client(_)) => Err(exceeded("Client quota exceeded").with_headers(headers)),
        Some(QuotaOf::Organization(_)) => {
            Err(exceeded("Organization quota exceeded").with_headers(headers))
        }
    }
}

fn header(state: &QuotaState) -> Option<(HeaderName, HeaderValue)> {
    let name = match state.of {
        QuotaOf::Client(_) => CLIENT_QUOTA,
        QuotaOf::Organization(_) => ORGANIZATION_QUOTA,
    };
    let buckets: Vec<String> = state.buckets.iter().map(ToString::to_string).collect();
    value(name, &buckets.join(",")).filter(|_| !buckets.is_empty())
}
