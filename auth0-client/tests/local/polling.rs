//! A user who approves on another device: the device flow, and CIBA.
use crate::kit::{
    API, SECOND, SECRET, Wire, acme, advance, authorization_details, builder, claims,
};
use auth0_client::{Client, Error, ErrorKind, Tokens};
use auth0_core::time::Clock;
use auth0_local::{Client as Registered, Endpoint, Fault, LocalTenant};
use serde_json::json;
use std::time::Duration;

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CIBA: &str = "urn:openid:params:grant-type:ciba";

struct World {
    tenant: LocalTenant,
    wire: Wire,
    tv: Client,
    shop: Client,
}

async fn start() -> World {
    let tenant = acme()
        .client(Registered::public("tv").grant_types([DEVICE]))
        .client(Registered::confidential("shop", SECRET).grant_types([DEVICE, CIBA]))
        .start()
        .await
        .unwrap();
    let wire = Wire::new();
    let tv = builder(&tenant, "tv").public().http_client(wire.clone()).build().unwrap();
    let shop = builder(&tenant, "shop").client_secret(SECRET).http_client(wire.clone());
    let shop = shop.build().unwrap();
    World { tenant, wire, tv, shop }
}

impl World {
    fn now(&self) -> Duration {
        self.tenant.tenant().clock().monotonic()
    }

    fn polls(&self) -> u64 {
        let requests = self.tenant.token_requests();
        requests.of(DEVICE) + requests.of(CIBA)
    }

    async fn run<F: Future<Output = Result<Tokens, Error>>>(&self, wait: F) -> F::Output {
        self.wire.run(&self.tenant, wait).await
    }

    /// Runs a wait, and decides after so many polls.
    async fn decided(
        &self,
        wait: impl Future<Output = Result<Tokens, Error>>,
        polls: u64,
        decide: impl FnOnce(),
    ) -> Result<Tokens, Error> {
        let before = self.polls();
        let decided = async {
            while self.polls() < before + polls {
                tokio::task::yield_now().await;
            }
            decide();
        };
        tokio::join!(self.run(wait), decided).0
    }
}

#[tokio::test]
async fn a_device_that_is_approved_denied_or_forgotten() {
    let world = start().await;
    for client in [&world.tv, &world.shop] {
        let start = || async {
            client.device().audience(API).scopes(["openid", "read:messages"]).start().await.unwrap()
        };
        let login = start().await;
        assert!(login.verification_uri_complete().unwrap().contains(login.user_code()));
        assert!(login.verification_uri().starts_with(world.tenant.issuer()));
        let (before, polls) = (world.now(), world.polls());
        let code = login.user_code().to_owned();
        let approve = || world.tenant.approve_as(&code, "auth0|bob").unwrap();
        let tokens = world.decided(login.wait(), 2, approve).await.unwrap();
        assert_eq!(claims(&world.tenant, tokens.access_token().encoded())["sub"], "auth0|bob");
        assert_eq!(claims(&world.tenant, tokens.id_token().unwrap())["sub"], "auth0|bob");
        assert_eq!(world.polls(), polls + 3);
        let passed = world.now() - before;
        assert!((15..=21).contains(&passed.as_secs()), "5 seconds between polls: {passed:?}");

        let login = start().await;
        let code = login.user_code().to_owned();
        let deny = || world.tenant.deny(&code).unwrap();
        let error = world.decided(login.wait(), 1, deny).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Denied, Some(403)), "{error}");

        let login = start().await;
        let before = world.now();
        let error = world.run(login.wait()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Expired, "{error}");
        let passed = world.now() - before;
        assert!((895..=915).contains(&passed.as_secs()), "{passed:?}");
    }
}

#[tokio::test]
async fn a_device_whose_network_fails() {
    let world = start().await;
    for (fault, polls) in [
        (Fault::status(503).unwrap().times(2).unwrap(), 3),
        (Fault::reset().times(2).unwrap(), 3),
        (Fault::html_with_status(502).unwrap().times(2).unwrap(), 3),
        (Fault::rate_limited(30 * SECOND).times(1).unwrap(), 2),
    ] {
        let login = world.tv.device().scopes(["openid"]).start().await.unwrap();
        world.tenant.approve(login.user_code()).unwrap();
        let before = world.polls();
        world.tenant.set_fault(Endpoint::Token, fault);
        world.run(login.wait()).await.unwrap();
        assert_eq!(world.polls(), before + polls, "{fault}");
    }
    // The tokens were issued, and are lost.
    let login = world.tv.device().scopes(["openid"]).start().await.unwrap();
    world.tenant.approve(login.user_code()).unwrap();
    world.tenant.set_fault(Endpoint::Token, Fault::lost().times(1).unwrap());
    let error = world.run(login.wait()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "the code was used: {error}");

    for (fault, kind) in [
        (Fault::status(500).unwrap(), ErrorKind::Unavailable),
        (Fault::rate_limited(7 * SECOND), ErrorKind::Throttled),
        (Fault::empty(), ErrorKind::Malformed),
    ] {
        world.tenant.set_fault(Endpoint::Device, fault);
        let before = world.tenant.stats().device.total();
        let error = world.tv.device().start().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(world.tenant.stats().device.total(), before + 1, "{fault}: sent once");
    }
}

#[tokio::test]
async fn a_user_whose_phone_asks() {
    let world = start().await;
    let start = || async {
        let request = world.shop.backchannel("auth0|bob", "Pay 25.00: Hanna, #7").audience(API);
        let details = json!([{ "type": "payment", "amount": "25.00" }]);
        request.scopes(["read:messages"]).authorization_details(&details).start().await.unwrap()
    };
    let pending = start().await;
    let asked = world.tenant.pending_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].user.as_deref(), Some("auth0|bob"));
    assert_eq!(asked[0].binding_message.as_deref(), Some("Pay 25.00: Hanna, #7"));
    assert!(asked[0].scopes.contains(&"openid".to_owned()));
    let approve = || world.tenant.approve(&asked[0].id).unwrap();
    let tokens = world.decided(pending.wait(), 2, approve).await.unwrap();
    assert_eq!(claims(&world.tenant, tokens.access_token().encoded())["sub"], "auth0|bob");
    assert_eq!(
        authorization_details(&tokens),
        serde_json::json!([{ "type": "payment", "amount": "25.00" }])
    );

    let pending = start().await;
    let asked = world.tenant.pending_requests();
    let deny = || world.tenant.deny(&asked[0].id).unwrap();
    let error = world.decided(pending.wait(), 1, deny).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    // Auth0 says the same of a user who does not answer.
    let pending = start().await;
    let before = world.now();
    let error = world.run(pending.wait()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::Expired), "{error}");
    let passed = world.now() - before;
    assert!((295..=310).contains(&passed.as_secs()), "{passed:?}");
}

#[tokio::test]
async fn polls_that_are_too_fast() {
    let world = start().await;
    let request = world.shop.backchannel("auth0|ann", "Log in").requested_expiry(60 * SECOND);
    let mut pending = request.start().await.unwrap();
    assert_eq!((pending.interval(), pending.expires_in().as_secs().div_ceil(10)), (5 * SECOND, 6));
    assert_eq!(pending.poll().await.unwrap_err().kind(), ErrorKind::Pending);
    let error = pending.poll().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlowDown, "{error}");
    assert_eq!(error.retry_after(), Some(10 * SECOND));
    assert_eq!(pending.interval(), 10 * SECOND);
    let (before, polls) = (world.now(), world.polls());
    world.tenant.approve(&world.tenant.pending_requests()[0].id).unwrap();
    world.run(pending.wait()).await.unwrap();
    assert_eq!(world.polls(), polls + 1, "the next poll comes after the longer interval");
    assert!(world.now() - before >= 9 * SECOND);
}

#[tokio::test]
async fn a_wait_that_is_dropped() {
    let world = start().await;
    let pending = world.shop.backchannel("auth0|ann", "Log in").start().await.unwrap();
    let waited = world.decided(pending.wait(), 2, || ());
    let waited = tokio::select! {
        biased;
        _ = waited => true,
        () = async {
            while world.polls() < 3 {
                tokio::task::yield_now().await;
            }
        } => false,
    };
    assert!(!waited);
    for _ in 0..10 {
        advance(&world.tenant, 10 * SECOND);
        world.tenant.tenant().settle().await;
    }
    assert_eq!(world.polls(), 3);
}

#[tokio::test]
async fn backchannel_requests_that_are_wrong() {
    let world = start().await;
    for (user, message) in
        [("", "Log in"), ("auth0|ann", " "), ("auth0|ann", "a\nb"), ("auth0|ann", "<b>")]
    {
        let error = world.shop.backchannel(user, message).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{user} {message:?}");
    }
    assert_eq!(world.tenant.stats().backchannel.total(), 0);
    let error = world.shop.backchannel("auth0|gone", "Log in").start().await.unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
    let error = world.tv.backchannel("auth0|ann", "Log in").start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClient, "{error}");
    let longest = "Aa9 +-_.,:#".repeat(6).chars().take(64).collect::<String>();
    world.shop.backchannel("auth0|ann", longest).start().await.unwrap();
}
