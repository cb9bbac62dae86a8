//! The tokens in memory, and one request in flight for each key.
mod key;
mod stops;

pub(crate) use key::{CacheKey, KeyBuilder};
pub(crate) use stops::Stops;

use crate::{
    error::{Error, ErrorKind},
    server::Deadline,
    token::{Freshness, Held},
};
use auth0_core::{
    support::{Joined, SetCache, SingleFlight, Waiter, fetch_thread},
    time::Clock,
};
use std::{fmt, sync::Arc, time::Duration};

/// The tokens that fit, if they are small. Larger ones are limited by their bytes.
const CAPACITY: usize = 16 * 1024;

/// The slots of a set of the table: so many that tokens of different length even out within a set.
const WAYS: usize = 64;

/// The room of a set, of which large caches have more.
const SET_BYTES: usize = 128 * 1024;

/// The outcome of a request for a token.
pub(crate) type Outcome = Result<Arc<Held>, Error>;

/// Tokens by everything that they depend on.
pub(crate) struct TokenCache {
    entries: SetCache<Entry, WAYS>,
    flight: Arc<SingleFlight<CacheKey, Stops, Outcome>>,
    clock: Arc<dyn Clock>,
}

/// A request for a token that was joined.
#[derive(Debug)]
pub(crate) enum Flight {
    Pending(Waiter<Outcome>),
    /// It has ended in the meantime.
    Ended(Arc<Held>),
}

struct Entry {
    key: CacheKey,
    held: Arc<Held>,
}

impl TokenCache {
    /// Creates a cache of at most this many bytes.
    pub(crate) fn new(max_bytes: usize, clock: Arc<dyn Clock>) -> Self {
        // A small cache has fewer sets, so that each has room for a token.
        let sets = (max_bytes / SET_BYTES).clamp(1, CAPACITY / WAYS);
        let entries = SetCache::new(if max_bytes == 0 { 0 } else { sets * WAYS }, max_bytes / sets);
        Self { entries, flight: SingleFlight::new(Stops::default()), clock }
    }

    /// Returns the token in memory, whatever its age.
    pub(crate) fn find(&self, key: &CacheKey) -> Option<Arc<Held>> {
        let entry = self.entries.find(key.address(), |entry| entry.key == *key)?;
        Some(Arc::clone(&entry.held)).filter(|held| !held.is_forgotten())
    }

    fn keep(&self, key: CacheKey, held: &Arc<Held>) {
        // A refresh token belongs to one session.
        if held.lifetime.is_some() && held.refresh_token.is_none() {
            let entry = Arc::new(Entry { key, held: Arc::clone(held) });
            self.entries.insert(key.address(), held.weight(), &entry);
        }
    }

    /// Removes all tokens.
    pub(crate) fn clear(&self) {
        self.entries.clear();
    }

    /// Forgets a token that an API has refused, unless one of its key was forgotten a moment ago. Returns whether the
    /// next use gets another.
    pub(crate) fn forget(&self, key: &CacheKey, held: &Held) -> bool {
        if held.is_forgotten() {
            return true;
        }
        let now = self.clock.monotonic();
        let may = self.flight.with_state(|stops| stops.may_forget(*key, now));
        if may {
            held.forget();
        }
        may
    }

    /// Joins the pending request of a key, or starts one. It runs apart from the caller, on the thread `auth0-fetch`.
    pub(crate) fn join<F>(
        self: &Arc<Self>,
        key: CacheKey,
        deadline: &Deadline,
        request: impl FnOnce() -> F,
    ) -> Result<Flight, Error>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut wait = Duration::ZERO;
        let now = self.clock.moment();
        let left = deadline.left(&*self.clock);
        let joined = self.flight.join(
            &key,
            |_| Err(abandoned()),
            |stops, _| {
                // Another request may have ended after the caller has looked.
                if let Some(held) = self.find(&key)
                    && held.freshness(now) == Freshness::Fresh
                {
                    return Err(Ok(held));
                }
                wait = stops.check(&key, now, left).map_err(Err)?;
                Ok(())
            },
        );
        let joined = match joined {
            Ok(joined) => joined,
            Err(Ok(held)) => return Ok(Flight::Ended(held)),
            Err(Err(error)) => return Err(error),
        };
        let (waiter, leader) = match joined {
            Joined::Waiting(waiter) => return Ok(Flight::Pending(waiter)),
            Joined::Leading(waiter, leader) => (waiter, leader),
        };
        let (cache, deadline, request) = (Arc::clone(self), deadline.clone(), request());
        let lead = async move {
            if !wait.is_zero() {
                deadline.pause(&*cache.clock, wait).await;
            }
            let outcome = request.await;
            let now = cache.clock.moment();
            let settle = |stops: Option<&mut Stops>| {
                if let Some(stops) = stops {
                    stops.note(key, &outcome, now);
                }
                // Under the lock: the next request looks for it there.
                if let Ok(held) = &outcome {
                    cache.keep(key, held);
                }
                (outcome.clone(), ())
            };
            leader.complete(settle, |()| {});
        };
        // Without the thread, the leader is dropped, which ends the request for all.
        drop(fetch_thread::spawn(lead));
        Ok(Flight::Pending(waiter))
    }

    /// Starts a request in the background, unless one is pending or the last failed a moment ago.
    pub(crate) fn renew<F>(
        self: &Arc<Self>,
        key: CacheKey,
        deadline: &Deadline,
        request: impl FnOnce() -> F,
    ) where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let now = self.clock.monotonic();
        if !self.flight.is_pending(&key) && self.flight.inspect(|stops| stops.may_renew(&key, now))
        {
            drop(self.join(key, deadline, request));
        }
    }

    /// Returns whether the last request of a key has failed a moment ago.
    pub(crate) fn has_just_failed(&self, key: &CacheKey) -> bool {
        let now = self.clock.monotonic();
        !self.flight.inspect(|stops| stops.may_renew(key, now))
    }
}

fn abandoned() -> Error {
    Error::new(ErrorKind::Unavailable, "The request was abandoned")
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}
