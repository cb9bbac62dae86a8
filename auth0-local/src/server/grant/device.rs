//! The grant of the device flow (RFC 8628), with Auth0's statuses.
use super::{Call, Issued, Refusal, direct};
use crate::{
    directory::DEVICE_CODE,
    server::{form::non_empty, target::Target},
    store::{Poll, RequestKind},
};
use axum::http::StatusCode;

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let running = call.running;
    let client = call.client(DEVICE_CODE)?;
    let code = non_empty(call.request.login.device_code.as_ref()).ok_or_else(|| {
        Refusal::invalid_request(
            "Missing required parameter: device_code. Send that of /oauth/device/code",
        )
    })?;
    let unknown = || Refusal::invalid_grant("Invalid or expired device code.");
    // Before the poll, because an approved request is redeemed once.
    let key = call.proof()?;
    let now = running.now();
    let poll = running.store().pending.poll(code, RequestKind::Device, client.id(), now);
    let forbidden = |error, why: &str| Err(Refusal::new(StatusCode::FORBIDDEN, error, why));
    match poll {
        Poll::Unknown => Err(unknown()),
        Poll::Waiting => {
            forbidden("authorization_pending", "User has yet to authorize device code.")
        }
        Poll::TooFast(interval) => Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "slow_down",
            format!(
                "You are polling faster than the specified interval of {} seconds.",
                interval.as_secs()
            ),
        )),
        Poll::Denied => forbidden("access_denied", "User cancelled the confirmation prompt."),
        Poll::Expired => forbidden("expired_token", "The device code has expired. Begin again"),
        Poll::Approved(request, subject) => {
            let user = running.user(&subject).ok_or_else(unknown)?;
            let target = Target { audience: request.audience, scopes: request.scopes };
            direct::issue(call, &client, &user, target, None, key)
        }
    }
}
