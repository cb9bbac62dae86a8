//! One question to a resolver, in a task that belongs to no request.
use super::{
    IssuerResolver,
    answer::{Outcome, Unresolved},
    answers::Inner,
};
use crate::measure;
use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// A request may be waiting for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Flights<K> {
    pub(super) under_way: HashMap<K, Flight>,
    pub(super) departures: u64,
}

#[derive(Clone)]
pub(super) struct Flight {
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    pub(super) number: u64,
    pub(super) since: Instant,
}

/// Whoever asks the resolver: must land, and does so on its way out if it did not before.
pub(super) struct Pilot<R: IssuerResolver> {
    pub(super) inner: Arc<Inner<R>>,
    pub(super) key: R::Key,
    pub(super) number: u64,
    pub(super) departed_at: Duration,
    pub(super) sender: Option<watch::Sender<Option<Outcome>>>,
}

impl<R: IssuerResolver> Pilot<R> {
    pub(super) async fn fly(mut self) {
        let inner = Arc::clone(&self.inner);
        let had_issuers = inner.had_issuers(&self.key);
        let key = self.key.clone();
        let deadline = Instant::now() + TIMEOUT;
        let resolving = {
            let inner = Arc::clone(&inner);
            async move {
                match inner.resolver.resolve(key).await {
                    Ok(issuers) => Ok(Arc::new(inner.answer(issuers).await)),
                    Err(why) => Err(Unresolved::failed(&*why)),
                }
            }
        };
        let place = async {
            match had_issuers {
                true => None,
                false => inner.for_strangers.acquire().await.ok(),
            }
        };
        let Ok(_place) = timeout_at(deadline, place).await else {
            measure::resolution("timeout");
            self.land(Err(Unresolved::because("too many requests wait for the resolver")));
            return;
        };
        let mut task = tokio::spawn(resolving);
        let (outcome, kind) = match timeout_at(deadline, &mut task).await {
            Ok(Ok(Ok(answer))) => (Ok(answer), "success"),
            Ok(Ok(Err(why))) => (Err(why), "error"),
            Ok(Err(ended)) if ended.is_panic() => {
                (Err(Unresolved::because("the resolver panicked")), "panic")
            }
            Ok(Err(_)) => (Err(Unresolved::because("the resolver was abandoned")), "abandoned"),
            Err(_) => {
                task.abort();
                (Err(Unresolved::because("the resolver took too long")), "timeout")
            }
        };
        measure::resolution(kind);
        self.land(outcome);
    }

    fn land(&mut self, outcome: Outcome) {
        let Some(sender) = self.sender.take() else { return };
        let mut flights = self.inner.lock();
        // One that was given up, or that was on its way when all was forgotten, is not remembered.
        if flights.take(&self.key, self.number) {
            self.inner.settle(&outcome, self.key.clone(), self.departed_at);
        }
        drop(flights);
        self.inner.tell(&outcome);
        sender.send_replace(Some(outcome));
    }
}

impl<R: IssuerResolver> Drop for Pilot<R> {
    fn drop(&mut self) {
        self.land(Err(Unresolved::because("the resolver was abandoned")));
    }
}

impl<K: Eq + Hash> Flights<K> {
    pub(super) fn take(&mut self, key: &K, number: u64) -> bool {
        let is_it = self.under_way.get(key).is_some_and(|flight| flight.number == number);
        if is_it {
            self.under_way.remove(key);
        }
        is_it
    }
}
