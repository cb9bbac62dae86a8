//! A wall clock that is not set: nothing is accepted, because it is not known what has expired.
use crate::common::Request;
use auth0_core::{
    Auth0, Dpop, Error, ErrorCode, VerifiedToken,
    dpop::ProofVerifier,
    policy::{max_age, scope},
    time::Clock,
};
use auth0_testing::{ManualClock, Tenant, TokenBuilder};
use serde_json::json;
use std::time::Duration;

const YEAR_2000: u64 = 946_684_800;

/// A clock before 1970 reads as zero.
const NOT_SET: [u64; 4] = [0, 1, 3600, YEAR_2000];

fn clock_at(seconds: u64) -> ManualClock {
    ManualClock::at(Duration::from_secs(seconds))
}

fn auth(tenant: &Tenant, clock: ManualClock) -> Auth0 {
    tenant.builder().clock(clock).build().unwrap()
}

/// A token that has expired, and has neither `iat` nor `nbf`.
fn expired(tenant: &Tenant) -> TokenBuilder {
    tenant.token().without("iat").without("nbf").claim("exp", 1_600_000_000)
}

fn check(outcome: Result<VerifiedToken, Error>, name: &str) {
    let error = outcome.expect_err(name);
    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{name}");
    let challenge = error.challenge();
    assert_eq!(challenge.status(), 503);
    let names: Vec<_> = challenge.headers().map(|(name, _)| name).collect();
    assert!(names.contains(&"retry-after") && !names.contains(&"www-authenticate"), "{names:?}");
    assert!(error.cause().unwrap().contains("clock"), "{error:?}");
}

#[tokio::test]
async fn a_clock_that_is_not_set_accepts_nothing() {
    let tenant = Tenant::new();
    for seconds in NOT_SET {
        let auth = auth(&tenant, clock_at(seconds));
        for token in
            [expired(&tenant), tenant.token(), tenant.token().claim("exp", 1).claim("iat", 0)]
        {
            let token = token.mint();
            check(auth.verify(&token).await, "verify");
            let request = Request::to("api.test").authorized("Bearer", &token);
            check(auth.authenticate_now(&request.view()).expect("at once"), "now");
            check(request.authenticate(&auth).await, "authenticate");
        }
        assert_eq!(tenant.fetches().key_set, 0, "nothing is fetched for it");
    }
    let auth = auth(&tenant, clock_at(1_600_000_100));
    let error = auth.verify(&expired(&tenant).mint()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenExpired);
}

/// A clock that loses its time: a token of the cache, and a requirement on the age of the login.
#[tokio::test]
async fn a_clock_that_is_reset_accepts_nothing() {
    let tenant = Tenant::new();
    let clock = clock_at(tenant.clock().unix_time().as_secs());
    let auth = auth(&tenant, clock.clone());
    let text = tenant.token().claim("auth_time", 1_600_000_000).mint();
    let token = auth.verify(&text).await.unwrap();
    assert_eq!(
        auth.authorize(&token, &max_age(300)).unwrap_err().code(),
        ErrorCode::StepUpRequired
    );
    clock.set_back(clock.unix_time());
    check(auth.verify(&text).await, "from the cache");
    let error = auth.authorize(&token, &max_age(300)).unwrap_err();
    assert_eq!((error.code(), error.status()), (ErrorCode::KeysUnavailable, 503));
    let error = auth.authorize(&token, &scope("read:messages")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InsufficientScope, "it needs no time");
}

#[test]
fn a_proof_is_not_accepted_without_a_clock() {
    let tenant = Tenant::new();
    let url = "https://tenant.test/oauth/token";
    for seconds in NOT_SET {
        let verifier = ProofVerifier::new(Dpop::allowed(), clock_at(seconds)).unwrap();
        let proof = tenant.proof("POST", url).claim("iat", json!(seconds)).mint();
        let error = verifier.verify("POST", url, proof.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{seconds}");
    }
}
