//! The generation of the current keys while they are fresh and no refresh is due. A cached token needs no more, and two
//! atomics are read faster than a snapshot.
use super::sync::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Quiet {
    generation: AtomicU64,
    /// In monotonic milliseconds.
    until: AtomicU64,
}

impl Quiet {
    /// Creates it for no keys.
    pub(super) fn new() -> Self {
        Self { generation: AtomicU64::new(0), until: AtomicU64::new(0) }
    }

    /// Sets the generation of new keys, and the time until which they need not be looked at. Called by one thread at a
    /// time.
    pub(super) fn set(&self, generation: u64, until: u64) {
        self.generation.store(generation, Ordering::Release);
        // Stored last and read first: a thread that sees this time also sees the generation that belongs to it. One
        // that sees the time of the keys before may see either generation, as if it had come earlier or later.
        self.until.store(until, Ordering::Release);
    }

    /// Returns the generation of the keys; `None` if they must be looked at.
    #[inline]
    pub(super) fn generation(&self, now: u64) -> Option<u64> {
        (now < self.until.load(Ordering::Acquire)).then(|| self.generation.load(Ordering::Acquire))
    }
}
