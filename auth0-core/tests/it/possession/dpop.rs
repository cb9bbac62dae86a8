//! Proofs at the verifier: what a refusal says, and that no second use is accepted.
use crate::common::{Request, header, www_authenticate};
use auth0_core::{Algorithm, Auth0, Dpop, Error, ErrorCode, VerifiedToken, dpop::DpopNonces};
use auth0_testing::{ProofBuilder, SigningKey, Tenant};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::runtime::Runtime;

const URL: &str = "http://api.test/me";

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

    async fn send(&self, auth: &Auth0, proof: &str) -> Result<VerifiedToken, Error> {
        let request = Request::to("api.test").authorized("DPoP", &self.token).with("dpop", proof);
        request.authenticate(auth).await
    }
}

/// A refusal after the token was verified stands in the challenge of the scheme that the client used.
#[tokio::test]
async fn a_refusal_of_the_application_stands_in_the_challenge_of_the_scheme() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let token = client.send(&auth, &client.proof().mint()).await.unwrap();
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
        assert_eq!(challenges(&error), ["Bearer".to_owned(), format!("DPoP error=\"{code}\"")]);
    }
    let token = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(
        challenges(&auth.forbid(&token, "not a member")),
        ["Bearer error=\"insufficient_scope\"", "DPoP algs=\"ES256\""]
    );
}

/// Returns the challenges up to their descriptions.
fn challenges(error: &Error) -> Vec<String> {
    let lines = www_authenticate(error).into_iter();
    lines.map(|line| line.split(", error_description").next().unwrap().to_owned()).collect()
}

/// Only a client that holds the key of the token receives a nonce.
#[tokio::test]
async fn the_key_is_checked_before_the_nonce() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let dpop = Dpop::allowed().nonces(DpopNonces::per_process());
    let auth = tenant.builder().dpop(dpop).build().unwrap();
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    for (proof, code) in [
        (client.proof(), ErrorCode::DpopNonceRequired),
        (client.proof().key(&other), ErrorCode::TokenBindingMismatch),
    ] {
        let error = client.send(&auth, &proof.mint()).await.unwrap_err();
        assert_eq!(error.code(), code);
        let has_nonce = header(&error, "dpop-nonce").is_some();
        assert_eq!(has_nonce, code == ErrorCode::DpopNonceRequired);
    }
}

/// The verdict of a proof does not depend on the proofs before it.
#[tokio::test]
async fn a_known_key_is_read_as_strictly_as_a_new_one() {
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
            let error = client.send(&auth, &key(name, value)).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::DpopProofInvalid, "{name}");
        }
        client.send(&auth, &client.proof().mint()).await.unwrap();
        client.send(&auth, &key("use", "sig".into())).await.unwrap();
    }
}

/// With the clock set back, proofs that were too old are fresh again, but already used.
#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_proof_usable_again() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let used = client.proof().mint();
    client.send(&auth, &used).await.unwrap();
    tenant.clock().advance(Duration::from_secs(400));
    // So many that one of them falls into the set of the first.
    for _ in 0..500 {
        client.send(&auth, &client.proof().mint()).await.unwrap();
    }
    tenant.clock().set_back(Duration::from_secs(390));
    let error = client.send(&auth, &used).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofReplayed);
    client.send(&auth, &client.proof().mint()).await.unwrap();
}

#[test]
fn of_many_concurrent_uses_one_is_accepted() {
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
                scope.spawn(|| match runtime.block_on(client.send(&auth, &proof)) {
                    Ok(_) => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => assert_eq!(error.code(), ErrorCode::DpopProofReplayed),
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}
