//! Tokens that are bound to a key, at a tenant that requires nonces of every client.
use crate::kit::{API, DAY, DOWN, SECOND, SECRET, Wire, acme, advance, builder, claims, token_of};
use auth0_client::{Client, ErrorKind, ProofKey};
use auth0_core::dpop::DpopNonces;
use auth0_local::{Builder, Client as Registered, LocalTenant, TokenExchangeProfile};
use serde_json::json;

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CIBA: &str = "urn:openid:params:grant-type:ciba";

/// A tenant with a new nonce each minute.
fn nonces() -> Builder {
    acme().dpop_nonces(DpopNonces::with_secret([7; 32]).lifetime(60 * SECOND))
}

fn bound(tenant: &LocalTenant, id: &str) -> Client {
    let key = ProofKey::generate().unwrap();
    builder(tenant, id).client_secret(SECRET).dpop(key).build().unwrap()
}

fn requests(tenant: &LocalTenant) -> u64 {
    tenant.token_requests().total()
}

#[tokio::test]
async fn the_nonce_of_the_last_answer_is_used() {
    let tenant = nonces().start().await.unwrap();
    let client = bound(&tenant, "service");
    let jkt = json!({ "jkt": client.dpop_thumbprint().unwrap() });
    for (wait, sent, why) in [
        (0, 2, "there is no nonce yet"),
        (0, 1, "the nonce is kept"),
        (60, 1, "the nonce of the last minute is accepted"),
        (60, 1, "the answer had the next one"),
        (600, 2, "it is too old"),
        (0, 1, "the newest is kept"),
    ] {
        advance(&tenant, SECOND * wait);
        let before = requests(&tenant);
        // Another token each time, not that in memory.
        let scope = format!("s{before}");
        let token = client.machine(API).scopes([scope]).build().unwrap().token().await.unwrap();
        assert!(token.is_dpop());
        assert_eq!(claims(&tenant, token.encoded())["cnf"], jkt);
        assert_eq!(requests(&tenant) - before, sent, "{why}");
    }
}

#[tokio::test]
async fn many_requests_with_an_old_nonce() {
    let tenant = nonces().start().await.unwrap();
    let client = bound(&tenant, "service");
    client.machine(API).build().unwrap().token().await.unwrap();
    advance(&tenant, DAY);
    let before = requests(&tenant);
    let tokens: Vec<_> = (0..20)
        .map(|number| {
            let source = client.machine(API).scopes([format!("s{number}")]).build().unwrap();
            tokio::spawn(async move { source.token().await })
        })
        .collect();
    for token in tokens {
        token.await.unwrap().unwrap();
    }
    assert!(requests(&tenant) - before <= 40, "each is repeated at most once");
}

#[tokio::test]
async fn every_grant_repeats_with_the_nonce() {
    let profile = TokenExchangeProfile::new("urn:acme:legacy").subject_token("a", "auth0|ann");
    let tenant = nonces()
        .client(Registered::confidential("shop", SECRET).grant_types([DEVICE, CIBA]))
        .token_exchange_profile(profile)
        .start()
        .await
        .unwrap();
    let wire = Wire::new();
    let client = |id: &str| {
        let client = builder(&tenant, id).client_secret(SECRET).dpop_with_own_key();
        client.http_client(wire.clone()).build().unwrap()
    };
    let stale = || advance(&tenant, 600 * SECOND);

    let web = client("web");
    let tokens = crate::browser::log_in(&tenant, &web, "auth0|ann", "openid offline_access").await;
    assert!(tokens.access_token().is_dpop());
    stale();
    let before = requests(&tenant);
    let tokens = web.refresh(tokens.refresh_token().unwrap()).send().await.unwrap();
    assert_eq!(requests(&tenant) - before, 2, "the refused request had no effect on the token");
    stale();
    web.refresh(tokens.refresh_token().unwrap()).send().await.unwrap();

    let api = client("api");
    let caller = token_of(&tenant, "auth0|ann");
    let token = api.delegation(DOWN).build().unwrap().on_behalf_of(&caller).await.unwrap();
    assert!(token.is_dpop());
    let service = client("service");
    let exchanged = service.exchange("urn:acme:legacy", "a").audience(API).send().await.unwrap();
    assert!(exchanged.access_token().is_dpop());

    let shop = client("shop");
    let login = shop.device().audience(API).start().await.unwrap();
    tenant.approve(login.user_code()).unwrap();
    assert!(wire.run(&tenant, login.wait()).await.unwrap().access_token().is_dpop());
    stale();
    let pending = shop.backchannel("auth0|ann", "Log in").audience(API).start().await.unwrap();
    tenant.approve(&tenant.pending_requests()[0].id).unwrap();
    assert!(wire.run(&tenant, pending.wait()).await.unwrap().access_token().is_dpop());
}

/// Public clients need nonces at any tenant, and their refresh tokens are bound to the key.
#[tokio::test]
async fn a_public_client() {
    let tenant = acme().start().await.unwrap();
    let key = ProofKey::generate().unwrap();
    let spa = |key| builder(&tenant, "spa").public().dpop(key).build().unwrap();
    let own = spa(key.clone());
    let tokens = crate::browser::log_in(&tenant, &own, "auth0|ann", "openid offline_access").await;
    let refresh = tokens.refresh_token().unwrap();
    let error = spa(ProofKey::generate().unwrap()).refresh(refresh).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "another key: {error}");
    let error = builder(&tenant, "spa").public().build().unwrap().refresh(refresh).send().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidGrant, "no key");
    // Another instance with the same key.
    let tokens = spa(key).refresh(refresh).send().await.unwrap();
    assert_eq!(
        claims(&tenant, tokens.access_token().encoded())["cnf"]["jkt"],
        own.dpop_thumbprint().unwrap()
    );
}

/// A tenant without nonces: one request each.
#[tokio::test]
async fn without_nonces() {
    let tenant = acme().without_dpop_nonces().start().await.unwrap();
    let client = bound(&tenant, "service");
    let source = client.machine(API).build().unwrap();
    source.token().await.unwrap();
    assert_eq!(requests(&tenant), 1);
    assert!(tenant.token_requests().last().next().unwrap().has_proof);
    // Clients with other keys do not share tokens.
    let other = bound(&tenant, "service").machine(API).build().unwrap().token().await.unwrap();
    assert_ne!(other.encoded(), source.token().await.unwrap().encoded());
}
