//! The step of the pipeline that refuses tokens that were revoked.
use super::{
    pending::{Pending, Refusal, Stop},
    verifier::Verifier,
};
use crate::{
    error::{Error, ErrorCode},
    issuer::Trusted,
    revocation::{ITSELF, Revocations},
    runtime::Moment,
    token::VerifiedToken,
};
use std::{sync::Arc, time::Duration};

/// The time to retry while the store of revocations does not answer.
const RETRY: Duration = Duration::from_secs(1);

impl Verifier {
    /// Refuses a token that was revoked. It is asked for each request, also for a cached token.
    #[inline]
    pub(super) fn check_revocation(
        &self,
        token: &VerifiedToken,
        trusted: &Arc<Trusted>,
        now: Moment,
    ) -> Result<(), Stop> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        refuse_revoked(token, trusted, revocations)?;
        if revocations.is_current(now) {
            return Ok(());
        }
        let client_id = token.client_id().map(Into::into);
        Err(Pending::Revocations { trusted: Arc::clone(trusted), client_id }.into())
    }

    /// Refuses a token that was revoked while something else was asked, which may have been slow.
    pub(super) async fn check_revocation_again(
        &self,
        token: &VerifiedToken,
        trusted: &Arc<Trusted>,
    ) -> Result<(), Box<Refusal>> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        refuse_revoked(token, trusted, revocations)?;
        if revocations.is_current(self.clock.moment()) {
            return Ok(());
        }
        let client_id = token.client_id().map(Into::into);
        self.await_revocations(Arc::clone(trusted), client_id, false).await?;
        refuse_revoked(token, trusted, revocations)
    }

    /// Waits for a recent answer of the store, and refuses the token if there is none, or not for long enough.
    pub(super) async fn await_revocations(
        &self,
        trusted: Arc<Trusted>,
        client_id: Option<Box<str>>,
        has_waited: bool,
    ) -> Result<(), Box<Refusal>> {
        let is_current = match &self.revocations {
            Some(revocations) => {
                (!has_waited || revocations.accepts_old()) && revocations.current().await
            }
            None => true,
        };
        if is_current {
            return Ok(());
        }
        let error = unavailable();
        Err(Box::new(Refusal { error, header: None, trusted: Some(trusted), client_id }))
    }
}

pub(super) fn unavailable() -> Error {
    Error::new(ErrorCode::RevocationsUnavailable)
        .because("the store of revocations has not answered in time")
        .retry_after(RETRY)
}

/// Returns the error of a token of which this was revoked.
pub(super) fn revoked(what: &str) -> Error {
    Error::new(ErrorCode::TokenRevoked).because(format!("the {what} was revoked"))
}

/// Returns whether a token was refused because it was revoked by its own id, and not with others.
#[must_use]
pub fn is_revoked_by_id(error: &Error) -> bool {
    let [seen, ..] = error.cause_parts();
    error.code() == ErrorCode::TokenRevoked && seen == revoked(ITSELF).cause_parts()[0]
}

fn refuse_revoked(
    token: &VerifiedToken,
    trusted: &Arc<Trusted>,
    revocations: &Revocations,
) -> Result<(), Box<Refusal>> {
    let Some(what) = token.found_among(revocations) else { return Ok(()) };
    Err(Refusal::of_token(revoked(what), token, trusted))
}
