//! The grants `password` and `password-realm`, which Auth0 has for trusted clients.
use super::{Call, Issued, Refusal, check_not_blocked, direct};
use crate::{
    directory::PASSWORD_REALM,
    server::{form::non_empty, mfa},
};

pub(super) fn issue(call: &Call<'_>, grant: &str) -> Result<Issued, Refusal> {
    let (running, sent) = (call.running, &call.request.login);
    let client = call.client(grant)?;
    let missing =
        |name: &str| Refusal::invalid_request(format!("Missing required parameter: {name}"));
    let username = non_empty(sent.username.as_ref()).ok_or_else(|| missing("username"))?;
    let password = non_empty(sent.password.as_ref()).ok_or_else(|| missing("password"))?;
    if grant == PASSWORD_REALM && non_empty(sent.realm.as_ref()).is_none() {
        return Err(missing("realm"));
    }
    let target = call.target(&client)?;
    let key = call.proof()?;
    let user = running.directory().user_hinted(username);
    let user = user.filter(|user| user.has_password(password));
    let user = user.ok_or_else(|| Refusal::invalid_grant("Wrong email or password."))?;
    check_not_blocked(&user)?;
    mfa::check(running, &client, &user, &target)?;
    direct::issue(call, &client, &user, target, None, key)
}
