//! The times of a token (RFC 7519 §4.1.4 to §4.1.6).
use super::{
    claims::Claims,
    payload_text::{not_null, optional, required},
};
use crate::error::{Error, ErrorCode};
use std::time::Duration;

/// The times of a token, since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) expires_at: Duration,
    not_before: Option<Duration>,
    pub(crate) issued_at: Option<Duration>,
}

impl Times {
    pub(super) fn read(claims: &Claims<'_>, payload: &str) -> Result<Self, Error> {
        Ok(Self {
            expires_at: required("exp", claims.expires_at, payload)?,
            not_before: optional("nbf", not_null(claims.not_before), payload)?,
            issued_at: optional("iat", not_null(claims.issued_at), payload)?,
        })
    }

    /// Checks that a token may be used now. Called at every use, also of a token in the token cache.
    pub(crate) fn check(&self, now: Duration, leeway: Duration) -> Result<(), Error> {
        let Self { expires_at, not_before, issued_at } = *self;
        if now >= expires_at.saturating_add(leeway) {
            return Err(Error::new(ErrorCode::TokenExpired)
                .because(format!("exp was {} s ago", now.saturating_sub(expires_at).as_secs()))
                .expecting(format!("exp to be at most {} s ago", leeway.as_secs())));
        }
        for (name, moment) in [("nbf", not_before), ("iat", issued_at)] {
            if let Some(moment) = moment
                && now.saturating_add(leeway) < moment
            {
                let ahead = moment.saturating_sub(now).as_secs();
                return Err(Error::new(ErrorCode::TokenNotYetValid)
                    .because(format!("{name} is {ahead} s ahead"))
                    .expecting(format!("{name} to be at most {} s ahead", leeway.as_secs())));
            }
        }
        Ok(())
    }
}
