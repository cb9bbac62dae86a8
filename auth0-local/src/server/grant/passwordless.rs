//! The grant of a code that was sent to an e-mail address or a phone number.
use super::{Call, Issued, Refusal, check_not_blocked, direct};
use crate::{
    directory::PASSWORDLESS_OTP,
    server::{form::non_empty, mfa, passwordless::Recipient},
    store::{Channel, Passcode, Proved},
};

pub(super) fn issue(call: &Call<'_>) -> Result<Issued, Refusal> {
    let (running, sent) = (call.running, &call.request.login);
    let client = call.client(PASSWORDLESS_OTP)?;
    let required = |name: &str, value: &Option<String>| match non_empty(value.as_ref()) {
        Some(value) => Ok(value.to_owned()),
        None => Err(Refusal::invalid_request(format!("Missing required parameter: {name}"))),
    };
    let username = required("username", &sent.username)?;
    let otp = required("otp", &sent.otp)?;
    let realm = required("realm", &sent.realm)?;
    if !["email", "sms"].contains(&realm.as_str()) {
        return Err(Refusal::invalid_request("realm must be email or sms"));
    }
    let recipient = Recipient::read(&realm, &username).ok_or_else(|| {
        Refusal::invalid_request("username is not an e-mail address or phone number of the realm")
    })?;
    let target = call.target(&client)?;
    // Before the code is used.
    let key = call.proof()?;
    let of = Passcode {
        client_id: client.id(),
        realm: recipient.realm(),
        recipient: recipient.address(),
    };
    let now = running.now();
    let proved = running.store().passcodes.prove(&of, &otp, now);
    match (proved, recipient.channel()) {
        (Proved::Right, _) => {}
        (Proved::TooOften, _) => {
            return Err(Refusal::invalid_grant(
                "You've reached the maximum number of attempts. Please try to login again.",
            ));
        }
        (Proved::Wrong, Channel::Email) => {
            return Err(Refusal::invalid_grant("Wrong email or verification code."));
        }
        (Proved::Wrong, Channel::Sms) => {
            return Err(Refusal::invalid_grant("Wrong phone number or verification code."));
        }
    }
    let user = recipient.user(running);
    check_not_blocked(&user)?;
    mfa::check(running, &client, &user, &target)?;
    direct::issue(call, &client, &user, target, None, key)
}
