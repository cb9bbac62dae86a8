//! The grant of RFC 8693: a token is exchanged for another one.
use super::{Call, Issued, Refusal, custom_exchange, on_behalf_of};
use crate::{directory::TOKEN_EXCHANGE, server::form::non_empty};

pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges the token of a user on behalf of that user, or a token that only this tenant's profiles can read.
pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let client = call.client(TOKEN_EXCHANGE)?;
    let (kind, token) = subject_token(call)?;
    match kind {
        ACCESS_TOKEN => on_behalf_of::issue(call, &client, token),
        kind => custom_exchange::issue(call, &client, kind, token),
    }
}

/// Returns `subject_token_type` and `subject_token`, which are required.
pub(super) fn subject_token<'a>(call: &Call<'a>) -> Result<(&'a str, &'a str), Refusal> {
    let request = call.request;
    Ok((
        required("subject_token_type", request.subject_token_type.as_ref())?,
        required("subject_token", request.subject_token.as_ref())?,
    ))
}

pub(super) fn required<'a>(name: &str, value: Option<&'a String>) -> Result<&'a str, Refusal> {
    non_empty(value)
        .ok_or_else(|| Refusal::invalid_request(format!("Missing required parameter: {name}")))
}

/// Refuses a `requested_token_type` other than this one.
pub(super) fn check_requested_type(call: &Call<'_>, expected: &[&str]) -> Result<(), Refusal> {
    let sent = required("requested_token_type", call.request.requested_token_type.as_ref())?;
    match expected.contains(&sent) {
        true => Ok(()),
        false => Err(Refusal::invalid_request(format!(
            "requested_token_type cannot be {sent:?}. Send {}",
            expected.join(" or ")
        ))),
    }
}
