//! Errors of the application's own code, which can quote anything and can be long; and a clock that is not set.
use crate::{
    capture::Log,
    common::Request,
    content::{NASTY, assert_harmless},
};
use auth0_core::{
    Auth0, BoxFuture, Dpop, ErrorCode, TrustedIssuer,
    dpop::{Insertion, ReplayEntry, ReplayStore, ReplayStoreError},
    resolver::{IssuerResolver, ResolverContext},
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::{ManualClock, Tenant};
use std::{error::Error as StdError, time::Duration};

/// Fails with this text, wherever it is called.
#[derive(Clone, Debug)]
struct Failing(String);

impl ReplayStore for Failing {
    fn insert(&self, _: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(async { Err(ReplayStoreError::new(&*self.0)) })
    }
}

impl HttpClient for Failing {
    fn send<'a>(&'a self, _: HttpRequest<'a>) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async { Err(HttpError::new(&*self.0)) })
    }
}

impl IssuerResolver for Failing {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn StdError + Send + Sync>> {
        Err(self.0.clone().into())
    }
}

/// Returns verifiers whose parts fail with this text.
fn failing(tenant: &Tenant, text: &str) -> [Auth0; 3] {
    let failing = Failing(text.to_owned());
    [
        tenant.builder().dpop(Dpop::allowed().replay_store(failing.clone())),
        tenant.builder().http_client(failing.clone()),
        tenant.builder_with([]).issuer_resolver(failing),
    ]
    .map(|builder| builder.build().unwrap())
}

#[tokio::test]
async fn errors_of_the_application_are_logged_escaped_and_cut() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let long = format!("an error {}", "\n".repeat(5000));
    for text in NASTY.into_iter().chain([&*long]) {
        for auth in failing(&tenant, text) {
            let proof = tenant.proof("GET", "https://api.test/me").for_token(&token).mint();
            let request = Request::http2("https", "api.test")
                .authorized("DPoP", &token)
                .with("dpop", proof.as_bytes());
            let error = request.authenticate(&auth).await.unwrap_err();
            assert_eq!(error.status(), 503, "{error:?}");
            let lines = log.take();
            assert!(lines.iter().any(|line| line.contains("cause=")), "{lines:?}");
            for line in lines {
                assert_harmless(&line);
                assert!(line.len() < 4000, "{} bytes", line.len());
            }
        }
    }
    let [auth, ..] = failing(&tenant, "pool timed out: it's \"orders\"");
    let proof = tenant.proof("GET", "https://api.test/me").for_token(&token).mint();
    let request = Request::http2("https", "api.test").authorized("DPoP", &token);
    let error = request.with("dpop", proof.as_bytes()).authenticate(&auth).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReplayStoreUnavailable);
    let cause = error.cause().unwrap();
    assert!(cause.starts_with("pool timed out: it's \"orders\"; "), "usual text stays: {cause}");
}

#[tokio::test]
async fn a_clock_that_is_not_set_is_an_error_once_a_minute() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let clock = ManualClock::at(Duration::ZERO);
    let auth = tenant.builder().clock(clock.clone()).build().unwrap();
    let mut errors = Vec::new();
    for _ in 0..130 {
        auth.verify(&tenant.token().mint()).await.unwrap_err();
        clock.advance(Duration::from_secs(1));
        let is_error = |line: &String| line.starts_with("ERROR|");
        errors.extend(log.take().into_iter().filter(is_error));
    }
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].contains("clock"), "{errors:?}");
}
