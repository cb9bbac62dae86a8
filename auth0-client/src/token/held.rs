//! The answer of the token endpoint, as it is kept.
use super::{Freshness, Lifetime};
use crate::{proof::Prover, secret::Secret};
use auth0_core::time::Moment;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
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
    /// Whether an API has refused it.
    pub(super) forgotten: AtomicBool,
}

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
        self.forgotten.store(true, Ordering::Release);
    }

    /// Returns where in its life the token is. One that was forgotten, or is used once, has ended.
    pub(crate) fn freshness(&self, now: Moment) -> Freshness {
        match &self.lifetime {
            Some(lifetime) if !self.is_forgotten() => lifetime.at(now),
            _ => Freshness::Expired,
        }
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Acquire)
    }
}
