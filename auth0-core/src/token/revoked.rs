//! Whether a token was revoked.
use super::{VerifiedToken, verified::Revocable};
use crate::revocation::Revocations;

impl<C> VerifiedToken<C> {
    /// Returns what was revoked: the token, its subject, its client, its organization, or its session.
    pub(crate) fn found_among(&self, revocations: &Revocations) -> Option<&'static str> {
        if revocations.is_empty() {
            return None;
        }
        let verified = self.verified();
        let marks = match &verified.revocation_marks {
            Some(marks) => **marks,
            None => verified.revocation_check()?.marks(),
        };
        if !revocations.may_concern(&marks) {
            return None;
        }
        revocations.find(&marks, &verified.revocation_check()?)
    }

    /// Returns whether the token was revoked after it was verified. `false` if the verifier has no revocations, or does
    /// not exist any more.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// use auth0_core::Revocations;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    /// let auth = tenant.builder().revocations(&revocations).build().unwrap();
    /// let token = auth.verify(&tenant.token().subject("auth0|ann").mint()).await.unwrap();
    /// assert!(!token.is_revoked());
    ///
    /// revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    /// assert!(token.is_revoked() && token.has_ended());
    /// # })
    /// ```
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        let revocations = self.revocations();
        revocations.is_some_and(|revocations| self.found_among(&revocations).is_some())
    }

    pub(super) fn revocations(&self) -> Option<Revocations> {
        let Revocable { revocations, .. } = self.accepted_by().revocable.as_ref()?;
        revocations.upgrade()
    }
}
