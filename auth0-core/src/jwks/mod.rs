//! The keys of an issuer (RFC 7517).
mod bulkhead;
pub(crate) mod cache;
mod fetch;
mod flight;
mod header;
mod key;
mod news;
mod schedule;
mod set;

pub(crate) use fetch::{Fetcher, KeySource, Snapshot, Transport};
pub(crate) use header::KnownHeader;
pub(crate) use key::VerifyingKey;
pub(crate) use schedule::STALE;
pub(crate) use set::{KeySet, Verdict};

/// What the single flight is built of: named here so that its model test can put in others.
mod sync {
    pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
}
