//! The keys of one fetch.
use super::{
    key_set::KeySet,
    schedule::{FRESH, refresh_age},
};
use crate::identifier::Issuer;
use std::time::Duration;

/// The keys of one fetch, and its time.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    /// The issuer as its metadata names it, or as it is configured.
    pub(crate) issuer: Issuer,
    /// The generation. Tokens that were verified with keys of the same generation need not be verified again:
    /// since then, no key was withdrawn, and no refresh was requested.
    pub(crate) generation: u64,
    fetched_at: Duration,
    refresh_at: Duration,
}

impl Snapshot {
    pub(super) fn new(keys: KeySet, issuer: Issuer, fetched_at: Duration) -> Self {
        let refresh_at = fetched_at.saturating_add(refresh_age());
        Self { keys, issuer, generation: 0, fetched_at, refresh_at }
    }

    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.fetched_at)
    }

    pub(crate) fn is_fresh(&self, now: Duration) -> bool {
        self.age(now) < FRESH
    }

    pub(crate) fn is_to_be_refreshed(&self, now: Duration) -> bool {
        now >= self.refresh_at
    }

    /// Returns the time until which the keys are fresh, and no refresh is due.
    pub(super) fn quiet_until(&self) -> Duration {
        self.refresh_at.min(self.fetched_at.saturating_add(FRESH))
    }

    /// Returns the time from this fetch to the next refresh.
    pub(crate) const fn refresh_age(&self) -> Duration {
        self.refresh_at.saturating_sub(self.fetched_at)
    }
}
