//! What renewals of sessions share in one process: one at a time for each session, and what the last one has brought.
use crate::record::{Record, TokenSet};
use serde_json::value::RawValue;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// A browser may send the cookie of before a renewal for this long: requests that were on their way.
const REMEMBERED: Duration = Duration::from_secs(60);

/// More sessions than one instance renews or ends in this time.
const MAX_REMEMBERED: usize = 10_000;

/// The renewals of all sessions of a process.
#[derive(Default)]
pub(crate) struct Renewals(Mutex<Table>);

/// What a renewal has brought: tokens and claims belong together.
#[derive(Clone)]
struct Latest {
    tokens: TokenSet,
    claims: Box<RawValue>,
}

#[derive(Default)]
struct Table {
    locks: HashMap<String, Weak<tokio::sync::Mutex<()>>>,
    /// The latest tokens of sessions in cookies, and their time.
    latest: HashMap<String, (Latest, Duration)>,
    /// Sessions that have ended, and why.
    ended: HashMap<String, (Ending, Duration)>,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The user has left.
    Left,
    /// A login of the same user has replaced it.
    Replaced,
}

impl Renewals {
    /// Returns the lock of a session.
    pub(crate) fn lock_of(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut table = self.table();
        if table.locks.len() >= MAX_REMEMBERED {
            table.locks.retain(|_, lock| lock.strong_count() > 0);
        }
        if let Some(lock) = table.locks.get(id).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        table.locks.insert(id.to_owned(), Arc::downgrade(&lock));
        lock
    }

    /// Takes note of the tokens of a session that were renewed.
    pub(crate) fn remember(&self, record: &Record, now: Duration) {
        let mut table = self.table();
        make_room(&mut table.latest, |(_, at)| *at, now);
        let latest = Latest { tokens: record.tokens.clone(), claims: record.claims.clone() };
        table.latest.insert(record.id.clone(), (latest, now));
    }

    /// Gives a session that a browser has sent the tokens that have replaced its own. Returns whether there are some.
    pub(crate) fn adopt(&self, record: &mut Record, now: Duration) -> bool {
        let table = self.table();
        let Some((latest, at)) = table.latest.get(&record.id) else { return false };
        let is_newer = latest.tokens.generation > record.tokens.generation;
        if is_newer && now < at.saturating_add(REMEMBERED) {
            record.tokens = latest.tokens.clone();
            record.claims.clone_from(&latest.claims);
            return true;
        }
        false
    }

    /// Takes note of the end of a session: what is on its way must not bring it back.
    pub(crate) fn end(&self, id: &str, why: Ending, now: Duration) {
        let mut table = self.table();
        table.latest.remove(id);
        make_room(&mut table.ended, |(_, at)| *at, now);
        table.ended.insert(id.to_owned(), (why, now));
    }

    pub(crate) fn has_ended(&self, id: &str, now: Duration) -> bool {
        self.ending(id, now).is_some()
    }

    /// Returns why a session has ended a while ago, if it has.
    pub(crate) fn ending(&self, id: &str, now: Duration) -> Option<Ending> {
        let table = self.table();
        let (why, at) = table.ended.get(id)?;
        (now < at.saturating_add(REMEMBERED)).then_some(*why)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what is too old, and then the older half, if there is no room.
fn make_room<T>(map: &mut HashMap<String, T>, at: impl Fn(&T) -> Duration, now: Duration) {
    if map.len() < MAX_REMEMBERED {
        return;
    }
    map.retain(|_, value| now < at(value).saturating_add(REMEMBERED));
    if map.len() >= MAX_REMEMBERED {
        let mut times: Vec<Duration> = map.values().map(&at).collect();
        let (_, median, _) = times.select_nth_unstable(MAX_REMEMBERED / 2);
        let median = *median;
        map.retain(|_, value| at(value) > median);
    }
}
