//! Proofs at the verifier itself: what a refusal says, and that no second use is ever let through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use auth0_core::{
    AccessToken, Algorithm, Auth0, Connection, Dpop, DpopNonces, Error, ErrorCode, FieldLines,
    HttpParts, RequestView,
    testing::{ProofBuilder, SigningKey, Tenant},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::runtime::Runtime;

const URL: &str = "http://api.test/me";

struct Request;

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/me"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        if name == "host" { FieldLines::One(b"api.test") } else { FieldLines::Absent }
    }

    fn connection(&self) -> Connection {
        Connection::new()
    }
}

/// A client with a token that is bound to its key.
struct Client {
    tenant: Tenant,
    token: String,
}

impl Client {
    fn of(tenant: &Tenant) -> Self {
        let token = tenant.token().bound_to(&tenant.client_key()).mint();
        Self { tenant: tenant.clone(), token }
    }

    fn proof(&self) -> ProofBuilder {
        self.tenant.proof("GET", URL).for_token(&self.token)
    }

    async fn ask(&self, auth: &Auth0, proof: &str) -> Result<AccessToken, Error> {
        let field = format!("DPoP {}", self.token);
        let view = RequestView::new()
            .authorization([field.as_bytes()])
            .proof([proof.as_bytes()])
            .parts(&Request);
        auth.authenticate(&view).await
    }
}

fn lines(error: &Error) -> Vec<String> {
    let challenge = error.challenge();
    let lines = challenge.headers().filter(|(name, _)| *name == "www-authenticate");
    lines.map(|(_, line)| line.split(", error_description").next().unwrap().to_owned()).collect()
}

/// Whoever refuses after the token was verified: the error stands on the line of the scheme that the
/// client used.
#[tokio::test]
async fn what_the_application_refuses_is_told_on_the_line_of_the_scheme() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let token = client.ask(&auth, &client.proof().mint()).await.unwrap();
    #[derive(Debug, serde::Deserialize)]
    struct Claims {
        #[allow(dead_code, reason = "it is missing")]
        roles: Vec<String>,
    }
    for (error, code) in [
        (auth.forbid(&token, "not a member"), "insufficient_scope"),
        (auth.organization_of(&token).unwrap_err(), "insufficient_scope"),
        (auth.with_claims::<Claims>(&token).unwrap_err(), "invalid_token"),
        (token.with_claims::<Claims>().unwrap_err(), "invalid_token"),
        (token.claim::<u8>("sub").unwrap_err(), "invalid_token"),
    ] {
        assert_eq!(lines(&error), ["Bearer".to_owned(), format!("DPoP error=\"{code}\"")]);
    }
    let token = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(
        lines(&auth.forbid(&token, "not a member")),
        ["Bearer error=\"insufficient_scope\"", "DPoP algs=\"ES256\""]
    );
}

/// Nobody is given a nonce who does not show the token's key.
#[tokio::test]
async fn the_key_is_looked_at_before_the_nonce() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let dpop = Dpop::allowed().nonces(DpopNonces::per_process());
    let auth = tenant.builder().dpop(dpop).build().unwrap();
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    for (proof, code) in [
        (client.proof(), ErrorCode::DpopNonceRequired),
        (client.proof().key(&other), ErrorCode::TokenBindingMismatch),
    ] {
        let error = client.ask(&auth, &proof.mint()).await.unwrap_err();
        assert_eq!(error.code(), code);
        let has_nonce = error.challenge().headers().any(|(name, _)| name == "dpop-nonce");
        assert_eq!(has_nonce, code == ErrorCode::DpopNonceRequired);
    }
}

/// What a proof is refused for does not depend on what the client has sent before.
#[tokio::test]
async fn a_key_that_is_known_is_read_as_strictly_as_a_new_one() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let key = |name: &str, value: serde_json::Value| {
        let mut jwk = tenant.client_key().jwk();
        for name in ["kid", "alg", "use"] {
            jwk.as_object_mut().unwrap().remove(name);
        }
        jwk[name] = value;
        client.proof().header("jwk", jwk).mint()
    };
    for _ in 0..2 {
        for (name, value) in [
            ("use", "enc".into()),
            ("alg", "ES384".into()),
            ("key_ops", serde_json::json!(["sign"])),
            ("kid", 1.into()),
        ] {
            let error = client.ask(&auth, &key(name, value)).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::DpopProofInvalid, "{name}");
        }
        client.ask(&auth, &client.proof().mint()).await.unwrap();
        client.ask(&auth, &key("use", "sig".into())).await.unwrap();
    }
}

/// With the clock set back, proofs that were too old are young again, and still used.
#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_proof() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let used = client.proof().mint();
    client.ask(&auth, &used).await.unwrap();
    tenant.clock().advance(Duration::from_secs(400));
    // So many that one comes by where the first is kept.
    for _ in 0..500 {
        client.ask(&auth, &client.proof().mint()).await.unwrap();
    }
    tenant.clock().set_back(Duration::from_secs(390));
    let error = client.ask(&auth, &used).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofReplayed);
    client.ask(&auth, &client.proof().mint()).await.unwrap();
}

#[test]
fn of_many_uses_at_once_one_is_let_through() {
    let runtime = Runtime::new().unwrap();
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    runtime.block_on(auth.warm_up()).unwrap();
    for _ in 0..50 {
        let proof = client.proof().mint();
        let accepted = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match runtime.block_on(client.ask(&auth, &proof)) {
                    Ok(_) => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => assert_eq!(error.code(), ErrorCode::DpopProofReplayed),
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}
