//! Custom token exchange.
use crate::kit::{API, DOWN, SECOND, acme, advance, claims, client};
use auth0_client::{Client, ErrorKind};
use auth0_local::{LocalTenant, TokenExchangeProfile};
use serde_json::json;

const LEGACY: &str = "urn:acme:legacy";

async fn start() -> (LocalTenant, Client) {
    let profile = TokenExchangeProfile::new(LEGACY)
        .subject_token("of ann", "auth0|ann")
        .subject_token("of bob", "auth0|bob")
        .actor_token("of the agent", "agent-7");
    let tenant = acme().token_exchange_profile(profile).start().await.unwrap();
    let client = client(&tenant, "service");
    (tenant, client)
}

#[tokio::test]
async fn a_token_of_another_system() {
    let (tenant, client) = start().await;
    let send = async |subject: &str, scope: &str| {
        let request = client.exchange(LEGACY, subject).audience(API).scopes([scope]);
        request.send().await.unwrap()
    };
    for _ in 0..3 {
        let (ann, bob) =
            tokio::join!(send("of ann", "openid email"), send("of bob", "openid email"));
        for (tokens, user, email) in
            [(&ann, "auth0|ann", "ann@acme.com"), (&bob, "auth0|bob", "bob@acme.com")]
        {
            assert_eq!(claims(&tenant, tokens.access_token().encoded())["sub"], user);
            let id_token = claims(&tenant, tokens.id_token().unwrap());
            assert_eq!((&id_token["sub"], &id_token["email"]), (&json!(user), &json!(email)));
            assert!(tokens.refresh_token().is_none());
        }
    }
    assert_eq!(tenant.token_requests().total(), 2);
    // A refresh token belongs to one session, so each call has its own.
    let first = send("of ann", "offline_access").await;
    let second = send("of ann", "offline_access").await;
    assert!(first.refresh_token().is_some());
    assert_ne!(first.refresh_token(), second.refresh_token());
    assert_eq!(tenant.token_requests().total(), 4);
    let refreshed = client.refresh(first.refresh_token().unwrap()).send().await.unwrap();
    assert_eq!(claims(&tenant, refreshed.access_token().encoded())["sub"], "auth0|ann");
}

#[tokio::test]
async fn an_actor_and_an_organization() {
    let (tenant, client) = start().await;
    let request = client
        .exchange(LEGACY, "of ann")
        .audience(DOWN)
        .scopes(["read:a offline_access"])
        .organization("org_acme")
        .actor("of the agent", "urn:acme:agent");
    let tokens = request.send().await.unwrap();
    let payload = claims(&tenant, tokens.access_token().encoded());
    assert_eq!(
        (&payload["act"], &payload["org_id"]),
        (&json!({ "sub": "agent-7" }), &json!("org_acme"))
    );
    assert!(tokens.refresh_token().is_none(), "none with an actor");
    assert!(!tokens.access_token().has_scope("offline_access"));

    let request = client.exchange(LEGACY, "of bob").audience(DOWN).organization("org_acme");
    let error = request.send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Denied, Some(403)), "{error}");
    let request = client.exchange(LEGACY, "of ann").actor("of another", "urn:acme:agent");
    let error = request.send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Misconfigured, Some(400)), "{error}");
}

#[tokio::test]
async fn a_session_transfer_token_is_never_kept() {
    let (tenant, client) = start().await;
    let domain = tenant.issuer().trim_start_matches("http://").trim_end_matches('/');
    let send = async || {
        let request = client.exchange(LEGACY, "of bob");
        request.audience(format!("urn:{domain}:session_transfer")).send().await.unwrap()
    };
    let tokens = send().await;
    let kind = "urn:auth0:params:oauth:token-type:session_transfer_token";
    assert_eq!(tokens.issued_token_type(), Some(kind));
    assert_eq!(tokens.expires_in(), Some(60 * SECOND));
    let other = send().await;
    assert_ne!(tokens.access_token().encoded(), other.access_token().encoded());
    // It logs the user in.
    let login = crate::browser::login(&tenant, "web", "auth0|ann", "openid");
    let login = format!("{login}&session_transfer_token={}", tokens.access_token().encoded());
    let code = crate::browser::open(&login).await["code"].clone();
    let web = crate::kit::client(&tenant, "web");
    let tokens = crate::browser::exchange(&web, &code).await;
    assert_eq!(claims(&tenant, tokens.id_token().unwrap())["sub"], "auth0|bob");
}

#[tokio::test]
async fn what_is_refused_before_it_is_sent() {
    let (tenant, client) = start().await;
    let request = |kind: &str, subject: &str| client.exchange(kind, subject).audience(API);
    for (request, about) in [
        (request(LEGACY, ""), "empty"),
        (request(LEGACY, " of ann"), "spaces"),
        (request(LEGACY, "Bearer of ann"), "Bearer"),
        (request("urn:ietf:params:oauth:token-type:jwt", "a"), "reserved"),
        (request("URN:Auth0:x", "a"), "reserved"),
        (request("legacy", "a"), "URI"),
        (request(LEGACY, "a").actor("", "urn:acme:agent"), "actor"),
        (request(LEGACY, "a").actor("a", ""), "actor"),
        (request(LEGACY, "a").parameter("grant_type", "password"), "grant_type"),
        (request(LEGACY, "a").parameter("refresh_token", "x"), "refresh_token"),
        (request(LEGACY, "a").organization(" "), "organization"),
        (request(LEGACY, "a").scopes(["a\"b"]), "scope"),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{about}");
        assert!(error.to_string().contains(about), "{error}");
    }
    assert_eq!(tenant.token_requests().total(), 0);
    for (request, kind) in [
        (request("urn:acme:other", "a"), ErrorKind::Misconfigured),
        (request(LEGACY, "of no user"), ErrorKind::Misconfigured),
        (request(LEGACY, "of ann").audience("https://unknown.test"), ErrorKind::Denied),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(tenant.token_requests().total(), 3, "each is sent once");
}

/// The tokens are kept until the subject token ends, if that is a JWT.
#[tokio::test]
async fn the_subject_token_ends_what_is_kept() {
    let resolve = |token: &str| (token.split('.').count() == 3).then(|| "auth0|ann".to_owned());
    let profile = TokenExchangeProfile::new(LEGACY).subject_tokens_of(resolve);
    let tenant = acme().token_exchange_profile(profile).start().await.unwrap();
    let client = client(&tenant, "service");
    let subject = tenant.token().expires_in(120 * SECOND).mint();
    let send = async || client.exchange(LEGACY, &subject).audience(API).send().await.unwrap();
    let tokens = send().await;
    let life = tokens.expires_in().unwrap();
    assert!(life <= 120 * SECOND && life > 100 * SECOND, "{life:?}");
    send().await;
    assert_eq!(tenant.token_requests().total(), 1);
    advance(&tenant, 121 * SECOND);
    send().await;
    assert_eq!(tenant.token_requests().total(), 2);
}
