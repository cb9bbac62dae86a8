//! The exchanges of codes that have just succeeded: a second click, or a browser that sends the callback again, has the same
//! code, which Auth0 accepts once.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// A person does not wait longer for the page of a login.
const REMEMBERED: Duration = Duration::from_secs(30);

/// More logins than one instance completes in this time.
const MAX_REMEMBERED: usize = 1_000;

/// The exchanges of a process, by the `state` of their logins. Only a browser that has the sealed cookie of the login comes
/// here.
pub(crate) struct Exchanges<T>(Mutex<HashMap<String, Exchange<T>>>);

struct Exchange<T> {
    outcome: Arc<OnceCell<T>>,
    began_at: Duration,
}

impl<T> Default for Exchanges<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Exchanges<T> {
    /// Returns the place for the outcome of a login: the first one who finds it empty makes the exchange.
    pub(crate) fn of(&self, state: &str, now: Duration) -> Arc<OnceCell<T>> {
        let mut all = self.lock();
        all.retain(|_, exchange| now < exchange.began_at.saturating_add(REMEMBERED));
        if let Some(known) = all.get(state) {
            return Arc::clone(&known.outcome);
        }
        let outcome = Arc::new(OnceCell::new());
        if all.len() < MAX_REMEMBERED {
            let exchange = Exchange { outcome: Arc::clone(&outcome), began_at: now };
            all.insert(state.to_owned(), exchange);
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Exchange<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
