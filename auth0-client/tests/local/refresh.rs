//! Sessions: refresh tokens, their rotation and their end.
use crate::{
    browser::log_in,
    kit::{API, DOWN, SECOND, Wire, acme, builder, claims, client},
};
use auth0_client::{Client, ErrorKind};
use auth0_local::{Client as Registered, Endpoint, Fault, LocalTenant, Throttle};
use std::time::Duration;

const SCOPE: &str = "openid offline_access read:messages";

async fn start() -> (LocalTenant, Client) {
    let tenant = acme().start().await.unwrap();
    let web = client(&tenant, "web");
    (tenant, web)
}

fn refreshes(tenant: &LocalTenant) -> u64 {
    tenant.token_requests().of("refresh_token")
}

#[tokio::test]
async fn each_refresh_has_the_next_token() {
    let (tenant, web) = start().await;
    let mut tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    for _ in 0..3 {
        let before = tokens.refresh_token().unwrap().to_owned();
        tokens = web.refresh(&before).send().await.unwrap();
        assert_ne!(tokens.refresh_token(), Some(&*before));
        assert_eq!(claims(&tenant, tokens.access_token().encoded())["sub"], "auth0|ann");
        let id_token = claims(&tenant, tokens.id_token().unwrap());
        assert!(id_token.get("sid").is_none(), "as with Auth0");
    }
    let narrow = web.refresh(tokens.refresh_token().unwrap()).scopes(["read:messages"]);
    let narrow = narrow.send().await.unwrap();
    assert_eq!(narrow.access_token().scopes().collect::<Vec<_>>(), ["read:messages"]);
    // Without rotation, the token that was used stays.
    let tenant = acme().without_refresh_token_rotation().start().await.unwrap();
    let web = client(&tenant, "web");
    let tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    let again = web.refresh(tokens.refresh_token().unwrap()).send().await.unwrap();
    assert_eq!(again.refresh_token(), tokens.refresh_token());
}

#[tokio::test]
async fn one_token_for_several_apis() {
    let many = Registered::confidential("many", crate::kit::SECRET)
        .callback(crate::kit::CALLBACK)
        .multi_resource_refresh_tokens();
    let tenant = acme().client(many).start().await.unwrap();
    let many = client(&tenant, "many");
    let mut tokens = log_in(&tenant, &many, "auth0|ann", SCOPE).await;
    for (api, scope) in [(DOWN, "read:a"), (API, "read:messages"), (DOWN, "read:b")] {
        let refresh = many.refresh(tokens.refresh_token().unwrap());
        tokens = refresh.audience(api).scopes([scope]).send().await.unwrap();
        let payload = claims(&tenant, tokens.access_token().encoded());
        assert!(payload["aud"].to_string().contains(api), "{payload}");
        assert!(tokens.access_token().has_scope(scope), "{tokens:?}");
    }
}

/// A second use ends the family, so the session of a client that never makes one lives.
#[tokio::test]
async fn the_second_use_of_a_token_ends_the_session() {
    let (tenant, web) = start().await;
    let first = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    let second = web.refresh(first.refresh_token().unwrap()).send().await.unwrap();
    for token in [&first, &second] {
        let error = web.refresh(token.refresh_token().unwrap()).send().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidGrant, Some("invalid_grant")));
        assert_eq!(error.reply().status(), 401);
    }
}

/// Whatever happens to the connection after the request was sent: the client sends it once.
#[tokio::test]
async fn the_client_never_uses_a_token_twice() {
    let (tenant, _) = start().await;
    let wire = Wire::new();
    let web = builder(&tenant, "web").client_secret(crate::kit::SECRET).http_client(wire.clone());
    let web = web.build().unwrap();
    for (fault, kind) in [
        (Fault::reset(), ErrorKind::Unavailable),
        (Fault::status(500).unwrap(), ErrorKind::Unavailable),
        (Fault::status(503).unwrap(), ErrorKind::Unavailable),
        (Fault::empty_with_status(502).unwrap(), ErrorKind::Unavailable),
        (Fault::html_with_status(504).unwrap(), ErrorKind::Unavailable),
        (Fault::garbage(), ErrorKind::Malformed),
        (Fault::wrong(), ErrorKind::Malformed),
        (Fault::empty(), ErrorKind::Malformed),
        (Fault::html(), ErrorKind::Malformed),
        (Fault::redirect(), ErrorKind::Malformed),
        (Fault::huge(), ErrorKind::Malformed),
    ] {
        let tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
        let token = tokens.refresh_token().unwrap();
        tenant.set_fault(Endpoint::Token, fault);
        let before = refreshes(&tenant);
        let error = wire.run(&tenant, web.refresh(token).send()).await.unwrap_err();
        tenant.clear_faults();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        assert_eq!(refreshes(&tenant), before + 1, "{fault}: sent once");
        // The request had no effect, so the session lives.
        web.refresh(token).send().await.unwrap();
    }
    assert_eq!(tenant.stats().redirect_target, 0, "no redirect is followed");
}

/// The tenant has rotated the token, and its answer is lost: nothing can save this session but the overlap that the
/// tenant may allow. What the client must not do is to end it by itself.
#[tokio::test]
async fn an_answer_that_is_lost() {
    for interval in [0, 30] {
        let tenant = acme()
            .refresh_token_reuse_interval(Duration::from_secs(interval))
            .start()
            .await
            .unwrap();
        let web = client(&tenant, "web");
        let tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
        let token = tokens.refresh_token().unwrap();
        tenant.set_fault(Endpoint::Token, Fault::lost());
        let error = web.refresh(token).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(refreshes(&tenant), 1, "it is not repeated");
        tenant.clear_faults();
        // The application decides: within the overlap, it works.
        assert_eq!(web.refresh(token).send().await.is_ok(), interval > 0);
    }
}

/// A limit has no effect on the token, so the request waits for its end.
#[tokio::test]
async fn a_limit_is_waited_for() {
    let (tenant, _) = start().await;
    let wire = Wire::new();
    let web = builder(&tenant, "web").client_secret(crate::kit::SECRET).http_client(wire.clone());
    let web = web.build().unwrap();
    let tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    let fault = Fault::throttled(Throttle::Policy, 3 * SECOND).times(2).unwrap();
    tenant.set_fault(Endpoint::Token, fault);
    let refresh = web.refresh(tokens.refresh_token().unwrap()).send();
    let tokens = wire.run(&tenant, refresh).await.unwrap();
    assert_eq!(refreshes(&tenant), 3);
    // Not beyond the deadline.
    tenant.set_fault(Endpoint::Token, Fault::throttled(Throttle::Policy, 60 * SECOND));
    let error = web.refresh(tokens.refresh_token().unwrap()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(60 * SECOND)));
    assert_eq!(refreshes(&tenant), 4);
}

#[tokio::test]
async fn a_session_that_is_revoked() {
    let (tenant, web) = start().await;
    let tokens = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    let other = log_in(&tenant, &web, "auth0|ann", SCOPE).await;
    let refresh = tokens.refresh_token().unwrap();
    web.revoke(refresh).send().await.unwrap();
    // Once more, or something else: no error (RFC 7009 §2.2).
    web.revoke(refresh).send().await.unwrap();
    web.revoke("unknown").send().await.unwrap();
    let error = web.refresh(refresh).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant);
    web.refresh(other.refresh_token().unwrap()).send().await.unwrap();
    assert_eq!(web.revoke(" ").send().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    let service = client(&tenant, "service");
    let error = service.revoke(other.refresh_token().unwrap()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "of another client: {error}");
    tenant.set_fault(Endpoint::Revoke, Fault::status(503).unwrap());
    let before = tenant.stats().revoke.total();
    let error = web.revoke("any").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(tenant.stats().revoke.total(), before + 1);
}
