//! One question to a resolver, on the thread `auth0-fetch`.
use super::{
    IssuerResolver,
    answer::{Outcome, Unresolved},
    answers::Answers,
};
use crate::{
    runtime::{
        fetch_thread::{self, How},
        single_flight::Leader,
    },
    telemetry::metrics,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The time limit of one question. A request may be waiting for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Calls the resolver, and completes the attempt with its answer.
pub(super) async fn ask<R: IssuerResolver>(
    answers: Arc<Answers<R>>,
    key: R::Key,
    leader: Leader<R::Key, (), Outcome>,
    started_at: Duration,
) {
    let had_issuers = answers.had_issuers(&key);
    let mut restarts = 0..fetch_thread::RESTARTS;
    let (outcome, kind) = loop {
        let has_begun = Arc::new(AtomicBool::new(false));
        let work = resolve(Arc::clone(&answers), key.clone(), had_issuers, Arc::clone(&has_begun));
        let ended = fetch_thread::within(answers.clock(), TIMEOUT, work).await;
        let (failure, kind) = match ended.how {
            How::Done(Ok(answer)) => break (Ok(answer), "success"),
            How::Done(Err(why)) => (why, "error"),
            How::Panicked => (Unresolved::because("the resolver panicked"), "panic"),
            How::Late if has_begun.load(Ordering::Relaxed) => {
                (Unresolved::because("the resolver took too long"), "timeout")
            }
            How::Late => {
                (Unresolved::because("too many requests wait for the resolver"), "timeout")
            }
        };
        // A failure while the process was stopped is not one of the resolver: it is called again.
        if !ended.was_frozen || restarts.next().is_none() {
            break (Err(failure), kind);
        }
    };
    metrics::resolution(kind);
    answers.report(&outcome);
    let settle = |state: Option<&mut ()>| {
        // An answer that was pending when all answers were forgotten is not stored.
        if state.is_some() {
            answers.settle(&outcome, key, started_at);
        }
        (outcome, ())
    };
    leader.complete(settle, |()| {});
}

async fn resolve<R: IssuerResolver>(
    answers: Arc<Answers<R>>,
    key: R::Key,
    had_issuers: bool,
    has_begun: Arc<AtomicBool>,
) -> Outcome {
    let _permit = match had_issuers {
        true => None,
        false => answers.for_unknown_keys.acquire().await.ok(),
    };
    has_begun.store(true, Ordering::Relaxed);
    match answers.resolver.resolve(key).await {
        Ok(issuers) => Ok(Arc::new(answers.answer(issuers).await)),
        Err(why) => Err(Unresolved::failed(&*why)),
    }
}
