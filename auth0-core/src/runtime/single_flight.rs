//! One attempt at a time for each key: a request that needs one joins the attempt that is pending, or
//! starts it.
//!
//! An attempt belongs to its [`Leader`], which runs apart from every request, so the cancellation of one
//! request affects no other. Whether the leader completes or is dropped (a panic), every [`Waiter`] gets an
//! outcome, and the next request can start anew.
use super::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{collections::HashMap, fmt, hash::Hash};
use tokio::sync::watch;

/// State `S` that decides about attempts, and the pending attempts by key. One lock covers both, so that a
/// decision and its consequence are one step. The lock is never held across an await.
#[derive(Debug)]
pub struct SingleFlight<K, S, T>(Mutex<Table<K, S, T>>);

#[derive(Debug)]
struct Table<K, S, T> {
    state: S,
    pending: HashMap<K, Waiter<T>>,
    started: u64,
}

/// Waits for an attempt.
#[derive(Debug)]
pub struct Waiter<T> {
    outcome: watch::Receiver<Option<T>>,
    number: u64,
}

/// Runs an attempt: must [`complete`](Leader::complete) it. Dropping it completes it as well.
pub struct Leader<K: Eq + Hash, S, T: Clone> {
    flight: Arc<SingleFlight<K, S, T>>,
    key: K,
    number: u64,
    outcome: Option<watch::Sender<Option<T>>>,
    abandoned: Settle<S, T>,
}

/// Returns the outcome of an attempt that was never completed. There is no state if the attempt was
/// [forgotten](SingleFlight::forget_pending).
pub type Settle<S, T> = fn(Option<&mut S>) -> T;

/// The way in which a request gets its outcome.
pub enum Joined<K: Eq + Hash, S, T: Clone> {
    /// From the attempt that was pending.
    Waiting(Waiter<T>),
    /// From a new attempt, whose leader must run apart from the request.
    Leading(Waiter<T>, Leader<K, S, T>),
}

impl<K: Clone + Eq + Hash, S, T: Clone> SingleFlight<K, S, T> {
    /// Creates the table with its first state.
    pub fn new(state: S) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Table { state, pending: HashMap::new(), started: 0 })))
    }

    /// Joins the pending attempt for a key. If there is none, `decide` returns whether one may start, from
    /// the state and the number of pending attempts; `Err` is the reason why not.
    ///
    /// # Errors
    /// No attempt may start: the result of `decide`.
    pub fn join<E>(
        self: &Arc<Self>,
        key: &K,
        abandoned: Settle<S, T>,
        decide: impl FnOnce(&mut S, usize) -> Result<(), E>,
    ) -> Result<Joined<K, S, T>, E> {
        let mut table = self.lock();
        if let Some(waiter) = table.pending.get(key) {
            return Ok(Joined::Waiting(waiter.clone()));
        }
        let pending = table.pending.len();
        decide(&mut table.state, pending)?;
        let (sender, outcome) = watch::channel(None);
        table.started += 1;
        let number = table.started;
        let waiter = Waiter { outcome, number };
        table.pending.insert(key.clone(), waiter.clone());
        drop(table);
        let (flight, key, outcome) = (Arc::clone(self), key.clone(), Some(sender));
        Ok(Joined::Leading(waiter, Leader { flight, key, number, outcome, abandoned }))
    }

    /// Forgets the pending attempts: the next request of their keys starts another. Their waiters still
    /// get the outcome, but it does not reach the state. `also` runs under the same lock.
    pub fn forget_pending(&self, also: impl FnOnce()) {
        let mut table = self.lock();
        let forgotten = std::mem::take(&mut table.pending);
        also();
        drop(table);
        drop(forgotten);
    }

    /// Returns how many attempts have started so far.
    pub fn started(&self) -> u64 {
        self.lock().started
    }

    /// Returns whether an attempt is pending.
    pub fn is_pending(&self, key: &K) -> bool {
        self.lock().pending.contains_key(key)
    }

    /// Reads the state under the lock.
    pub fn inspect<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.lock().state)
    }

    /// Changes the state under the lock.
    pub fn with_state<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        change(&mut self.lock().state)
    }
}

impl<K, S, T> SingleFlight<K, S, T> {
    fn lock(&self) -> MutexGuard<'_, Table<K, S, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Waiter<T> {
    /// Returns which attempt this is, counted from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Waits for the outcome. Needs no runtime. It never returns `None`, because a leader that is dropped
    /// sends an outcome as well.
    pub async fn outcome(mut self) -> Option<T> {
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl<T> Clone for Waiter<T> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome.clone(), number: self.number }
    }
}

impl<K: Eq + Hash, S, T: Clone> Leader<K, S, T> {
    /// Returns which attempt this is, counted from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Ends the attempt: `settle` makes the outcome under the lock, `then` runs after it, and last of all
    /// every waiter gets the outcome. There is no state where the attempt was
    /// [forgotten](SingleFlight::forget_pending).
    pub fn complete<R>(
        mut self,
        settle: impl FnOnce(Option<&mut S>) -> (T, R),
        then: impl FnOnce(R),
    ) {
        self.end(settle, then);
    }

    fn end<R>(&mut self, settle: impl FnOnce(Option<&mut S>) -> (T, R), then: impl FnOnce(R)) {
        let Some(sender) = self.outcome.take() else { return };
        let (outcome, rest) = {
            let mut table = self.flight.lock();
            let pending = table.pending.get(&self.key);
            if pending.is_some_and(|waiter| waiter.number == self.number) {
                // First, so that a new attempt can start even if `settle` panics.
                table.pending.remove(&self.key);
                settle(Some(&mut table.state))
            } else {
                settle(None)
            }
        };
        then(rest);
        sender.send_replace(Some(outcome));
    }
}

impl<K: Eq + Hash, S, T: Clone> fmt::Debug for Leader<K, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash, S, T: Clone> fmt::Debug for Joined<K, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting(_) => "Waiting",
            Self::Leading(..) => "Leading",
        })
    }
}

impl<K: Eq + Hash, S, T: Clone> Drop for Leader<K, S, T> {
    fn drop(&mut self) {
        let abandoned = self.abandoned;
        self.end(|state| (abandoned(state), ()), |()| {});
    }
}
