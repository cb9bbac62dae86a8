//! One fetch at a time: whoever needs one joins the one under way, or starts it.
//!
//! A fetch is flown by a [`Pilot`], which belongs to no request, so a request that is cancelled
//! takes no other with it. However the pilot ends, by landing, by a panic or because its runtime
//! is shut down, every passenger hears of it, and the next one can start anew.
use super::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// State `S` that decides about fetches, and the fetch under way, behind one lock: between a
/// decision and its consequence nothing can happen. The lock is never held across an await.
#[derive(Debug)]
pub(crate) struct SingleFlight<S, T>(Mutex<Tower<S, T>>);

#[derive(Debug)]
struct Tower<S, T> {
    state: S,
    under_way: Option<Passenger<T>>,
    departures: u64,
}

/// Somebody who waits for a fetch.
#[derive(Debug)]
pub(crate) struct Passenger<T> {
    outcome: watch::Receiver<Option<T>>,
    number: u64,
    departed_at: Instant,
}

impl<T> Clone for Passenger<T> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome.clone(), number: self.number, departed_at: self.departed_at }
    }
}

/// Whoever fetches: must [`land`](Pilot::land), and does so on its way out if it did not before.
pub(crate) struct Pilot<S, T: Clone> {
    flights: Arc<SingleFlight<S, T>>,
    outcome: Option<watch::Sender<Option<T>>>,
    number: u64,
    abandoned: fn(&mut S) -> T,
}

/// How a request boards.
pub(crate) enum Boarding<S, T: Clone> {
    Joined(Passenger<T>),
    /// The pilot is to be sent off, in a task of its own.
    Started(Passenger<T>, Pilot<S, T>),
}

impl<S, T: Clone> SingleFlight<S, T> {
    pub(crate) fn new(state: S) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Tower { state, under_way: None, departures: 0 })))
    }

    /// Joins the fetch under way. If there is none, `decide` says whether one may start; `Err` is
    /// the reason why not. `abandoned` tells the outcome of a fetch that never lands.
    pub(crate) fn board<E>(
        self: &Arc<Self>,
        abandoned: fn(&mut S) -> T,
        decide: impl FnOnce(&mut S) -> Result<(), E>,
    ) -> Result<Boarding<S, T>, E> {
        let mut tower = self.lock();
        if let Some(passenger) = &tower.under_way {
            return Ok(Boarding::Joined(passenger.clone()));
        }
        decide(&mut tower.state)?;
        let (sender, outcome) = watch::channel(None);
        tower.departures += 1;
        let departed_at = Instant::now();
        let passenger = Passenger { outcome, number: tower.departures, departed_at };
        tower.under_way = Some(passenger.clone());
        let number = tower.departures;
        let pilot = Pilot { flights: Arc::clone(self), outcome: Some(sender), number, abandoned };
        Ok(Boarding::Started(passenger, pilot))
    }

    /// How many fetches have started so far.
    pub(crate) fn departures(&self) -> u64 {
        self.lock().departures
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.lock().under_way.is_some()
    }

    /// Ends a fetch that nobody hears of any more, because the runtime that it runs on does not get to
    /// run: the next request starts another. What it may still bring is not taken.
    pub(crate) fn give_up(&self, number: u64, settle: impl FnOnce(&mut S)) {
        let mut tower = self.lock();
        if tower.under_way.as_ref().is_some_and(|passenger| passenger.number == number) {
            tower.under_way = None;
            settle(&mut tower.state);
        }
    }

    pub(crate) fn inspect<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.lock().state)
    }

    fn lock(&self) -> MutexGuard<'_, Tower<S, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Passenger<T> {
    /// Which fetch this is, counted from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// How long ago it has started.
    pub(crate) fn age(&self) -> Duration {
        self.departed_at.elapsed()
    }

    /// The outcome; `None` if the fetch was [given up](SingleFlight::give_up).
    pub(crate) async fn landed(mut self) -> Option<T> {
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl<S, T: Clone> Pilot<S, T> {
    /// Which fetch this is, counted from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Ends the fetch: `settle` turns its result into the outcome, under the lock, and then every
    /// passenger gets it.
    pub(crate) fn land(mut self, settle: impl FnOnce(&mut S) -> T) {
        self.touch_down(settle);
    }

    fn touch_down(&mut self, settle: impl FnOnce(&mut S) -> T) {
        let Some(sender) = self.outcome.take() else { return };
        let outcome = {
            let mut tower = self.flights.lock();
            if tower.under_way.as_ref().is_none_or(|passenger| passenger.number != self.number) {
                return; // given up: another may have landed since, with something newer
            }
            let outcome = settle(&mut tower.state);
            tower.under_way = None;
            outcome
        };
        sender.send_replace(Some(outcome));
    }
}

impl<S, T: Clone> Drop for Pilot<S, T> {
    fn drop(&mut self) {
        let abandoned = self.abandoned;
        self.touch_down(abandoned);
    }
}
