//! A resolver that fails.
use crate::{
    customers::{By, Fault},
    world::{
        API,
        Expected::{Accepted, Untrusted},
        World, check_unavailable, token,
    },
};
use auth0_axum::testing::Failure;
use std::time::Duration;
use wire_tests::client::{Answer, send};

/// A token that is invalid for any issuer is refused while the resolver fails.
#[tokio::test]
async fn a_bad_token_is_refused_without_a_resolver() {
    let world = World::new(By::Host);
    world.customers.set_fault(Some(Fault::Fails));
    let servers = world.start().await;
    let acme = || world.acme.token().audience(API);
    for (code, token) in [
        ("algorithm_unsupported", acme().unsigned().mint()),
        ("algorithm_unsupported", acme().symmetric().mint()),
        ("token_malformed", acme().raw_payload("{").mint()),
        ("token_malformed", "a.b.c".to_owned()),
        ("issuer_mismatch", acme().without("iss").mint()),
        ("claims_invalid", acme().claim("iss", [1]).mint()),
    ] {
        for answer in servers.send("/token", &["acme.api.test"], &token, &[]).await {
            assert_eq!(answer.status, 401, "{answer:?}");
            assert!(answer.body.contains(code), "{answer:?}");
        }
    }
    assert_eq!(world.customers.resolved(), 0);
}

/// The token may be valid, so the response is 503 whatever fails in the resolver, and 200 after its recovery.
#[tokio::test]
async fn a_failing_resolver_is_503_and_leaks_nothing() {
    for fault in [Fault::Fails, Fault::PanicsInKey, Fault::PanicsInResolve, Fault::Hangs] {
        let world = World::new(By::Host);
        world.customers.set_fault(Some(fault));
        let servers = world.start().await;
        let token = token(&world.acme);
        let authorization = format!("Bearer {token}");
        let lines = [("authorization", authorization.as_bytes())];
        // One server after the other: a call that hangs lets time pass for all of them.
        let mut answers = Vec::new();
        for (server, address) in servers.0 {
            for path in ["/token", "/maybe", "/layer"] {
                let request = format!("GET {path}");
                let answer = send(address, &request, "host: acme.api.test\r\n", &lines).await;
                let case = format!("{fault:?} {server} {path}: {answer:?}");
                check_unavailable(&answer, &case);
                for text in ["customers.internal", "hunter2", "panick", "resolver", "too long"] {
                    assert!(!format!("{answer:?}").contains(text), "{case}");
                }
                assert_eq!(answer, *answers.first().unwrap_or(&answer), "{case}");
                answers.push(answer);
            }
        }
        let dropped = if fault == Fault::Hangs { 3 } else { 0 };
        assert_eq!(world.customers.dropped(), dropped, "{fault:?}");
        // Once at each server, and then not for a second. A panic in `key` comes before `resolve`.
        let resolved = if fault == Fault::PanicsInKey { 0 } else { 3 };
        assert_eq!(world.customers.resolved(), resolved, "{fault:?}");
        for (server, address) in servers.0 {
            let anonymous = send(address, "GET /maybe", "host: acme.api.test\r\n", &[]).await;
            assert_eq!(
                (anonymous.status, &*anonymous.body),
                (200, "anonymous"),
                "{server}: without a token, no issuers are needed"
            );
        }

        world.customers.set_fault(None);
        world.acme.clock().advance(Duration::from_secs(2));
        servers.at("acme.api.test", &token, Accepted).await;
        servers.at("globex.api.test", &token, Untrusted).await;
    }
}

/// To a client all outages look alike: only the code names the cause.
#[tokio::test]
async fn a_failing_resolver_looks_like_a_failing_issuer() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    let token = token(&world.acme);
    world.acme.fail(Failure::Unreachable);
    let keys = servers.send("/token", &["acme.api.test"], &token, &[]).await;
    world.customers.set_fault(Some(Fault::Fails));
    let issuers = servers.send("/token", &["acme2.api.test"], &token, &[]).await;
    for (keys, issuers) in keys.into_iter().zip(issuers) {
        assert_eq!(keys.status, issuers.status);
        assert_eq!(keys.body.replace("keys_unavailable", "issuers_unavailable"), issuers.body);
        let others = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.retain(|(name, _)| name != "content-length");
            headers
        };
        assert_eq!(others(&keys), others(&issuers));
        check_unavailable(&issuers, "the resolver fails");
    }
}
