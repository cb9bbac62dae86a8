//! The single flight under every schedule that shuttle tries: requests that come, join, are cancelled and
//! come again, and attempts that complete, are lost or are forgotten; for one key, as the keys of an issuer
//! use it, and for several, as the answers of a resolver do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a model, and it does not use everything"
)]
use shuttle::future::{block_on, spawn, yield_now};
use single_flight::{Joined, Leader, SingleFlight};
use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    sync::atomic::{AtomicUsize, Ordering},
};
use sync::Arc;

#[path = "../src/runtime/single_flight.rs"]
mod single_flight;

/// What the single flight is built of, under shuttle's control.
mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

/// A key of the single flight: `()` for the keys of one issuer, a number for the answers of a resolver.
trait Key: Clone + Debug + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Debug + Eq + Hash + Send + Sync + 'static> Key for K {}

/// The attempts that are running, by key, as the state sees them.
#[derive(Debug)]
struct Attempts<K> {
    running: HashMap<K, usize>,
    started: usize,
    settled: usize,
}

type Flight<K> = Arc<SingleFlight<K, Attempts<K>, &'static str>>;

fn flight<K: Key>() -> Flight<K> {
    SingleFlight::new(Attempts { running: HashMap::new(), started: 0, settled: 0 })
}

fn abandoned<K: Key>(state: Option<&mut Attempts<K>>) -> &'static str {
    match state {
        Some(_) => "abandoned",
        None => "abandoned and forgotten",
    }
}

fn settle<K: Key>(key: &K, state: Option<&mut Attempts<K>>) -> &'static str {
    let Some(state) = state else { return "forgotten" };
    assert!(state.running.remove(key).is_some(), "what ends was pending");
    state.settled += 1;
    "settled"
}

async fn lead<K: Key>(key: K, leader: Leader<K, Attempts<K>, &'static str>, is_lost: bool) {
    yield_now().await;
    if is_lost {
        drop(leader);
    } else {
        leader.complete(|state| (settle(&key, state), ()), |()| {});
    }
}

async fn request<K: Key>(flight: Flight<K>, key: K, is_lost: bool) -> &'static str {
    let joined = flight.join(&key, abandoned, |state, pending| {
        // A lost attempt leaves its entry in this model's state: the table of the flight decides.
        state.running.insert(key.clone(), pending);
        state.started += 1;
        Ok::<_, ()>(())
    });
    let waiter = match joined.unwrap_or_else(|()| unreachable!()) {
        Joined::Waiting(waiter) => waiter,
        Joined::Leading(waiter, leader) => {
            spawn(lead(key, leader, is_lost));
            waiter
        }
    };
    assert!(waiter.number() > 0);
    waiter.outcome().await.expect("every waiter gets an outcome")
}

/// Three requests, the first of which is cancelled; then one more, which must not be stranded.
async fn cancelled<K: Key>(keys: [K; 2], lost: [bool; 4]) {
    let flight: Flight<K> = flight();
    let [first, second] = keys;
    let cancelled = spawn(request(Arc::clone(&flight), first.clone(), lost[0]));
    let others = [(first.clone(), lost[1]), (second, lost[2])]
        .map(|(key, lost)| spawn(request(Arc::clone(&flight), key, lost)));
    yield_now().await;
    cancelled.abort();
    for other in others {
        other.await.unwrap();
    }
    request(Arc::clone(&flight), first.clone(), lost[3]).await;
    let _ = cancelled.await; // until it has ended, it may still start an attempt
    let started = flight.inspect(|state| state.started);
    assert_eq!(flight.started() as usize, started);
}

#[test]
fn no_request_is_stranded_under_random_schedules() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    for lost in [[false; 4], [true; 4], [true, false, true, false], [false, true, false, true]] {
        shuttle::check_random(
            move || {
                SEEN.fetch_add(1, Ordering::Relaxed);
                block_on(cancelled([(), ()], lost));
                block_on(cancelled([1, 1], lost));
                block_on(cancelled([1, 2], lost));
            },
            1_000,
        );
    }
    assert_eq!(SEEN.load(Ordering::Relaxed), 4_000);
}

/// Two requests of one key and their attempts, in every order that there is: at most one is pending, and
/// each gets the outcome of the attempt that it joined.
#[test]
fn two_requests_of_one_key_under_every_schedule() {
    for lost in [false, true] {
        shuttle::check_dfs(
            move || {
                block_on(async move {
                    let flight: Flight<()> = flight();
                    let other = spawn(request(Arc::clone(&flight), (), lost));
                    let outcome = request(Arc::clone(&flight), (), lost).await;
                    assert_eq!(outcome, if lost { "abandoned" } else { "settled" });
                    assert_eq!(other.await.unwrap(), outcome);
                    assert!(!flight.is_pending(&()));
                    assert!(flight.started() <= 2);
                });
            },
            None,
        );
    }
}

/// Attempts for different keys do not wait for each other. (Every schedule would be minutes.)
#[test]
fn two_requests_of_two_keys_under_random_schedules() {
    shuttle::check_random(
        || {
            block_on(async {
                let flight: Flight<u8> = flight();
                let other = spawn(request(Arc::clone(&flight), 1, false));
                assert_eq!(request(Arc::clone(&flight), 2, true).await, "abandoned");
                assert_eq!(other.await.unwrap(), "settled");
                assert_eq!(flight.started(), 2);
                assert!(!flight.is_pending(&1) && !flight.is_pending(&2));
            });
        },
        5_000,
    );
}

/// All pending attempts are forgotten while some run: their waiters get an outcome that does not reach the
/// state, and the attempts that replace them are not ended by the old ones.
#[test]
fn a_forgotten_attempt_settles_nothing_under_every_schedule() {
    shuttle::check_dfs(
        || {
            block_on(async {
                let flight: Flight<u8> = flight();
                let first = spawn(request(Arc::clone(&flight), 1, false));
                let forgets = {
                    let flight = Arc::clone(&flight);
                    spawn(async move { flight.forget_pending(|| {}) })
                };
                let outcome = first.await.unwrap();
                assert!(["settled", "forgotten"].contains(&outcome), "{outcome}");
                forgets.await.unwrap();
                let settled = flight.inspect(|state| state.settled);
                assert_eq!(settled, usize::from(outcome == "settled"));
                assert_eq!(request(Arc::clone(&flight), 1, false).await, "settled");
                assert!(!flight.is_pending(&1));
            });
        },
        None,
    );
}

/// A token that was requested: see [`token`].
type Kept = Arc<sync::Mutex<Option<u8>>>;

/// Looks for a token in memory, and joins the request for one if there is none: as `auth0-client` does. The request
/// keeps the token while it settles, and a caller looks again before it starts another.
async fn token(flight: Arc<SingleFlight<(), usize, u8>>, kept: Kept, is_lost: bool) -> u8 {
    let look = || *kept.lock().unwrap_or_else(sync::PoisonError::into_inner);
    if let Some(found) = look() {
        return found;
    }
    let joined = flight.join(
        &(),
        |_| 0,
        |requests, _| match look() {
            Some(found) => Err(found),
            None => {
                *requests += 1;
                Ok(())
            }
        },
    );
    let waiter = match joined {
        Err(found) => return found,
        Ok(Joined::Waiting(waiter)) => waiter,
        Ok(Joined::Leading(waiter, leader)) => {
            let kept = Arc::clone(&kept);
            spawn(async move {
                yield_now().await;
                if is_lost {
                    return drop(leader);
                }
                let settle = |_: Option<&mut usize>| {
                    *kept.lock().unwrap_or_else(sync::PoisonError::into_inner) = Some(7);
                    (7, ())
                };
                leader.complete(settle, |()| {});
            });
            waiter
        }
    };
    waiter.outcome().await.expect("every waiter gets an outcome")
}

/// Callers of a token that come, wait and are cancelled in any order cause one request in all, unless it is lost; and
/// a lost request strands none of them.
#[test]
fn a_token_is_requested_once_under_random_schedules() {
    for is_lost in [false, true] {
        shuttle::check_random(
            move || {
                block_on(async move {
                    let flight = SingleFlight::new(0);
                    let kept = Kept::default();
                    let call =
                        |is_lost| spawn(token(Arc::clone(&flight), Arc::clone(&kept), is_lost));
                    let (cancelled, others) = (call(is_lost), [call(is_lost), call(is_lost)]);
                    yield_now().await;
                    cancelled.abort();
                    for other in others {
                        assert_eq!(other.await.unwrap(), if is_lost { 0 } else { 7 });
                    }
                    let _ = cancelled.await;
                    // It may join a request that is about to be lost, but not twice.
                    let mut last = token(Arc::clone(&flight), Arc::clone(&kept), false).await;
                    if is_lost && last == 0 {
                        last = token(Arc::clone(&flight), Arc::clone(&kept), false).await;
                    }
                    assert_eq!(last, 7);
                    let requests = flight.inspect(|requests| *requests);
                    assert!(requests == 1 || is_lost, "{requests} requests");
                });
            },
            5_000,
        );
    }
}
