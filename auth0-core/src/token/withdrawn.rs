//! Whether the key of a token was withdrawn.
use super::VerifiedToken;
use crate::jose::{Algorithm, VerifyingKey};
use std::{fmt, sync::Arc};
use tokio::sync::Notify;

/// The keys that an issuer publishes now.
pub(crate) trait PublishedKeys: fmt::Debug + Send + Sync {
    /// Returns whether the issuer does not publish a key any more. Not so while its keys are not in memory.
    fn lack(&self, key: &SigningKey) -> bool;

    /// Returns what is woken after a key was withdrawn.
    fn changed(&self) -> Arc<Notify>;
}

/// The key that has signed a token.
pub(crate) struct SigningKey {
    pub(crate) key: Arc<VerifyingKey>,
    pub(crate) algorithm: Algorithm,
}

impl<C> VerifiedToken<C> {
    /// Returns whether the issuer has withdrawn the key of this token after it was verified. `false` without
    /// [`Builder::end_on_key_withdrawal`](crate::Builder::end_on_key_withdrawal), or if the verifier does not exist any
    /// more.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let auth = tenant.builder().end_on_key_withdrawal().build().unwrap();
    /// let token = auth.verify(&tenant.token().mint()).await.unwrap();
    /// assert!(!token.is_key_withdrawn());
    ///
    /// tenant.rotate_keys();
    /// tenant.withdraw_old_keys();
    /// auth.refresh().await.unwrap();
    /// assert!(token.is_key_withdrawn() && token.has_ended());
    /// # })
    /// ```
    #[must_use]
    pub fn is_key_withdrawn(&self) -> bool {
        self.published_keys().is_some_and(|keys| self.is_withdrawn_from(&*keys))
    }

    pub(super) fn is_withdrawn_from(&self, keys: &dyn PublishedKeys) -> bool {
        self.verified().signed_with.as_ref().is_some_and(|key| keys.lack(key))
    }

    pub(super) fn published_keys(&self) -> Option<Arc<dyn PublishedKeys>> {
        self.accepted_by().published_keys.as_ref()?.upgrade()
    }
}
