//! The login behind a token (RFC 9470 §6).
use super::VerifiedToken;
use std::time::SystemTime;

/// The value of `acr` (and of `acr_values`) that Auth0 uses for a login with several factors.
pub const MFA: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// The login behind a token: its class, methods and time. See
/// [`VerifiedToken::authentication`](crate::VerifiedToken::authentication). To refuse weak or old logins, use
/// a requirement: [`policy::acr`](crate::policy::acr), [`policy::amr`](crate::policy::amr),
/// [`policy::max_age`](crate::policy::max_age).
///
/// ```
/// # use auth0_testing::Tenant;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// let token = tenant.token().claim("amr", ["pwd", "mfa"]).mint();
/// let token = tenant.auth0().verify(&token).await?;
/// assert_eq!(token.authentication().amr().collect::<Vec<_>>(), ["pwd", "mfa"]);
/// assert!(token.authentication().is_multi_factor());
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Debug)]
pub struct Authentication<'a, C = ()>(&'a VerifiedToken<C>);

impl<C> Clone for Authentication<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Authentication<'_, C> {}

impl<'a, C> Authentication<'a, C> {
    pub(crate) const fn new(token: &'a VerifiedToken<C>) -> Self {
        Self(token)
    }

    /// Returns the class of the login, which says how strong it was: the `acr` claim (RFC 9470 §6.1).
    #[must_use]
    pub fn acr(self) -> Option<&'a str> {
        self.0.acr()
    }

    /// Returns the methods by which the user logged in: the `amr` claim (RFC 8176), for example `pwd`,
    /// `mfa`.
    pub fn amr(self) -> impl Iterator<Item = &'a str> {
        self.0.amr()
    }

    /// Returns the time at which the user logged in: the `auth_time` claim (RFC 9470 §6.1).
    #[must_use]
    pub fn auth_time(self) -> Option<SystemTime> {
        self.0.auth_time()
    }

    /// Returns whether the login used several factors, according to its methods or its class.
    #[must_use]
    pub fn is_multi_factor(self) -> bool {
        self.acr() == Some(MFA) || self.amr().any(|method| method == "mfa")
    }
}
