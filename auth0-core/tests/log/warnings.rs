//! Settings about which the log warns.
use crate::{
    capture::Log,
    common::{Request, verdict},
};
use auth0_core::Auth0;
use auth0_testing::Tenant;

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
