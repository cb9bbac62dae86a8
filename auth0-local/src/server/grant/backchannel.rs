//! The grant of CIBA, by polls.
use super::{Call, Issued, Refusal, direct};
use crate::{
    directory::CIBA,
    server::{client_parameters::check_confidential, form::non_empty, target::Target},
    store::{Poll, RequestKind},
};
use axum::http::StatusCode;

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let running = call.running;
    let client = call.client(CIBA)?;
    check_confidential(&client)?;
    let id = non_empty(call.request.login.auth_req_id.as_ref()).ok_or_else(|| {
        Refusal::invalid_request(
            "Missing required parameter: auth_req_id. Send that of /bc-authorize",
        )
    })?;
    let refused = |error, why: &str| Refusal::new(StatusCode::BAD_REQUEST, error, why);
    let unknown = || refused("invalid_grant", "Invalid or expired auth_req_id");
    // Before the poll, because an approved request is redeemed once.
    let key = call.proof()?;
    let now = running.now();
    let poll = running.store().pending.poll(id, RequestKind::Backchannel, client.id(), now);
    match poll {
        Poll::Unknown => Err(unknown()),
        Poll::Waiting => {
            Err(refused("authorization_pending", "The end-user authorization is pending"))
        }
        Poll::TooFast(interval) => {
            let seconds = interval.as_secs();
            let why =
                format!("You are polling faster than allowed. Try again in {seconds} seconds.");
            Err(refused("slow_down", &why)
                .with_member("interval", seconds)
                .with_retry_after(seconds))
        }
        Poll::Denied | Poll::Expired => Err(refused(
            "access_denied",
            "The end-user denied the authorization request or it has been expired",
        )),
        Poll::Approved(request, subject) => {
            let user = running.user(&subject).ok_or_else(unknown)?;
            let target = Target { audience: request.audience, scopes: request.scopes };
            direct::issue(call, &client, &user, target, request.authorization_details, key)
        }
    }
}
