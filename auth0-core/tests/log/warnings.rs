//! Settings about which the log warns.
use crate::{
    capture::Log,
    common::{Request, verdict},
};
use auth0_core::{Auth0, Revocations, revocation::Revocation};
use auth0_testing::Tenant;
use std::time::Duration;

#[test]
fn each_start_names_the_hosts_over_plain_http() {
    let log = Log::listen();
    let build = |hosts: &[&str]| {
        let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
        let built = builder.allow_http_hosts(hosts.iter().copied()).build();
        let mut lines = log.take();
        lines.retain(|line| line.starts_with("WARN|"));
        (built.is_ok(), lines)
    };
    assert_eq!(build(&[]), (true, vec![]));
    for _start in 0..2 {
        let (_, lines) = build(&["keycloak", "auth0"]);
        let [line] = &*lines else { panic!("one line: {lines:?}") };
        for part in ["WARN|", "hosts=auth0,keycloak|", "AUTH0_ALLOW_HTTP_HOSTS"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    assert_eq!(build(&["*"]), (false, vec![]));
}

#[tokio::test]
async fn trusted_proxies_without_a_peer_are_reported_once() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let warnings = || {
        let lines = log.take().into_iter();
        lines.filter(|line| line.starts_with("WARN|")).collect::<Vec<_>>()
    };
    let text = tenant.token().mint();
    let request = || Request::to("api.test").authorized("Bearer", &text);
    let with_proxies = || tenant.builder().trusted_proxies(["10.0.0.7"]).build().unwrap();

    for _verifier in 0..2 {
        let auth = with_proxies();
        request().from("192.0.2.1").authenticate(&auth).await.unwrap();
        // A token without a request has no peer.
        assert_eq!(verdict(&auth, &tenant.token().subject("b").mint()).await, None);
        assert!(warnings().is_empty(), "the peer is known");
        let other = tenant.token().subject("c").mint();
        for text in [&other, "no token", &other] {
            let _ = Request::to("api.test").authorized("Bearer", text).authenticate(&auth).await;
        }
        let lines = warnings();
        let [line] = &*lines else { panic!("one line: {lines:?}") };
        for part in ["AUTH0_TRUSTED_PROXIES", "into_make_service_with_connect_info", "Connection"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    request().authenticate(&tenant.auth0()).await.unwrap();
    assert!(warnings().is_empty(), "no proxies are trusted");
}

/// Revocations that have no effect, or that are kept for too short, are reported once.
#[tokio::test]
async fn revocations_without_effect() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let revocations =
        Revocations::in_memory().capacity(10).max_token_lifetime(Duration::from_secs(3600));
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    let say = |text: &str, expected: usize| {
        let lines = log.take();
        let count = lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(count, expected, "{text}: {lines:?}");
    };
    for subject in ["auth0|1", "auth0|2"] {
        revocations.revoke_subject(tenant.issuer(), subject).await.unwrap();
    }
    say("WARN", 0);
    for subject in ["auth0|1", "auth0|2"] {
        revocations.revoke_subject("https://other.test/", subject).await.unwrap();
    }
    say("a revocation names an issuer that no verifier with these revocations trusts", 1);
    for session in ["s1", "s2"] {
        let revocation = Revocation::session(tenant.issuer(), session);
        revocations.revoke(revocation).await.unwrap();
    }
    say("access tokens do not name their session", 1);
    revocations.revoke_subject(tenant.issuer(), "auth0|3").await.unwrap();
    say("there is little room for further revocations", 0);
    for subject in ["auth0|4", "auth0|5"] {
        revocations.revoke_subject(tenant.issuer(), subject).await.unwrap();
    }
    say("there is little room for further revocations", 1);
    let token =
        |seconds| tenant.token().subject("auth0|6").expires_in(Duration::from_secs(seconds));
    auth.verify(&token(3600).mint()).await.unwrap();
    say("lives longer than Revocations::max_token_lifetime", 0);
    for _ in 0..2 {
        auth.verify(&token(7200).mint()).await.unwrap();
    }
    say("lives longer than Revocations::max_token_lifetime", 1);
}
