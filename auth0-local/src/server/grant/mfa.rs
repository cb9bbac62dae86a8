//! The grants of a second factor: `mfa-otp`, `mfa-oob` and `mfa-recovery-code`.
use super::{Call, Issued, Refusal, direct};
use crate::{
    directory::{MFA_OOB, MFA_OTP, User},
    server::{
        form::non_empty,
        mfa::{recovery_code, refusal},
        target::Target,
    },
    store::{MfaLogin, MfaRefusal, Poll, RequestKind},
};
use axum::http::StatusCode;

pub(super) fn issue(call: &Call<'_>, grant: &str) -> Result<Issued, Refusal> {
    let (running, sent) = (call.running, &call.request.login);
    let client = call.client(grant)?;
    let required = |name: &'static str, value: &Option<String>| {
        let missing = || Refusal::invalid_request(format!("Missing required parameter: {name}"));
        non_empty(value.as_ref()).map(str::to_owned).ok_or_else(missing)
    };
    let token = required("mfa_token", &sent.mfa_token)?;
    // Before a code is used.
    let key = call.proof()?;
    let now = running.now();
    let login = running.store().mfa.login(&token, now).cloned();
    let login = login.map_err(|why| refusal(why, ""))?;
    let unknown = || refusal(MfaRefusal::Unknown, "");
    if login.client_id != client.id() {
        return Err(unknown());
    }
    let user = running.user(&login.subject).ok_or_else(unknown)?;
    let mut next = None;
    let login = match grant {
        MFA_OTP => {
            let otp = required("otp", &sent.otp)?;
            let proved = running.store().mfa.prove_otp(&token, &user, &otp, now);
            proved.map_err(|why| refusal(why, "Invalid otp_code."))?
        }
        MFA_OOB => {
            let oob_code = required("oob_code", &sent.oob_code)?;
            prove_oob(call, &token, &user, &oob_code)?
        }
        _ => {
            let code = required("recovery_code", &sent.recovery_code)?;
            let new = recovery_code()?;
            let proved = running.store().mfa.prove_recovery(&token, &user, &code, &new, now);
            next = Some(new);
            proved.map_err(|why| refusal(why, "MFA Authorization rejected."))?
        }
    };
    let target = Target { audience: login.audience, scopes: login.scopes };
    let mut issued = direct::issue(call, &client, &user, target, None, key)?;
    issued.recovery_code = next;
    Ok(issued)
}

/// Proves the second factor with the code of a message, or with the answer in the user's app.
fn prove_oob(
    call: &Call<'_>,
    token: &str,
    user: &User,
    oob_code: &str,
) -> Result<MfaLogin, Refusal> {
    let running = call.running;
    let now = running.now();
    let mut store = running.store();
    let store = &mut *store;
    // Again under this lock, because another request may have used it.
    let login = store.mfa.login(token, now).map_err(|why| refusal(why, ""))?;
    let client_id = login.client_id.clone();
    let challenge = store
        .mfa
        .challenged(token, oob_code)
        .ok_or_else(|| Refusal::invalid_grant("Invalid oob_code."))?;
    let rejected = "MFA Authorization rejected.";
    match &challenge.binding_code {
        Some(code) => {
            let sent = non_empty(call.request.login.binding_code.as_ref()).ok_or_else(|| {
                Refusal::invalid_request("Missing required parameter: binding_code")
            })?;
            if !code.is(sent) {
                return Err(refusal(store.mfa.failed(token), "Invalid binding_code."));
            }
        }
        None => match store.pending.poll(oob_code, RequestKind::Mfa, &client_id, now) {
            Poll::Approved(..) => {}
            Poll::Waiting => {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "authorization_pending",
                    "Authorization pending: please repeat the request in a few seconds.",
                ));
            }
            Poll::TooFast(interval) => {
                return Err(Refusal::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "slow_down",
                    format!("You are polling faster than every {} seconds.", interval.as_secs()),
                ));
            }
            Poll::Denied | Poll::Expired | Poll::Unknown => {
                return Err(Refusal::invalid_grant(rejected));
            }
        },
    }
    let finished = store.mfa.finish(token, user, &challenge.authenticator);
    finished.map_err(|why| refusal(why, rejected))
}
