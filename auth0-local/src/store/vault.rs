use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// The most tokens of providers whose account is known.
const MAX_TOKENS: usize = 10_000;

/// Whose token the tenant handed out for another provider, while it is valid:
/// [`LocalTenant::vault_account_of`](crate::LocalTenant::vault_account_of).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultAccount {
    /// The `user_id` of the user.
    pub user: String,
    /// The connection of the account.
    pub connection: String,
    /// How requests name the account.
    pub login_hint: String,
    /// The scopes of the token.
    pub scopes: Vec<String>,
}

/// The tokens of providers.
#[derive(Debug)]
pub(crate) struct VaultTokens(Bounded<Fingerprint, Kept>);

#[derive(Debug)]
struct Kept {
    account: VaultAccount,
    expires: Duration,
}

impl VaultTokens {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_TOKENS))
    }

    pub(crate) fn keep(&mut self, token: &str, account: VaultAccount, expires: Duration) {
        self.0.insert(Fingerprint::of(token), Kept { account, expires });
    }

    /// Returns whose token this is, if it is valid at this time.
    pub(crate) fn account(&self, token: &str, now: Duration) -> Option<&VaultAccount> {
        let kept = self.0.get(&Fingerprint::of(token)).filter(|kept| now < kept.expires);
        kept.map(|kept| &kept.account)
    }
}
