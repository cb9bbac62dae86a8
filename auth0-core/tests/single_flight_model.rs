//! The single flight under every schedule that shuttle tries: requests that come, join, are
//! cancelled and come again, and fetches that land or are lost.
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

/// What the single flight is built of, under shuttle's control.
mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

#[derive(Debug, Default)]
struct Ground {
    in_the_air: bool,
    started: usize,
    ended: usize,
}

type Flights = Arc<SingleFlight<Ground, usize>>;

fn end(ground: &mut Ground) -> usize {
    assert!(ground.in_the_air, "what ends was under way");
    ground.in_the_air = false;
    ground.ended += 1;
    ground.ended
}

async fn fly(pilot: Pilot<Ground, usize>, is_lost: bool) {
    yield_now().await;
    if is_lost {
        drop(pilot);
    } else {
        pilot.land(end);
    }
}

async fn request(flights: Flights, is_lost: bool) -> usize {
    let boarded = flights.board(end, |ground| {
        assert!(!ground.in_the_air, "one at a time");
        ground.in_the_air = true;
        ground.started += 1;
        Ok::<_, ()>(())
    });
    let passenger = match boarded.unwrap_or_else(|()| unreachable!()) {
        Boarding::Joined(passenger) => passenger,
        Boarding::Started(passenger, pilot) => {
            spawn(fly(pilot, is_lost));
            passenger
        }
    };
    let number = passenger.number();
    let outcome = passenger.landed().await.expect("every passenger hears of the end");
    assert_eq!(outcome as u64, number, "of its own flight, not of another");
    outcome
}

/// Three requests, the first of which is cancelled; then one more, which must not be stranded.
async fn scenario(lost: [bool; 4]) {
    let flights: Flights = SingleFlight::new(Ground::default());
    let [first, second, third, last] = lost;
    let leader = spawn(request(Arc::clone(&flights), first));
    let followers = [second, third].map(|lost| spawn(request(Arc::clone(&flights), lost)));
    yield_now().await;
    leader.abort();
    for follower in followers {
        follower.await.unwrap();
    }
    request(Arc::clone(&flights), last).await;
    flights.inspect(|ground| {
        assert!(ground.started >= 1 && ground.started - ground.ended <= 1);
    });
}

#[test]
fn nobody_is_stranded_under_random_schedules() {
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

/// A fetch whose runtime does not get to run: it neither lands nor ends.
async fn impatient(flights: Flights) {
    let boarded = flights.board(end, |ground| {
        assert!(!ground.in_the_air, "one at a time");
        ground.in_the_air = true;
        ground.started += 1;
        Ok::<_, ()>(())
    });
    let (number, mut stuck) = match boarded.unwrap_or_else(|()| unreachable!()) {
        Boarding::Joined(passenger) => (passenger.number(), None),
        Boarding::Started(passenger, pilot) => (passenger.number(), Some(pilot)),
    };
    yield_now().await;
    flights.give_up(number, |ground| {
        end(ground);
    });
    yield_now().await;
    // When it lands after all, it brings nothing, and does not end another's fetch.
    if let Some(late) = stuck.take() {
        late.land(|_| unreachable!("it was given up"));
    }
}

#[test]
fn a_fetch_that_was_given_up_stands_in_nobodys_way() {
    shuttle::check_random(
        || {
            block_on(async {
                let flights: Flights = SingleFlight::new(Ground::default());
                let impatient = [(); 3].map(|()| spawn(impatient(Arc::clone(&flights))));
                for task in impatient {
                    task.await.unwrap();
                }
                request(Arc::clone(&flights), false).await;
                flights.inspect(|ground| {
                    assert_eq!((ground.in_the_air, ground.started), (false, ground.ended));
                });
            });
        },
        4_000,
    );
}

/// Two requests and their fetch, in every order that there is.
#[test]
fn two_requests_under_every_schedule() {
    for lost in [false, true] {
        shuttle::check_dfs(
            move || {
                block_on(async move {
                    let flights: Flights = SingleFlight::new(Ground::default());
                    let other = spawn(request(Arc::clone(&flights), lost));
                    request(flights, !lost).await;
                    other.await.unwrap();
                });
            },
            None,
        );
    }
}
