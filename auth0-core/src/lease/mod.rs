//! The lease of a long connection: it ends with its token, and a newer token extends it.
pub(crate) mod connection_init;
pub(crate) mod opening_request;
pub(crate) mod tcp;
pub(crate) mod websocket;

use crate::{
    auth0::Auth0,
    error::{Error, ErrorCode},
    policy::{Requirement, authenticated},
    token::VerifiedToken,
};
use opening_request::OpeningRequest;
use std::{
    fmt,
    future::{Future, pending},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::sync::Notify;

/// How long a connection lives: until its token ends, or the newer token that has renewed it.
///
/// Clones are handles of one lease. A lease that has ended cannot be renewed: the client connects again.
///
/// ```
/// # use auth0_testing::Tenant;
/// # use std::time::Duration;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// let auth = tenant.auth0();
/// let ann = || tenant.token().subject("auth0|ann");
/// let token = auth.verify(&ann().expires_in(Duration::from_secs(60)).mint()).await?;
/// let lease = auth.lease(&token);
///
/// let newer = ann().expires_in(Duration::from_secs(600)).mint();
/// lease.renew(&newer).await?;
/// tenant.clock().advance(Duration::from_secs(300));
/// assert!(token.has_ended() && !lease.has_ended());
///
/// let of_bob = tenant.token().subject("auth0|bob").expires_in(Duration::from_secs(900)).mint();
/// let refused = lease.renew(&of_bob).await.unwrap_err();
/// assert_eq!(refused.code().as_str(), "renewal_refused");
///
/// tenant.clock().advance(Duration::from_secs(600));
/// lease.ended().await;
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
pub struct Lease(Arc<Shared>);

struct Shared {
    auth: Auth0,
    requirement: Requirement,
    opening: Option<OpeningRequest>,
    current: Mutex<Current>,
    renewed: Notify,
}

struct Current {
    token: VerifiedToken,
    /// Whether the end was seen, after which the connection is closed.
    is_over: bool,
}

impl Auth0 {
    /// Creates the lease of a connection that was opened with this token.
    pub fn lease<C>(&self, token: &VerifiedToken<C>) -> Lease {
        Lease::new(self.clone(), token.without_claims(), authenticated(), None)
    }
}

impl Lease {
    fn new(
        auth: Auth0,
        token: VerifiedToken,
        requirement: Requirement,
        opening: Option<OpeningRequest>,
    ) -> Self {
        let current = Mutex::new(Current { token, is_over: false });
        Self(Arc::new(Shared { auth, requirement, opening, current, renewed: Notify::new() }))
    }

    /// Creates the lease of a connection behind a requirement. It keeps the headers of the request only if a newer token
    /// depends on it.
    pub(crate) fn behind(
        auth: &Auth0,
        token: &VerifiedToken,
        requirement: Requirement,
        opening: impl FnOnce() -> Option<OpeningRequest>,
    ) -> Self {
        let depends = auth.resolves_issuers() || requirement.needs_request();
        let opening = opening();
        let opening = if depends { opening } else { opening.map(OpeningRequest::without_headers) };
        Self::new(auth.clone(), token.clone(), requirement, opening)
    }

    /// Sets what the token must meet: the requirement of the route. A newer token is refused that does not meet it; for
    /// the token of the lease, call [`check`](Self::check), as the upgrades of the adapters do. It is a new lease, with the
    /// token of this one.
    #[must_use]
    pub fn require(self, requirement: Requirement) -> Self {
        let Shared { auth, opening, .. } = &*self.0;
        let requirement = self.0.requirement.clone().and(requirement);
        Self::new(auth.clone(), self.token(), requirement, opening.clone())
    }

    /// Sets the request that opened the connection. A newer token needs it if an
    /// [`IssuerResolver`](crate::resolver::IssuerResolver) finds its issuer by a value of the request, or if a
    /// requirement compares it with one. It is a new lease, with the token of this one.
    #[must_use]
    pub fn opened_by(self, request: impl Into<OpeningRequest>) -> Self {
        let Shared { auth, requirement, .. } = &*self.0;
        Self::new(auth.clone(), self.token(), requirement.clone(), Some(request.into()))
    }

    /// Checks that the token that the connection has now meets the requirement.
    ///
    /// # Errors
    /// As for [`Auth0::authorize`], which logs it, too.
    pub fn check(&self) -> Result<(), Error> {
        let Shared { auth, requirement, opening, .. } = &*self.0;
        auth.check(&self.token(), requirement, None, || opening.as_ref())
    }

    /// Returns the token that the connection has now.
    #[must_use]
    pub fn token(&self) -> VerifiedToken {
        self.current().token.clone()
    }

    /// Returns the verifier, which also verifies newer tokens.
    #[must_use]
    pub fn auth(&self) -> &Auth0 {
        &self.0.auth
    }

    /// Returns whether the lease has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.unless_ended().is_none()
    }

    /// Returns a future that is ready when the newest token [has ended](VerifiedToken::has_ended). It follows
    /// renewals, and waits on any runtime.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let lease = self.clone();
        async move {
            loop {
                // Before the token is read, so that no renewal is missed.
                let renewed = lease.0.renewed.notified();
                let Some(token) = lease.unless_ended() else { return };
                tokio::select! {
                    () = token.ended() => lease.current().end_without_timer(&token),
                    () = renewed => {}
                }
            }
        }
    }

    /// Waits until this long before the lease ends, and returns the `exp` of that end. It follows renewals, and does
    /// not return the same end again.
    pub(crate) async fn ending_in(&self, time: Duration, last: Option<SystemTime>) -> SystemTime {
        loop {
            let renewed = self.0.renewed.notified();
            let token = self.token();
            let end = token.expires_at();
            let ending = async {
                match last == Some(end) {
                    true => pending().await,
                    false => token.ending_in(time).await,
                }
            };
            tokio::select! {
                () = ending => return end,
                () = renewed => {}
            }
        }
    }

    pub(crate) fn passed(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.0.auth.passed(time)
    }

    /// Verifies a newer token, and extends the lease to its end. Returns the token.
    ///
    /// It must have the issuer, subject, client and organization of the connection, and be bound to the same key
    /// or certificate, or to none. Its `exp` must be later.
    ///
    /// # Errors
    /// `renewal_refused` for another token, or if the lease has ended. Otherwise as for [`Auth0::verify`] and
    /// [`Auth0::authorize`]. After an error, the lease ends as if there had been no call.
    pub async fn renew(&self, token: &str) -> Result<VerifiedToken, Error> {
        let Shared { auth, requirement, opening, .. } = &*self.0;
        let newer = auth.verify_renewal(token, &self.token(), opening.as_ref()).await?;
        auth.check(&newer, requirement, None, || opening.as_ref())?;
        let refusal = self.current().replace(&newer);
        match refusal {
            None => {
                self.0.renewed.notify_waiters();
                Ok(newer)
            }
            Some(why) => {
                let error = Error::new(ErrorCode::RenewalRefused).because(why);
                Err(auth.refuse_for(Some(&newer), error, || opening.as_ref()))
            }
        }
    }

    fn unless_ended(&self) -> Option<VerifiedToken> {
        self.current().unless_ended()
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    /// Returns the token, unless it has ended. What has ended stays so, also if the clock is set back.
    fn unless_ended(&mut self) -> Option<VerifiedToken> {
        self.is_over |= self.token.has_ended();
        (!self.is_over).then(|| self.token.clone())
    }

    /// Ends the lease if this token was awaited and has not ended: there is no thread for a timer.
    fn end_without_timer(&mut self, awaited: &VerifiedToken) {
        self.is_over |= awaited.expires_at() == self.token.expires_at();
    }

    /// Takes a newer token, or returns why it must not.
    fn replace(&mut self, newer: &VerifiedToken) -> Option<&'static str> {
        let Some(token) = self.unless_ended() else {
            return Some("the connection has ended with its token");
        };
        let why = if newer.issuer() != token.issuer() {
            "the token is of another issuer than that of the connection"
        } else if newer.subject() != token.subject() {
            "the token is of another subject than that of the connection"
        } else if newer.client_id() != token.client_id() {
            "the token is of another client than that of the connection"
        } else if organization(newer) != organization(&token) {
            "the token is of another organization than that of the connection"
        } else if newer.expires_at() <= token.expires_at() {
            "the token does not end later than that of the connection"
        } else {
            self.token = newer.clone();
            return None;
        };
        Some(why)
    }
}

fn organization(token: &VerifiedToken) -> Option<Box<str>> {
    token.organization().map(|organization| organization.id().into())
}

/// Prints the token, which shows issuer, subject and client.
impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("token", &self.token()).finish_non_exhaustive()
    }
}
