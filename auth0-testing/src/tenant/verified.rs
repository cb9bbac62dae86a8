//! Verified tokens without a request, for unit tests.
use super::{Tenant, TokenBuilder};
use auth0_core::{Auth0, Error, Organization, Requirement, TrustedIssuer, VerifiedToken};
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

impl TokenBuilder {
    /// Mints the token and verifies it with a verifier of its tenant, for unit tests of code that takes a
    /// verified token.
    ///
    /// ```
    /// use auth0_testing::Tenant;
    ///
    /// let token = Tenant::new().token().subject("auth0|ann").verified();
    /// assert_eq!(token.subject(), "auth0|ann");
    /// ```
    ///
    /// # Panics
    /// The token is not valid, or it is bound to a key.
    #[must_use]
    pub fn verified(&self) -> VerifiedToken {
        block_on(self.auth0().verify(&self.mint())).expect("the token is good")
    }
}

/// Checks that a token meets a requirement, as the extractors do.
///
/// ```
/// use auth0_core::policy::scope;
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().scope("read:messages").verified();
/// assert!(check(&token, &scope("read:messages")).is_ok());
/// assert!(check(&token, &scope("write:messages")).is_err());
/// ```
///
/// # Errors
/// The token does not meet the requirement.
pub fn check<C>(token: &VerifiedToken<C>, requirement: &Requirement) -> Result<(), Error> {
    any_verifier().authorize(token, requirement)
}

/// Returns the organization of a token, as the extractors do.
///
/// # Errors
/// The token has no organization.
pub fn organization<C>(token: &VerifiedToken<C>) -> Result<Organization, Error> {
    any_verifier().organization_of(token)
}

/// Returns a verifier for checks that depend on the token alone.
fn any_verifier() -> Auth0 {
    let keys = Tenant::new().key_set_json();
    let issuer = TrustedIssuer::new("https://tenant.test/").key_set(keys);
    Auth0::builder().issuer(issuer).audience("any").build().expect("the settings can work")
}

/// Waits for a future that needs no runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
