//! What runs beneath everything else: time, the thread of fetches, single flight, and a table that is
//! read without a lock.
mod clock;
pub(crate) mod fetch_thread;
mod future;
pub(crate) mod set_cache;
pub(crate) mod single_flight;

pub(crate) use clock::SystemClock;
pub use clock::{Clock, Moment};
pub use future::BoxFuture;

/// What single flight is built of: named here so that its model test can replace it.
mod sync {
    pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
}

/// A time in whole milliseconds, as atomics hold it.
pub(crate) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
