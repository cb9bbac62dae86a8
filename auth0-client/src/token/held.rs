//! The answer of the token endpoint, as it is kept.
use super::{Freshness, Lifetime};
use crate::{proof::Prover, secret::Secret};
use auth0_core::time::Moment;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Tokens with their life. What is kept for many users is small: absent parts take a word each.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) access_token: Secret,
    pub(crate) is_dpop: bool,
    pub(crate) scope: Box<str>,
    /// `None` if the token is used once.
    pub(crate) lifetime: Option<Lifetime>,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) recovery_code: Option<Secret>,
    pub(crate) issued_token_type: Option<Box<str>>,
    pub(crate) authorization_details: Option<Box<str>>,
    pub(crate) prover: Option<Arc<Prover>>,
    pub(crate) marks: Marks,
}

/// What changes in a token.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Whether an API has refused it.
    forgotten: AtomicBool,
    /// The monotonic time, in milliseconds, until which it is known to be fresh without a look at the wall clock.
    fresh_until: AtomicU64,
}

/// How long the wall clock is not read again: it is corrected, or a machine is resumed, more rarely.
const REREAD: Duration = Duration::from_secs(1);

/// The memory that a token takes beside its texts: itself, its slot in the cache, what the allocator adds.
const OVERHEAD: usize = 512;

impl Held {
    /// Returns the memory that it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let secrets = [&self.refresh_token, &self.id_token, &self.recovery_code];
        let texts = [&self.issued_token_type, &self.authorization_details];
        let secrets: usize = secrets.into_iter().flatten().map(|secret| secret.len()).sum();
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        OVERHEAD + self.access_token.len() + self.scope.len() + secrets + texts
    }

    /// Makes all sources of the token get another.
    pub(crate) fn forget(&self) {
        self.marks.forgotten.store(true, Ordering::Release);
    }

    /// Returns where in its life the token is. One that was forgotten, or is used once, has ended.
    pub(crate) fn freshness(&self, now: Moment) -> Freshness {
        match &self.lifetime {
            Some(lifetime) if !self.is_forgotten() => lifetime.at(now),
            _ => Freshness::Expired,
        }
    }

    /// Returns whether the token had a life, which is over.
    pub(crate) fn has_ended(&self, now: Moment) -> bool {
        let had_life = self.lifetime.is_some_and(|lifetime| !lifetime.total().is_zero());
        had_life && self.freshness(now) == Freshness::Expired
    }

    /// Returns whether the token is known to be fresh at this monotonic time.
    pub(crate) fn is_known_fresh(&self, monotonic: Duration) -> bool {
        millis(monotonic) < self.marks.fresh_until.load(Ordering::Relaxed) && !self.is_forgotten()
    }

    /// Takes note that the token is fresh at this moment.
    pub(crate) fn note_fresh(&self, now: Moment) {
        if let Some(lifetime) = &self.lifetime {
            let until = now.monotonic.saturating_add(REREAD).min(lifetime.renewed_at().monotonic);
            self.marks.fresh_until.store(millis(until), Ordering::Relaxed);
        }
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.marks.forgotten.load(Ordering::Acquire)
    }
}

fn millis(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1000) + u64::from(time.subsec_millis())
}
