//! One question to a resolver, on the thread `auth0-fetch`.
use super::{
    IssuerResolver,
    answer::{Outcome, Unresolved},
    answers::Answers,
    fair_queue::Client,
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
    client: Client,
    leader: Leader<R::Key, (), Outcome>,
    started_at: Duration,
) {
    // Keys that had issuers need not wait for their turn.
    let queued = (!answers.had_issuers(&key)).then(|| (leader.number(), client));
    let mut restarts = 0..fetch_thread::RESTARTS;
    let (outcome, kind, is_to_be_kept) = loop {
        let has_begun = Arc::new(AtomicBool::new(false));
        let work = resolve(Arc::clone(&answers), key.clone(), queued, Arc::clone(&has_begun));
        let ended = fetch_thread::within(answers.clock(), TIMEOUT, work).await;
        let (failure, kind) = match ended.how {
            How::Done(Ok(answer)) => break (Ok(answer), "success", true),
            How::Done(Err(why)) => (why, "error"),
            How::Panicked => (Unresolved::because("the resolver panicked"), "panic"),
            How::Late if has_begun.load(Ordering::Relaxed) => {
                (Unresolved::because("the resolver took too long"), "timeout")
            }
            How::Late => (Unresolved::crowded(), "timeout"),
        };
        // A question that never had its turn says nothing about its key.
        let has_begun = has_begun.load(Ordering::Relaxed);
        // A failure while the process was stopped is not one of the resolver: it is called again.
        if !ended.was_frozen || restarts.next().is_none() {
            break (Err(failure), kind, has_begun);
        }
    };
    metrics::resolution(kind);
    answers.report(&outcome);
    let settle = |state: Option<&mut ()>| {
        // An answer that was pending when all answers were forgotten is not stored.
        if state.is_some() && is_to_be_kept {
            answers.settle(&outcome, key, started_at);
        }
        (outcome, ())
    };
    leader.complete(settle, |()| {});
}

async fn resolve<R: IssuerResolver>(
    answers: Arc<Answers<R>>,
    key: R::Key,
    queued: Option<(u64, Client)>,
    has_begun: Arc<AtomicBool>,
) -> Outcome {
    let _permit = match queued {
        None => None,
        Some((number, client)) => {
            let place = answers.for_unknown_keys.enter(number, client);
            let mut place = place.ok_or_else(Unresolved::crowded)?;
            Some(place.turn().await.ok_or_else(Unresolved::crowded)?)
        }
    };
    has_begun.store(true, Ordering::Relaxed);
    match answers.resolver.resolve(key).await {
        Ok(issuers) => Ok(Arc::new(answers.answer(issuers).await)),
        Err(why) => Err(Unresolved::failed(&*why)),
    }
}
