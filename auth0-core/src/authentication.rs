//! The login behind a token (RFC 9470 §6).
use crate::token::AccessToken;
use std::time::SystemTime;

/// How and when the user logged in: see
/// [`AccessToken::authentication`](crate::AccessToken::authentication). To refuse a request for it,
/// use a requirement: [`policy::acr`](crate::policy::acr), [`policy::amr`](crate::policy::amr),
/// [`policy::max_age`](crate::policy::max_age).
#[derive(Debug)]
pub struct Authentication<'a, C = ()>(&'a AccessToken<C>);

impl<C> Clone for Authentication<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Authentication<'_, C> {}

impl<'a, C> Authentication<'a, C> {
    pub(crate) const fn new(token: &'a AccessToken<C>) -> Self {
        Self(token)
    }

    /// How strong the login was: the `acr` claim.
    #[must_use]
    pub fn acr(self) -> Option<&'a str> {
        self.0.acr()
    }

    /// By which methods: the `amr` claim (RFC 8176).
    pub fn amr(self) -> impl Iterator<Item = &'a str> {
        self.0.amr()
    }

    /// When: the `auth_time` claim.
    #[must_use]
    pub fn auth_time(self) -> Option<SystemTime> {
        self.0.auth_time()
    }

    /// Whether one of the methods, or the class, says that there were several factors.
    #[must_use]
    pub fn is_multi_factor(self) -> bool {
        self.acr() == Some(crate::policy::MFA) || self.amr().any(|method| method == "mfa")
    }
}
