//! The share of each client's key in the store of used proofs: one client cannot fill it for all others.
use crate::jose::Thumbprint;
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const SHARDS: usize = 16;

/// At most 2 MiB in all. Keys beyond that are not counted: each needs a token that the issuer has bound to it.
const KEYS_PER_SHARD: usize = 4096;

/// Counts the new proofs of each key in periods of the age that a proof may have.
pub(super) struct Shares {
    /// The number of proofs of one key in a period.
    limit: u32,
    period: Duration,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    ends_at: Duration,
    /// By half of the key's thumbprint.
    used: HashMap<u128, u32>,
    /// Whether it was logged in this period that a share is used up.
    is_reported: bool,
}

/// The share of a key is used up. It is logged once in a period.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsedUp {
    limit: u32,
    period: Duration,
    pub(super) is_new: bool,
}

impl Shares {
    pub(super) fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period, shards: Default::default() }
    }

    /// Returns an error if the key has used its share of this period.
    pub(super) fn check(&self, key: &Thumbprint, now: Duration) -> Result<(), UsedUp> {
        self.with(key, now, |shard, key| {
            if shard.used.get(&key).is_none_or(|used| *used < self.limit) {
                return Ok(());
            }
            let is_new = !std::mem::replace(&mut shard.is_reported, true);
            Err(UsedUp { limit: self.limit, period: self.period, is_new })
        })
    }

    /// Counts a proof that was new. One that was used before costs nothing in the store.
    pub(super) fn count(&self, key: &Thumbprint, now: Duration) {
        self.with(key, now, |shard, key| {
            if shard.used.len() < KEYS_PER_SHARD || shard.used.contains_key(&key) {
                let used = shard.used.entry(key).or_insert(0);
                *used = used.saturating_add(1);
            }
        });
    }

    fn with<T>(&self, key: &Thumbprint, now: Duration, f: impl FnOnce(&mut Shard, u128) -> T) -> T {
        let (half, rest) = key.halves();
        let [first, others @ ..] = &self.shards;
        let shard = others.get(rest as usize % SHARDS).unwrap_or(first);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        // Also a period that ends too late is over: the clock was set back.
        if now >= shard.ends_at || shard.ends_at - now > self.period {
            *shard = Shard { ends_at: now.saturating_add(self.period), ..Shard::default() };
        }
        f(&mut shard, half)
    }
}

impl fmt::Display for UsedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a client has used {} DPoP proofs in {} s, its share of the store for used proofs. Set \
             Dpop::replay_share higher if its requests are legitimate",
            self.limit,
            self.period.as_secs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(300);

    fn key(number: u8) -> Thumbprint {
        Thumbprint::from_bytes([number; 32])
    }

    #[test]
    fn a_share_is_of_one_key_and_one_period() {
        let shares = Shares::new(2, PERIOD);
        let at = Duration::from_secs;
        for now in [0, 100] {
            shares.check(&key(1), at(now)).unwrap();
            shares.count(&key(1), at(now));
        }
        assert!(shares.check(&key(1), at(299)).unwrap_err().is_new);
        assert!(!shares.check(&key(1), at(299)).unwrap_err().is_new, "said once");
        // A key in the same shard, and one in another.
        shares.check(&key(17), at(299)).unwrap();
        shares.check(&key(2), at(299)).unwrap();
        shares.check(&key(1), at(300)).unwrap();
    }

    #[test]
    fn a_clock_that_was_set_back_begins_a_new_period() {
        let shares = Shares::new(1, PERIOD);
        shares.count(&key(1), Duration::from_secs(1_000_000));
        assert!(shares.check(&key(1), Duration::from_secs(999_990)).is_ok());
    }

    #[test]
    fn keys_beyond_the_bound_take_no_memory() {
        let shares = Shares::new(1, PERIOD);
        for number in 0..200_000_u64 {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            shares.count(&Thumbprint::from_bytes(bytes), Duration::ZERO);
        }
        let kept: usize = shares.shards.iter().map(|shard| shard.lock().unwrap().used.len()).sum();
        assert_eq!(kept, KEYS_PER_SHARD, "all of one shard");
    }
}
