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
    /// The first moment at which it may be used, and the first at which it has ended, with the leeway.
    starts_at: Duration,
    pub(crate) ends_at: Duration,
    pub(crate) expires_at: Duration,
    not_before: Option<Duration>,
    pub(crate) issued_at: Option<Duration>,
}

impl Times {
    /// Reads the claims of a token whose issuer has this leeway.
    pub(super) fn read(
        claims: &Claims<'_>,
        payload: &str,
        leeway: Duration,
    ) -> Result<Self, Error> {
        let expires_at: Duration = required("exp", claims.expires_at, payload)?;
        let not_before: Option<Duration> = optional("nbf", not_null(claims.not_before), payload)?;
        let issued_at: Option<Duration> = optional("iat", not_null(claims.issued_at), payload)?;
        let starts_at = not_before.max(issued_at).unwrap_or_default().saturating_sub(leeway);
        let ends_at = expires_at.saturating_add(leeway);
        Ok(Self { expires_at, not_before, issued_at, starts_at, ends_at })
    }

    /// Returns whether a token may be used now. Called at every use, also of a token in the token cache.
    #[inline]
    pub(crate) fn allow(&self, now: Duration) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    /// Checks that a token may be used now, and explains with the leeway of its issuer why not.
    pub(super) fn check(&self, now: Duration, leeway: Duration) -> Result<(), Error> {
        if self.allow(now) {
            return Ok(());
        }
        let Self { expires_at, not_before, issued_at, .. } = *self;
        if now >= self.ends_at {
            return Err(Error::new(ErrorCode::TokenExpired)
                .because(format!("exp was {} s ago", now.saturating_sub(expires_at).as_secs()))
                .expecting(format!("exp to be at most {} s ago", leeway.as_secs())));
        }
        for (name, moment) in [("nbf", not_before), ("iat", issued_at)] {
            if let Some(moment) = moment
                && now < moment.saturating_sub(leeway)
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
