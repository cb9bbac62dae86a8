//! A newer token extends a connection, and only one of the same user, client and organization.
use super::sockets::{Client, WARNING, start_both};
use auth0_axum::{Auth0, Dpop, Revocations, revocation::Revocation, testing::Tenant};
use std::time::Duration;
use tokio::time::timeout;

const LIFE: Duration = Duration::from_secs(60);
const LEEWAY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_newer_token_extends_the_connection() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::open(server, &tenant.token().expires_in(LIFE).mint()).await;
        let newer = tenant.token().expires_in(2 * LIFE).mint();
        assert_eq!(client.ask(&format!("renew {newer}")).await, Ok("renewed".to_owned()), "{name}");

        // The end of the first token is past. There was no warning of it.
        tenant.clock().advance(LIFE + LEEWAY);
        assert_eq!(client.ask("a").await, Ok("a".to_owned()), "{name}");
        tenant.clock().advance(LIFE - Duration::from_secs(10) - LEEWAY);
        assert_eq!(client.next().await, Ok(WARNING.to_owned()), "{name}");
        let newest = tenant.token().expires_in(2 * LIFE).mint();
        assert_eq!(
            client.ask(&format!("renew {newest}")).await,
            Ok("renewed".to_owned()),
            "{name}"
        );

        // Each token has one warning.
        tenant.clock().advance(2 * LIFE - Duration::from_secs(10));
        assert_eq!(client.next().await, Ok(WARNING.to_owned()), "{name}");
        tenant.clock().advance(Duration::from_secs(10) + LEEWAY);
        assert!(matches!(client.next().await, Err(Some((4401, _)))), "{name}");
    }
}

#[tokio::test]
async fn the_revocation_of_the_newer_token_ends_the_connection() {
    let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    for (name, server) in start_both(auth).await {
        let token = |id: &str, life| tenant.token().claim("jti", id).expires_in(life).mint();
        let (first, second) = (format!("{name} 1"), format!("{name} 2"));
        let mut client = Client::open(server, &token(&first, 60 * LIFE)).await;
        let renewal = format!("renew {}", token(&second, 120 * LIFE));
        assert_eq!(client.ask(&renewal).await, Ok("renewed".to_owned()), "{name}");
        revocations.revoke(Revocation::token(tenant.issuer(), second)).await.unwrap();
        let end = timeout(Duration::from_secs(20), client.next()).await;
        assert!(matches!(end, Ok(Err(Some((4401, _))))), "{name}: {end:?}");
    }
}

#[tokio::test]
async fn another_token_is_refused_and_the_old_end_remains() {
    let (tenant, other) = (Tenant::new(), Tenant::named("other"));
    let auth = tenant.builder_with([&other]).issuer(tenant.issuer()).issuer(other.issuer());
    let auth = auth.audience(tenant.audience()).build().unwrap();
    for (name, server) in start_both(auth).await {
        let ann = || tenant.token().client("c1").organization("org_1", "one").scope("a");
        let later = || ann().expires_in(5 * LIFE);
        let token = ann().expires_in(LIFE).mint();
        let mut client = Client::open(server, &token).await;
        let cases = [
            ("renewal_refused", token.clone()),
            ("renewal_refused", ann().expires_in(LIFE - LEEWAY).mint()),
            ("renewal_refused", later().subject("auth0|bob").mint()),
            ("renewal_refused", later().client("c2").mint()),
            ("renewal_refused", later().organization("org_2", "one").mint()),
            ("renewal_refused", later().without("org_id").without("org_name").mint()),
            (
                "renewal_refused",
                other
                    .token()
                    .client("c1")
                    .organization("org_1", "one")
                    .scope("a")
                    .audience(tenant.audience())
                    .expires_in(5 * LIFE)
                    .mint(),
            ),
            ("insufficient_scope", later().scope("b").mint()),
            ("signature_invalid", later().broken_signature().mint()),
            ("token_expired", later().expired().mint()),
            ("audience_mismatch", later().audience("https://other.test").mint()),
            ("token_binding_mismatch", later().bound_to(&tenant.client_key()).mint()),
            ("token_malformed", "no.token.here".to_owned()),
        ];
        for (code, token) in &cases {
            let answer = client.ask(&format!("renew {token}")).await;
            assert_eq!(answer.as_deref(), Ok(*code), "{name}");
        }
        tenant.clock().advance(LIFE - Duration::from_secs(10));
        assert_eq!(client.next().await, Ok(WARNING.to_owned()), "{name}");
        tenant.clock().advance(Duration::from_secs(10) + LEEWAY);
        assert!(matches!(client.next().await, Err(Some((4401, _)))), "{name}");
    }
}

/// The client has proven its key when the connection was opened: a newer token must be bound to the same.
#[tokio::test]
async fn a_bound_token_is_renewed_by_one_for_the_same_key() {
    let tenant = Tenant::new();
    let auth: Auth0 = tenant.builder().dpop(Dpop::required()).build().unwrap();
    let key = tenant.client_key();
    let bound = |life| tenant.token().bound_to(&key).expires_in(life);
    let (token, url) = (bound(LIFE).mint(), "https://api.test/sockets");
    let proof = tenant.proof("GET", url).key(&key).for_token(&token).mint();
    let request = auth0_axum::auth0_core::adapter::RequestView::new();
    let header = format!("DPoP {token}");
    let parts = Parts;
    let request =
        request.authorization([header.as_bytes()]).proof([proof.as_bytes()]).parts(&parts);
    let opened = auth.authenticate(&request).await.unwrap();
    let lease = auth.lease(&opened);

    let other_key =
        auth0_axum::testing::SigningKey::generate(auth0_axum::Algorithm::ES256).unwrap();
    for refused in [
        tenant.token().expires_in(2 * LIFE).mint(),
        tenant.token().bound_to(&other_key).expires_in(2 * LIFE).mint(),
    ] {
        let error = lease.renew(&refused).await.unwrap_err();
        assert_eq!(error.code().as_str(), "token_binding_mismatch");
    }
    lease.renew(&bound(2 * LIFE).mint()).await.unwrap();
    tenant.clock().advance(LIFE + LEEWAY);
    assert!(!lease.has_ended());
}

struct Parts;

impl auth0_axum::auth0_core::adapter::HttpParts for Parts {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/sockets"
    }

    fn scheme(&self) -> Option<&str> {
        Some("https")
    }

    fn authority(&self) -> Option<&str> {
        Some("api.test")
    }

    fn header(&self, _: &str) -> auth0_axum::auth0_core::adapter::HeaderLines<'_> {
        auth0_axum::auth0_core::adapter::HeaderLines::Absent
    }

    fn connection(&self) -> auth0_axum::Connection {
        auth0_axum::Connection::default()
    }
}

/// A lease that has ended stays so, although the clock is set back and a good token comes.
#[tokio::test]
async fn an_ended_lease_is_not_renewed() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = auth.verify(&tenant.token().expires_in(LIFE).mint()).await.unwrap();
    let lease = auth.lease(&token);
    let newer = tenant.token().expires_in(3 * LIFE).mint();
    tenant.clock().advance(LIFE + LEEWAY);
    lease.ended().await;
    tenant.clock().set_back(2 * LEEWAY);
    let error = lease.renew(&newer).await.unwrap_err();
    assert_eq!(error.code().as_str(), "renewal_refused");
    assert!(lease.has_ended());
}

/// Of two renewals at one time, the one that ends later counts, whichever is verified last.
#[tokio::test]
async fn renewals_at_one_time_never_shorten_the_lease() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = auth.verify(&tenant.token().expires_in(LIFE).mint()).await.unwrap();
    for _ in 0..50 {
        let lease = auth.lease(&token);
        let tokens: Vec<_> =
            (2..8).map(|times| tenant.token().expires_in(times * LIFE).mint()).collect();
        let renewals = tokens.into_iter().map(|token| {
            let lease = lease.clone();
            tokio::spawn(async move { lease.renew(&token).await.is_ok() })
        });
        for renewal in renewals.collect::<Vec<_>>() {
            renewal.await.unwrap();
        }
        let left = lease.token().expires_at().duration_since(token.expires_at()).unwrap();
        assert_eq!(left, 6 * LIFE);
    }
}
