//! The single flight under every schedule that shuttle tries: requests begin, join, are cancelled and
//! begin again, and fetches complete or are lost. A program of its own, because it builds a source file
//! of the crate on shuttle instead of std.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "a model, and it does not use everything"
)]
use flight::{Boarding, Pilot, SingleFlight};
use shuttle::future::{block_on, spawn, yield_now};
use std::sync::atomic::{AtomicUsize, Ordering};
use sync::Arc;

#[path = "../src/jwks/flight.rs"]
mod flight;

/// The parts of the single flight, under shuttle's control.
mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

#[derive(Debug, Default)]
struct State {
    in_progress: bool,
    started: usize,
    ended: usize,
}

type Flights = Arc<SingleFlight<State, usize>>;

fn end(state: &mut State) -> usize {
    assert!(state.in_progress, "a fetch that ends was in progress");
    state.in_progress = false;
    state.ended += 1;
    state.ended
}

async fn fetch(pilot: Pilot<State, usize>, is_lost: bool) {
    yield_now().await;
    if is_lost {
        drop(pilot);
    } else {
        pilot.land(end);
    }
}

async fn request(flights: Flights, is_lost: bool) -> usize {
    let boarded = flights.board(end, |state| {
        assert!(!state.in_progress, "one at a time");
        state.in_progress = true;
        state.started += 1;
        Ok::<_, ()>(())
    });
    let waiter = match boarded.unwrap_or_else(|()| unreachable!()) {
        Boarding::Joined(waiter) => waiter,
        Boarding::Started(waiter, pilot) => {
            spawn(fetch(pilot, is_lost));
            waiter
        }
    };
    let number = waiter.number();
    let outcome = waiter.landed().await.expect("every waiter has the outcome");
    assert_eq!(outcome as u64, number, "of its own fetch, not of another");
    outcome
}

/// Three requests, of which the first is cancelled. Then one more, which must get an outcome, too.
async fn scenario(lost: [bool; 4]) {
    let flights: Flights = SingleFlight::new(State::default());
    let [first, second, third, last] = lost;
    let leader = spawn(request(Arc::clone(&flights), first));
    let waiters = [second, third].map(|lost| spawn(request(Arc::clone(&flights), lost)));
    yield_now().await;
    leader.abort();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    request(Arc::clone(&flights), last).await;
    flights.inspect(|state| {
        assert!(state.started >= 1 && state.started - state.ended <= 1);
    });
}

#[test]
fn every_request_has_an_outcome_under_random_schedules() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    for lost in [[false; 4], [true; 4], [true, false, true, false], [false, true, false, true]] {
        shuttle::check_random(
            move || {
                SEEN.fetch_add(1, Ordering::Relaxed);
                block_on(scenario(lost));
            },
            2_000,
        );
    }
    assert_eq!(SEEN.load(Ordering::Relaxed), 8_000);
}

/// A request that gives up its fetch, because the runtime of the fetch runs nothing.
async fn impatient(flights: Flights) {
    let boarded = flights.board(end, |state| {
        assert!(!state.in_progress, "one at a time");
        state.in_progress = true;
        state.started += 1;
        Ok::<_, ()>(())
    });
    let (number, mut stuck) = match boarded.unwrap_or_else(|()| unreachable!()) {
        Boarding::Joined(waiter) => (waiter.number(), None),
        Boarding::Started(waiter, pilot) => (waiter.number(), Some(pilot)),
    };
    yield_now().await;
    flights.give_up(number, |state| {
        end(state);
    });
    yield_now().await;
    // If it completes after all, it delivers nothing, and does not end the fetch of another.
    if let Some(late) = stuck.take() {
        late.land(|_| unreachable!("it was abandoned"));
    }
}

#[test]
fn an_abandoned_fetch_blocks_no_other() {
    shuttle::check_random(
        || {
            block_on(async {
                let flights: Flights = SingleFlight::new(State::default());
                let impatient = [(); 3].map(|()| spawn(impatient(Arc::clone(&flights))));
                for task in impatient {
                    task.await.unwrap();
                }
                request(Arc::clone(&flights), false).await;
                flights.inspect(|state| {
                    assert_eq!((state.in_progress, state.started), (false, state.ended));
                });
            });
        },
        4_000,
    );
}

/// Two requests and their fetch, in every order.
#[test]
fn two_requests_under_every_schedule() {
    for lost in [false, true] {
        shuttle::check_dfs(
            move || {
                block_on(async move {
                    let flights: Flights = SingleFlight::new(State::default());
                    let other = spawn(request(Arc::clone(&flights), lost));
                    request(flights, !lost).await;
                    other.await.unwrap();
                });
            },
            None,
        );
    }
}
