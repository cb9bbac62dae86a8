//! Verified tokens without a request, for unit tests.
use super::{Tenant, TokenBuilder};
use auth0_core::{
    Auth0, Error, Organization, Requirement, TrustedIssuer, VerifiedToken, support::clock_of,
};
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

/// Checks that a token meets a requirement, as the extractors do, on the clock of its tenant.
///
/// ```
/// use auth0_core::{policy::{max_age, scope}, time::Clock};
/// use auth0_testing::{Tenant, check};
/// use std::time::Duration;
///
/// let tenant = Tenant::new();
/// let login = tenant.clock().unix_time().as_secs();
/// let token = tenant.token().scope("read:messages").claim("auth_time", login).verified();
/// assert!(check(&token, &scope("read:messages")).is_ok());
/// assert!(check(&token, &scope("write:messages")).is_err());
///
/// assert!(check(&token, &max_age(300)).is_ok());
/// tenant.clock().advance(Duration::from_secs(310));
/// assert!(check(&token, &max_age(300)).is_err());
/// ```
///
/// # Errors
/// The token does not meet the requirement.
pub fn check<C>(token: &VerifiedToken<C>, requirement: &Requirement) -> Result<(), Error> {
    verifier_for(token).authorize(token, requirement)
}

/// Returns the organization of a token, as the extractors do.
///
/// # Errors
/// The token has no organization.
pub fn organization<C>(token: &VerifiedToken<C>) -> Result<Organization, Error> {
    verifier_for(token).organization_of(token)
}

/// Returns a verifier for checks that depend on the token and on the time alone.
fn verifier_for<C>(token: &VerifiedToken<C>) -> Auth0 {
    let keys = Tenant::new().key_set_json();
    let issuer = TrustedIssuer::new("https://tenant.test/").key_set(keys);
    let builder = Auth0::builder().issuer(issuer).audience("any").clock(clock_of(token));
    builder.build().expect("the settings can work")
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
