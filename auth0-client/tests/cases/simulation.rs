//! Random histories of one source on the test's clock: callers that come and go, a server that fails in every way, and
//! time that passes.
use crate::kit::{API, Answer, EPOCH, Server, settle};
use auth0_client::{ErrorKind, TokenSource};
use proptest::prelude::*;
use std::time::{Duration, UNIX_EPOCH};
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
enum Step {
    Call,
    /// Drops the oldest caller that waits.
    Cancel,
    /// Seconds pass.
    Wait(u64),
    /// What the server does from now on.
    Server(Behaviour),
    /// An API refuses the newest token.
    Forget,
}

#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Good(u64),
    Fails,
    Refuses,
    Hangs,
    Panics,
    Breaks,
    Throttles(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let behaviour = prop_oneof![
        4 => (1_u64..600).prop_map(Behaviour::Good),
        1 => Just(Behaviour::Fails),
        1 => Just(Behaviour::Refuses),
        1 => Just(Behaviour::Hangs),
        1 => Just(Behaviour::Panics),
        1 => Just(Behaviour::Breaks),
        1 => (0_u64..90).prop_map(Behaviour::Throttles),
    ];
    prop_oneof![
        6 => Just(Step::Call),
        1 => Just(Step::Cancel),
        3 => (0_u64..120).prop_map(Step::Wait),
        2 => behaviour.prop_map(Step::Server),
        1 => Just(Step::Forget),
    ]
}

fn answer(behaviour: Behaviour, number: usize) -> Answer {
    match behaviour {
        Behaviour::Good(life) => Answer::token_for(&format!("{number}"), life),
        Behaviour::Fails => Answer::error(503, "temporarily_unavailable"),
        Behaviour::Refuses => Answer::error(401, "invalid_client"),
        Behaviour::Hangs => Answer::Hang,
        Behaviour::Panics => Answer::Panic,
        Behaviour::Breaks => Answer::Lost,
        Behaviour::Throttles(seconds) => {
            Answer::error(429, "too_many_requests").with("retry-after", &seconds.to_string())
        }
    }
}

/// A call, whose token must be valid when it is returned. Returns the token.
fn call(
    server: &Server,
    source: &TokenSource,
) -> JoinHandle<Result<auth0_client::Token, ErrorKind>> {
    let (clock, source) = (server.clock.clone(), source.clone());
    tokio::spawn(async move {
        let token = source.token().await.map_err(|error| error.kind())?;
        let now = UNIX_EPOCH + EPOCH + clock.passed();
        assert!(token.expires_at().is_none_or(|end| end > now), "a token that has expired");
        Ok(token)
    })
}

async fn history(steps: Vec<Step>) {
    let server = Server::new();
    server.respond(|_, number| answer(Behaviour::Good(300), number));
    let client = server.builder().client_secret("s").deadline(Duration::from_secs(30));
    let source = client.build().unwrap().machine(API).build().unwrap();
    let (mut waiting, mut newest) = (Vec::new(), None);
    for step in steps {
        match step {
            Step::Call => waiting.push(call(&server, &source)),
            Step::Cancel if !waiting.is_empty() => waiting.remove(0).abort(),
            Step::Cancel => {}
            Step::Wait(seconds) => server.clock.advance(Duration::from_secs(seconds)),
            Step::Server(behaviour) => server.respond(move |_, number| answer(behaviour, number)),
            Step::Forget => {
                if let Some(token) = &newest {
                    let _ = source.forget(token);
                }
            }
        }
        settle().await;
        assert!(server.most_at_once() <= 1, "one request at a time");
        let (done, still): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(JoinHandle::is_finished);
        waiting = still;
        for call in done {
            match call.await {
                Ok(Ok(token)) => newest = Some(token),
                Ok(Err(_)) => {}
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
    }
    // All that waits comes to an end within its deadline, and the source works again.
    server.respond(|_, number| answer(Behaviour::Good(300), number));
    for _ in 0..3 {
        server.clock.advance(Duration::from_secs(30));
        settle().await;
    }
    for call in waiting {
        assert!(call.is_finished(), "a call that never ends");
        let _ = call.await;
    }
    server.clock.advance(Duration::from_secs(90));
    let last = call(&server, &source);
    settle().await;
    assert!(last.await.unwrap().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_request_no_expired_token_and_no_caller_left_behind(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(history(steps));
    }
}
