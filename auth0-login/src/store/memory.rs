//! Sessions in the memory of one process.
use super::{
    LogoutTarget, NewSession, SessionKey, SessionStore, SessionStoreError, StoredSession, Updated,
};
use auth0_core::{BoxFuture, support::SystemClock, time::Clock};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// They take about 4 GB if every session fills the largest cookie that there could be.
const DEFAULT_CAPACITY: usize = 100_000;

/// The logout tokens of a day: Auth0 sends one for each session that ends. They take 6 MB.
const MAX_USED: usize = 100_000;

/// Keeps sessions in the memory of this process: for development, and for a service of one instance whose users may log in
/// again after a restart. 100,000 sessions at most; then the ones that end first make room.
#[derive(Clone)]
pub struct InMemorySessionStore(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<SessionKey, Kept>,
    used: HashMap<[u8; 32], Duration>,
    versions: u64,
}

struct Kept {
    content: String,
    version: u64,
    user: [u8; 32],
    issuer_session: Option<[u8; 32]>,
    began_at: SystemTime,
    ends_at: Duration,
    lock: Option<(u64, Duration)>,
}

impl InMemorySessionStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock::new()), DEFAULT_CAPACITY)
    }

    /// Limits the number of sessions. The store is empty then.
    #[must_use]
    pub fn capacity(self, sessions: usize) -> Self {
        Self::with(Arc::clone(&self.0.clock), sessions.max(1))
    }

    /// Replaces the clock, for tests. The store is empty then.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::with(Arc::new(clock), self.0.capacity)
    }

    fn with(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        Self(Arc::new(Shared { clock, capacity, state: Mutex::default() }))
    }

    /// Returns the number of sessions that have not ended.
    #[must_use]
    pub fn count(&self) -> usize {
        let now = self.now();
        self.lock_state().sessions.values().filter(|kept| now < kept.ends_at).count()
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since 1970: sessions end by the wall clock, also on a machine that was suspended.
    fn now(&self) -> Duration {
        self.0.clock.unix_time()
    }
}

impl Default for InMemorySessionStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn find(&mut self, key: &SessionKey, now: Duration) -> Option<&mut Kept> {
        self.sessions.get_mut(key).filter(|kept| now < kept.ends_at)
    }

    fn next_number(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    /// Makes room for one more.
    fn make_room(&mut self, capacity: usize, now: Duration) {
        if self.sessions.len() < capacity {
            return;
        }
        self.sessions.retain(|_, kept| now < kept.ends_at);
        if self.sessions.len() >= capacity {
            let mut ends: Vec<Duration> = self.sessions.values().map(|kept| kept.ends_at).collect();
            // Some at once, so that the next ones need not search.
            let place = (capacity / 10).min(ends.len().saturating_sub(1));
            let (_, end, _) = ends.select_nth_unstable(place);
            let end = *end;
            self.sessions.retain(|_, kept| kept.ends_at > end);
        }
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, SessionStoreError>>;

impl SessionStore for InMemorySessionStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Option<StoredSession>> {
        let now = self.now();
        let found = self
            .lock_state()
            .find(key, now)
            .map(|kept| StoredSession::new(kept.content.clone(), kept.version));
        Box::pin(async move { Ok(found) })
    }

    fn create<'a>(&'a self, key: &'a SessionKey, session: NewSession<'a>) -> Answer<'a, u64> {
        let now = self.now();
        let mut state = self.lock_state();
        state.make_room(self.0.capacity, now);
        let version = state.next_number();
        let kept = Kept {
            content: session.content.to_owned(),
            version,
            user: session.user,
            issuer_session: session.issuer_session,
            began_at: session.began_at,
            ends_at: now.saturating_add(session.lasts),
            lock: None,
        };
        state.sessions.insert(*key, kept);
        Box::pin(async move { Ok(version) })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        version: u64,
        content: &'a str,
        lasts: Duration,
    ) -> Answer<'a, Updated> {
        let now = self.now();
        let mut state = self.lock_state();
        let next = state.next_number();
        let updated = match state.find(key, now) {
            None => Updated::Gone,
            Some(kept) if kept.version != version => Updated::Stale,
            Some(kept) => {
                kept.content = content.to_owned();
                kept.version = next;
                kept.ends_at = now.saturating_add(lasts);
                Updated::Done(next)
            }
        };
        Box::pin(async move { Ok(updated) })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, ()> {
        self.lock_state().sessions.remove(key);
        Box::pin(async { Ok(()) })
    }

    fn log_out<'a>(&'a self, target: &'a LogoutTarget) -> Answer<'a, u64> {
        let mut state = self.lock_state();
        let before = state.sessions.len();
        state.sessions.retain(|_, kept| match target {
            LogoutTarget::Session(session) => kept.issuer_session.as_ref() != Some(session),
            LogoutTarget::User { user, until } => kept.user != *user || kept.began_at > *until,
        });
        let removed = before - state.sessions.len();
        Box::pin(async move { Ok(removed as u64) })
    }

    fn lock<'a>(&'a self, key: &'a SessionKey, lasts: Duration) -> Answer<'a, Option<u64>> {
        let now = self.now();
        let mut state = self.lock_state();
        let number = state.next_number();
        let locked = state.find(key, now).and_then(|kept| {
            let is_free = kept.lock.is_none_or(|(_, ends_at)| now >= ends_at);
            is_free.then(|| {
                kept.lock = Some((number, now.saturating_add(lasts)));
                number
            })
        });
        Box::pin(async move { Ok(locked) })
    }

    fn unlock<'a>(&'a self, key: &'a SessionKey, lock: u64) -> Answer<'a, ()> {
        let now = self.now();
        if let Some(kept) = self.lock_state().find(key, now)
            && kept.lock.is_some_and(|(number, _)| number == lock)
        {
            kept.lock = None;
        }
        Box::pin(async { Ok(()) })
    }

    fn use_once<'a>(&'a self, id: [u8; 32], lasts: Duration) -> Answer<'a, bool> {
        let now = self.now();
        let mut state = self.lock_state();
        let is_known = state.used.get(&id).is_some_and(|ends_at| now < *ends_at);
        if !is_known && state.used.len() >= MAX_USED {
            state.used.retain(|_, ends_at| now < *ends_at);
        }
        let outcome = match (is_known, state.used.len() < MAX_USED) {
            (true, _) => Ok(false),
            (false, true) => {
                state.used.insert(id, now.saturating_add(lasts));
                Ok(true)
            }
            // To forget one would let it be used again.
            (false, false) => {
                Err(SessionStoreError::new("there is no room for another logout token"))
            }
        };
        Box::pin(async move { outcome })
    }
}

impl fmt::Debug for InMemorySessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemorySessionStore").field("count", &self.count()).finish()
    }
}
