//! The base of all other modules: time, the thread of fetches, single flight, and a table that is read
//! without a lock.
mod clock;
pub mod fetch_thread;
mod future;
pub(crate) mod set_cache;
pub(crate) mod single_flight;

pub use clock::{Clock, Moment, SystemClock};
pub use future::BoxFuture;

/// The synchronization types of single flight, listed here so that its model test can replace them.
mod sync {
    pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
}

/// Converts a time to whole milliseconds, the form in which atomics hold it.
pub(crate) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
