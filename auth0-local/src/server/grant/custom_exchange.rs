//! Custom token exchange: a token that a profile of the tenant reads.
use super::{Call, Issued, Refusal};
use crate::directory::Client;

pub(super) fn issue(
    _call: &Call<'_>,
    _client: &Client,
    _kind: &str,
    _token: &str,
) -> Result<Issued, Refusal> {
    Err(Refusal::invalid_request("no profile of the tenant reads this subject_token_type"))
}
