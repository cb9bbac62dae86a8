//! Second factors, as the library reads them.
use super::{Builder, LocalTenant};
use crate::mfa_answer::MfaAnswer;

impl Builder {
    /// Sets the form of the answer `mfa_required`, of which Auth0 has several.
    pub fn mfa_answer(mut self, answer: MfaAnswer) -> Self {
        self.settings.mfa_answer = answer;
        self
    }
}

impl LocalTenant {
    /// Returns the one-time password that the authenticator app of the user with this `sub` shows now. Each is
    /// accepted once, and the next one follows after 30 seconds of the tenant's clock.
    #[must_use]
    pub fn otp(&self, subject: &str) -> Option<String> {
        self.running.otp(subject)
    }
}
