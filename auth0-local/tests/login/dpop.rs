use crate::kit::{
    Answer, Parameters, acme, claims, client, code, proof, start, token, token_with,
    token_with_proof, url,
};
use auth0_core::{Algorithm, dpop::DpopNonces};
use auth0_testing::SigningKey;
use std::time::Duration;

fn keys() -> [SigningKey; 2] {
    [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap())
}

#[tokio::test]
async fn tokens_of_a_login_are_bound() {
    let tenant = start().await;
    let [key, thief] = keys();
    let code = code(&tenant, &Parameters::of_login()).await;
    let answer = token_with_proof(&tenant, &Parameters::of_code(&code), &key).await;
    assert_eq!((answer.status, answer.text("token_type")), (200, "DPoP".into()));
    let access = claims(&tenant, &answer.text("access_token"));
    assert_eq!(access["cnf"]["jkt"], key.thumbprint());

    // The refresh token of a public client is bound, too.
    let form = Parameters::of_refresh(&answer.text("refresh_token"));
    for refused in [token(&tenant, &form).await, token_with_proof(&tenant, &form, &thief).await] {
        assert_eq!((refused.status, refused.text("error")), (403, "invalid_grant".into()));
        assert!(refused.text("error_description").contains("another DPoP key"));
    }
    let answer = token_with_proof(&tenant, &form, &key).await;
    assert_eq!((answer.status, answer.text("token_type")), (200, "DPoP".into()));
    let form = Parameters::of_refresh(&answer.text("refresh_token"));
    assert_eq!(token(&tenant, &form).await.status, 403, "the next one, too");
    assert_eq!(token_with_proof(&tenant, &form, &key).await.status, 200);
}

#[tokio::test]
async fn the_refresh_token_of_a_confidential_client_is_not_bound() {
    let tenant = start().await;
    let [one, two] = keys();
    let login = Parameters::of_login().with("client_id", "web");
    let code = code(&tenant, &login).await;
    let secret = |form: Parameters| form.with("client_id", "web").with("client_secret", "s3cret");
    let form = secret(Parameters::of_code(&code));
    let answer = token_with_proof(&tenant, &form, &one).await;
    let form = secret(Parameters::of_refresh(&answer.text("refresh_token")));
    let answer = token_with_proof(&tenant, &form, &two).await;
    let access = claims(&tenant, &answer.text("access_token"));
    assert_eq!(access["cnf"]["jkt"], two.thumbprint());
}

#[tokio::test]
async fn a_code_can_be_bound() {
    let tenant = start().await;
    let [key, thief] = keys();
    let login = Parameters::of_login().and("dpop_jkt", &key.thumbprint());
    let form = Parameters::of_code(&code(&tenant, &login).await);
    for refused in [token(&tenant, &form).await, token_with_proof(&tenant, &form, &thief).await] {
        assert_eq!((refused.status, refused.text("error")), (403, "invalid_grant".into()));
        assert!(refused.text("error_description").contains("dpop_jkt"), "{}", refused.body);
    }
    assert_eq!(token_with_proof(&tenant, &form, &key).await.status, 200);
}

#[tokio::test]
async fn a_nonce_is_required_before_the_code_is_used() {
    let tenant = acme().dpop_nonces(DpopNonces::per_process()).start().await.unwrap();
    let [key, _] = keys();
    let form = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let good = || proof(&tenant, &key, "POST", "oauth/token");
    let asked = token_with(&tenant, &form, &good()).await;
    assert_eq!((asked.status, asked.text("error")), (400, "use_dpop_nonce".into()));
    let proof = good().nonce(asked.header("dpop-nonce"));
    assert_eq!(token_with(&tenant, &form, &proof).await.status, 200);
}

#[tokio::test]
async fn public_clients_need_a_nonce_and_get_the_next_one() {
    let tenant = start().await;
    let [key, _] = keys();
    let good = || proof(&tenant, &key, "POST", "oauth/token");
    let form = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let asked = token_with(&tenant, &form, &good()).await;
    assert_eq!((asked.status, asked.text("error")), (400, "use_dpop_nonce".into()));
    let first = asked.header("dpop-nonce").to_owned();
    tenant.tenant().clock().advance(Duration::from_secs(300));
    let form = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let answer = token_with(&tenant, &form, &good().nonce(&first)).await;
    let next = answer.header("dpop-nonce").to_owned();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!next.is_empty() && next != first, "a good answer has the next nonce");
    let refresh = Parameters::of_refresh(&answer.text("refresh_token"));
    assert_eq!(token_with(&tenant, &refresh, &good().nonce(&next)).await.status, 200);

    // A confidential client needs none, and neither does a request without a proof.
    let machine = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "web"),
        ("client_secret", "s3cret"),
        ("audience", "https://api.local.test"),
    ]);
    let answer = token_with(&tenant, &machine, &good()).await;
    assert_eq!((answer.status, answer.header("dpop-nonce")), (200, ""));
    let login = crate::kit::log_in(&tenant, &Parameters::of_login()).await;
    assert_eq!(login.header("dpop-nonce"), "");

    let tenant = acme().without_dpop_nonces().start().await.unwrap();
    let form = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let proof = proof(&tenant, &key, "POST", "oauth/token");
    assert_eq!(token_with(&tenant, &form, &proof).await.status, 200);
}

#[tokio::test]
async fn user_info_needs_a_proof_for_a_bound_token() {
    let tenant = start().await;
    let [key, thief] = keys();
    let form = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let access = token_with_proof(&tenant, &form, &key).await.text("access_token");
    let good = || proof(&tenant, &key, "GET", "userinfo");
    for (scheme, proof, status) in [
        ("Bearer", None, 401),
        ("DPoP", None, 401),
        ("Bearer", Some(good().for_token(&access)), 401),
        ("DPoP", Some(good()), 401),
        ("DPoP", Some(good().for_token("other")), 401),
        ("DPoP", Some(good().for_token(&access).key(&thief)), 401),
        ("DPoP", Some(good().for_token(&access).claim("htm", "POST")), 400),
        ("DPoP", Some(good().for_token(&access)), 200),
        ("dpop", Some(good().for_token(&access)), 200),
    ] {
        let mut request = client().get(url(&tenant, "userinfo"));
        request = request.header("authorization", format!("{scheme} {access}"));
        if let Some(proof) = &proof {
            request = request.header("dpop", proof.mint());
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{scheme} {proof:?}: {}", answer.body);
    }
}
