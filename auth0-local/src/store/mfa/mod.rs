//! Logins that wait for a second factor.
mod authenticators;

pub(crate) use authenticators::{Authenticator, Authenticators};

use super::bounded::Bounded;
use crate::{
    directory::User,
    secret::{Fingerprint, Hidden},
};
use std::time::Duration;

/// Auth0's lifetime of an `mfa_token`.
pub(crate) const MFA_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The wrong codes that end a login.
const MAX_ATTEMPTS: u32 = 10;

const MAX_LOGINS: usize = 1_000;

/// A login whose first factor was right.
#[derive(Clone, Debug)]
pub(crate) struct MfaLogin {
    pub(crate) client_id: String,
    pub(crate) subject: String,
    pub(crate) audience: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Duration,
    pub(crate) attempts: u32,
}

/// A challenge of an authenticator, under the fingerprint of its `oob_code`.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    /// The login that it is for.
    login: Fingerprint,
    pub(crate) authenticator: String,
    /// The code that the user enters. Without one, the user's app asks.
    pub(crate) binding_code: Option<Hidden>,
}

/// Why an `mfa_token`, or what proves the second factor, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MfaRefusal {
    Unknown,
    Expired,
    TooOften,
    Wrong,
}

#[derive(Debug)]
pub(crate) struct Mfa {
    logins: Bounded<Fingerprint, MfaLogin>,
    challenges: Bounded<Fingerprint, Challenge>,
    pub(crate) authenticators: Authenticators,
}

impl Mfa {
    pub(super) fn new() -> Self {
        Self {
            logins: Bounded::new(MAX_LOGINS),
            challenges: Bounded::new(MAX_LOGINS),
            authenticators: Authenticators::new(),
        }
    }

    pub(crate) fn begin(&mut self, token: &str, login: MfaLogin) {
        self.logins.insert(Fingerprint::of(token), login);
    }

    /// Returns the login of an `mfa_token`, whose second factor may still be proved.
    pub(crate) fn login(&self, token: &str, now: Duration) -> Result<&MfaLogin, MfaRefusal> {
        let login = self.logins.get(&Fingerprint::of(token)).ok_or(MfaRefusal::Unknown)?;
        match login {
            _ if now >= login.expires => Err(MfaRefusal::Expired),
            _ if login.attempts >= MAX_ATTEMPTS => Err(MfaRefusal::TooOften),
            _ => Ok(login),
        }
    }

    /// Keeps a challenge of this login.
    pub(crate) fn challenge(
        &mut self,
        token: &str,
        oob_code: &str,
        authenticator: String,
        binding_code: Option<String>,
    ) {
        let login = Fingerprint::of(token);
        let binding_code = binding_code.map(Hidden::new);
        let challenge = Challenge { login, authenticator, binding_code };
        self.challenges.insert(Fingerprint::of(oob_code), challenge);
    }

    /// Returns the challenge of this login.
    pub(crate) fn challenged(&self, token: &str, oob_code: &str) -> Option<Challenge> {
        let challenge = self.challenges.get(&Fingerprint::of(oob_code))?;
        (challenge.login == Fingerprint::of(token)).then(|| challenge.clone())
    }

    /// Proves the second factor with a one-time password.
    pub(crate) fn prove_otp(
        &mut self,
        token: &str,
        user: &User,
        otp: &str,
        now: Duration,
    ) -> Result<MfaLogin, MfaRefusal> {
        self.login(token, now)?;
        match self.authenticators.with_otp(user, otp, now) {
            Some(authenticator) => self.finish(token, user, &authenticator),
            None => Err(self.failed(token)),
        }
    }

    /// Proves the second factor with a recovery code, which `next` replaces.
    pub(crate) fn prove_recovery(
        &mut self,
        token: &str,
        user: &User,
        code: &str,
        next: &str,
        now: Duration,
    ) -> Result<MfaLogin, MfaRefusal> {
        self.login(token, now)?;
        match self.authenticators.with_recovery_code(user, code, next) {
            Some(authenticator) => self.finish(token, user, &authenticator),
            None => Err(self.failed(token)),
        }
    }

    /// Ends a login whose second factor was proved. An authenticator that was new is confirmed.
    pub(crate) fn finish(
        &mut self,
        token: &str,
        user: &User,
        authenticator: &str,
    ) -> Result<MfaLogin, MfaRefusal> {
        if !self.authenticators.of(user).iter().any(|own| own.id == authenticator) {
            return Err(MfaRefusal::Wrong);
        }
        let login = self.logins.remove(&Fingerprint::of(token)).ok_or(MfaRefusal::Unknown)?;
        self.authenticators.confirm(user, authenticator);
        Ok(login)
    }

    /// Counts a wrong code of a login.
    pub(crate) fn failed(&mut self, token: &str) -> MfaRefusal {
        if let Some(login) = self.logins.get_mut(&Fingerprint::of(token)) {
            login.attempts += 1;
        }
        MfaRefusal::Wrong
    }
}
