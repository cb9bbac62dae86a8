//! Which issuers are trusted, and that each is known by its own keys.
use super::{API, all, code, refusal, tenants, token, total_fetches};
use crate::common::{cases, runtime};
use auth0_core::{Auth0, ErrorCode};
use auth0_testing::Tenant;
use proptest::prelude::*;
use std::collections::HashSet;

#[tokio::test]
async fn each_of_fifty_issuers_has_its_own_keys() {
    let tenants = tenants(50);
    let auth = all(&tenants);
    assert_eq!(auth.issuers().count(), 50);
    for tenant in &tenants {
        let text = token(tenant).mint();
        for _ in 0..2 {
            let token = auth.verify(&text).await.unwrap();
            assert_eq!(token.issuer(), tenant.issuer());
        }
        assert_eq!((tenant.fetches().metadata, tenant.fetches().key_set), (1, 1));
    }
    // A key of one tenant with the issuer of another: under another id, and under the same.
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let forged = token(&tenants[one]).signed_by(&tenants[other].signing_key());
        assert_eq!(code(&auth, &forged).await, ErrorCode::SignatureInvalid, "{one} {other}");
        let renamed = token(&tenants[other]).issuer(tenants[one].issuer());
        let expected = if (one, other) == (0, 2) {
            ErrorCode::SignatureInvalid
        } else {
            ErrorCode::KeyUnknown
        };
        assert_eq!(code(&auth, &renamed).await, expected, "{one} {other}");
    }
}

#[tokio::test]
async fn a_custom_domain_and_the_canonical_one_can_both_be_trusted() {
    let (canonical, custom) = (Tenant::named("acme"), Tenant::named("login-acme"));
    let builder = || canonical.builder_with([&custom]).audience(API);
    let both = builder().domains(["acme.test", "login-acme.test"]).build().unwrap();
    let one = builder().domain("acme.test").build().unwrap();
    for tenant in [&canonical, &custom] {
        assert_eq!(both.verify(&token(tenant).mint()).await.unwrap().issuer(), tenant.issuer());
    }
    one.verify(&token(&canonical).mint()).await.unwrap();
    let error = refusal(&one, &token(&custom)).await;
    assert_eq!(error.code(), ErrorCode::IssuerMismatch);
    assert!(error.cause().unwrap().contains("https://acme.test/"), "{error:?}");
    let slash = token(&custom).issuer("https://login-acme.test");
    assert!(refusal(&both, &slash).await.cause().unwrap().contains("slash"));
    // The same issuer twice counts once, and a domain means its issuer.
    let same = builder().domain("acme.test").issuer("https://acme.test/").domain("ACME.test");
    assert_eq!(same.build().unwrap().issuers().collect::<Vec<_>>(), ["https://acme.test/"]);
}

#[tokio::test]
async fn tokens_of_ten_thousand_unknown_issuers_cause_no_fetch() {
    let tenants = tenants(3);
    let auth = all(&tenants);
    for number in 0..10_000 {
        let forged = token(&tenants[number % 3]).issuer(&format!("https://evil-{number}.test/"));
        // The signature does not matter: it is not checked.
        let forged = forged.unsigned().header("alg", "ES256");
        assert_eq!(code(&auth, &forged).await, ErrorCode::IssuerMismatch);
    }
    assert_eq!(total_fetches(&tenants), 0);
}

#[test]
fn ten_thousand_issuers_can_be_configured() {
    let names = (0..10_000).map(|number| format!("tenant-{number}.eu.auth0.com"));
    let auth = Auth0::builder().domains(names).audience(API).build().unwrap();
    let issuers: HashSet<&str> = auth.issuers().collect();
    assert_eq!(issuers.len(), 10_000);
    assert_eq!(auth.issuers().nth(7), Some("https://tenant-7.eu.auth0.com/"), "in order");
}

proptest! {
    #![proptest_config(cases(64))]

    /// An `iss` means the issuer that it equals, and no other.
    #[test]
    fn an_issuer_matches_only_if_it_is_equal(text in "(https://)?(tenant-[0-3]|TENANT-0|x)(\\.test)?(/|//|/\\.|%2F|\u{0}| )?") {
        let tenants = tenants(3);
        let auth = all(&tenants);
        let runtime = runtime();
        let token = token(&tenants[0]).issuer(&text).mint();
        let outcome = runtime.block_on(auth.verify(&token));
        let is_ours = auth.issuers().any(|issuer| issuer == text);
        prop_assert_eq!(outcome.is_ok(), text == tenants[0].issuer());
        if let Err(error) = outcome {
            prop_assert_eq!(error.code() == ErrorCode::IssuerMismatch, !is_ours);
        }
    }
}
