//! Who sends a request about second factors: a login that waits for one, or a user with an access token for them.
use super::refusal as refused;
use crate::{directory::User, running::RunningTenant, server::refusal::Refusal, store::MfaRefusal};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use std::sync::Arc;

/// The user of a request.
pub(super) struct Bearer {
    pub(super) user: Arc<User>,
    /// The client, and the `mfa_token` if the request has one.
    pub(super) login: Option<(String, String)>,
}

impl Bearer {
    /// Reads an `mfa_token`, or an access token for the API of second factors with this scope.
    pub(super) fn read(
        running: &RunningTenant,
        headers: &HeaderMap,
        scope: &str,
    ) -> Result<Self, Refusal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(unauthorized("Send the mfa_token in one Authorization header"));
        };
        let (scheme, token) =
            value.to_str().ok().and_then(|it| it.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unauthorized("The scheme of the mfa_token is Bearer"));
        }
        let token = token.trim();
        let now = running.now();
        let login = running.store().mfa.login(token, now).cloned();
        let (subject, login) = match login {
            Ok(login) => (login.subject, Some((login.client_id, token.to_owned()))),
            Err(MfaRefusal::Unknown) => (Self::of_access_token(running, token, scope)?, None),
            Err(other) => return Err(refused(other, "")),
        };
        let user = running.user(&subject).ok_or_else(|| unauthorized("The user is gone"))?;
        Ok(Self { user, login })
    }

    fn of_access_token(
        running: &RunningTenant,
        token: &str,
        scope: &str,
    ) -> Result<String, Refusal> {
        let kept = running.store().access_token(token, running.now()).cloned();
        let kept = kept.filter(|kept| {
            kept.key.is_none()
                && kept.grant.audience.as_deref().is_some_and(|it| running.is_mfa_api(it))
        });
        let kept = kept.ok_or_else(|| {
            unauthorized(
                "The token is unknown. Send an mfa_token, or an access token of a login with the audience mfa/ of \
                 this tenant",
            )
        })?;
        match kept.grant.has_scope(scope) {
            true => Ok(kept.grant.subject.clone()),
            false => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                format!("the access token lacks the scope {scope}"),
            )),
        }
    }
}

fn unauthorized(description: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", description)
}
