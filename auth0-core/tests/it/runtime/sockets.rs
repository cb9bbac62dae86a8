//! Real sockets, which belong to the runtime on which they were opened.
use super::server::{Answer, Server, verifier};
use crate::common::{SECOND, verdict};
use std::{sync::mpsc, thread};
use tokio::runtime::{Builder, Runtime};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A suite of tests with one verifier in a static, and a runtime for each test.
#[test]
fn one_verifier_serves_twenty_runtimes_in_turn() {
    let tenant = Server::start().answer_all();
    let auth = verifier(&tenant);
    let token = tenant.token().mint();
    for round in 0..20 {
        current_thread().block_on(async {
            auth.refresh().await.unwrap_or_else(|error| panic!("{round}: {error:?}"));
            assert_eq!(verdict(&auth, &token).await, None, "{round}");
        });
    }
}

#[test]
fn one_verifier_serves_twenty_runtimes_at_once() {
    let tenant = Server::start().answer_all();
    let auth = verifier(&tenant);
    let token = tenant.token().mint();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                current_thread().block_on(async {
                    auth.refresh().await.unwrap();
                    assert_eq!(verdict(&auth, &token).await, None);
                });
            });
        }
    });
}

/// A short test ends while a long one waits for the fetch that the short one began.
#[test]
fn a_runtime_that_ends_takes_no_connection_with_it() {
    let server = Server::start();
    let auth = verifier(&server.tenant);
    let token = server.tenant.token().mint();
    let short = current_thread();
    let request = {
        let (auth, token) = (auth.clone(), token.clone());
        short.spawn(async move { verdict(&auth, &token).await })
    };
    short.block_on(tokio::task::yield_now());
    let first = server.requests.recv_timeout(20 * SECOND).unwrap();
    assert!(!request.is_finished());
    let waiting = {
        let (auth, token) = (auth.clone(), token.clone());
        thread::spawn(move || current_thread().block_on(verdict(&auth, &token)))
    };
    drop(short);
    first.answer(Answer::Document);
    server.answer_all();
    assert_eq!(waiting.join().unwrap(), None);
}

/// A handler blocks its runtime while its fetch is on its way.
#[test]
fn a_blocked_runtime_delays_no_other() {
    let server = Server::start();
    let auth = verifier(&server.tenant);
    let token = server.tenant.token().mint();
    let (blocked, unblock) = mpsc::channel::<()>();
    let blocking = {
        let (auth, token) = (auth.clone(), token.clone());
        thread::spawn(move || {
            current_thread().block_on(async {
                let request = tokio::spawn(async move { verdict(&auth, &token).await });
                tokio::task::yield_now().await;
                let _ = unblock.recv();
                request.await.unwrap()
            })
        })
    };
    let first = server.requests.recv_timeout(20 * SECOND).unwrap();
    first.answer(Answer::Document);
    server.answer_all();
    assert_eq!(current_thread().block_on(verdict(&auth, &token)), None);
    drop(blocked);
    assert_eq!(blocking.join().unwrap(), None);
}
