//! Second factors, as the library reads them.
use super::LocalTenant;

impl LocalTenant {
    /// Returns the one-time password that the authenticator app of the user with this `sub` shows now. Each is
    /// accepted once, and the next one follows after 30 seconds of the tenant's clock.
    #[must_use]
    pub fn otp(&self, subject: &str) -> Option<String> {
        self.running.otp(subject)
    }
}
