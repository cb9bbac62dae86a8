//! Several issuers: each has its own keys and rules, and none gets in the way of another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use auth0_core::{
    AccessToken, Algorithm, Auth0, Builder, DpopMode, Error, ErrorCode, Health, RequestView,
    TrustedIssuer,
    policy::{claim, organization},
    testing::{Failure, Profile, SigningKey, Tenant, TokenBuilder},
};
use proptest::prelude::*;
use serde_json::json;
use std::{collections::HashSet, future::Future, time::Duration};

const API: &str = "https://api.acme.com";

/// Tenants with keys of their own, some under the same id.
fn tenants(count: usize) -> Vec<Tenant> {
    (0..count)
        .map(|number| {
            let tenant = Tenant::named(&format!("tenant-{number}"));
            let key = SigningKey::generate(Algorithm::ES256).unwrap();
            let id = tenant.signing_key().id().to_owned();
            tenant.add_key(if number % 2 == 0 { key.with_id("shared") } else { key });
            tenant.withdraw_key(&id).unwrap();
            tenant
        })
        .collect()
}

fn token(tenant: &Tenant) -> TokenBuilder {
    tenant.token().audience(API)
}

fn builder(tenants: &[Tenant]) -> Builder {
    let builder = tenants[0].builder_with(&tenants[1..]).audience(API);
    builder.algorithms([Algorithm::RS256, Algorithm::ES256])
}

fn all(tenants: &[Tenant]) -> Auth0 {
    let trusted = tenants.iter().map(|tenant| TrustedIssuer::new(tenant.issuer()));
    trusted.fold(builder(tenants), Builder::issuer).build().unwrap()
}

async fn code(auth: &Auth0, token: &TokenBuilder) -> ErrorCode {
    refusal(auth, token).await.code()
}

async fn refusal(auth: &Auth0, token: &TokenBuilder) -> Error {
    auth.verify(&token.mint()).await.expect_err("refused")
}

fn fetches(tenants: &[Tenant]) -> usize {
    tenants.iter().map(|tenant| tenant.fetches().metadata + tenant.fetches().key_set).sum()
}

#[tokio::test]
async fn each_of_fifty_is_known_by_its_own_keys() {
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
    // A key of one with the issuer of another: under another id, and under the same.
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let forged = token(&tenants[one]).signed_by(&tenants[other].signing_key());
        assert_eq!(code(&auth, &forged).await, ErrorCode::SignatureInvalid, "{one} {other}");
        let foreign = token(&tenants[other]).issuer(tenants[one].issuer());
        let expected = if (one, other) == (0, 2) {
            ErrorCode::SignatureInvalid
        } else {
            ErrorCode::KeyUnknown
        };
        assert_eq!(code(&auth, &foreign).await, expected, "{one} {other}");
    }
}

#[tokio::test]
async fn a_custom_domain_and_the_canonical_one() {
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
    // The same twice is once; and a domain stands for its issuer.
    let same = builder().domain("acme.test").issuer("https://acme.test/").domain("ACME.test");
    assert_eq!(same.build().unwrap().issuers().collect::<Vec<_>>(), ["https://acme.test/"]);
}

#[tokio::test]
async fn ten_thousand_strangers_cause_no_fetch() {
    let tenants = tenants(3);
    let auth = all(&tenants);
    for number in 0..10_000 {
        let stranger = token(&tenants[number % 3]).issuer(&format!("https://evil-{number}.test/"));
        // The signature does not matter: it is not looked at.
        let stranger = stranger.unsigned().header("alg", "ES256");
        assert_eq!(code(&auth, &stranger).await, ErrorCode::IssuerMismatch);
    }
    assert_eq!(fetches(&tenants), 0);
}

#[tokio::test]
async fn each_has_rules_of_its_own() {
    let tenants = tenants(3);
    let [plain, strict, other] = &tenants[..] else { panic!() };
    let auth = builder(&tenants)
        .issuer(plain.issuer())
        .issuer(
            TrustedIssuer::new(strict.issuer())
                .algorithms([Algorithm::ES256])
                .leeway(Duration::ZERO)
                .rfc9068_only(true)
                .require(organization("org_a1"))
                .require(claim("tier").equals("gold")),
        )
        .issuer(TrustedIssuer::new(other.issuer()).audiences(["urn:other", "urn:more"]))
        .build()
        .unwrap();

    auth.verify(&token(plain).mint()).await.unwrap();
    let good = || {
        let token = token(strict).profile(Profile::Rfc9068).claim("tier", "gold");
        token.organization("org_a1", "acme")
    };
    auth.verify(&good().mint()).await.unwrap();
    for (token, expected) in [
        (good().profile(Profile::Auth0), ErrorCode::TokenTypeInvalid),
        (good().organization("org_b2", "b"), ErrorCode::OrganizationMismatch),
        (good().claim("tier", "tin"), ErrorCode::RequirementNotMet),
        (good().expires_in(Duration::ZERO), ErrorCode::TokenExpired),
    ] {
        for _ in 0..2 {
            assert_eq!(code(&auth, &token).await, expected);
        }
    }
    assert_eq!(refusal(&auth, &good().claim("tier", "tin")).await.challenge().status(), 403);
    auth.verify(&token(plain).expires_in(Duration::ZERO).mint()).await.expect("within 5 s");

    assert_eq!(code(&auth, &token(other)).await, ErrorCode::AudienceMismatch);
    for audience in ["urn:other", "urn:more"] {
        auth.verify(&token(other).audience(audience).mint()).await.unwrap();
    }
    assert_eq!(code(&auth, &token(plain).audience("urn:other")).await, ErrorCode::AudienceMismatch);

    // RS256 is accepted of the others only; the keys are not even looked at.
    let rs256 = || SigningKey::generate(Algorithm::RS256).unwrap();
    let by = |tenant: &Tenant| {
        good().issuer(tenant.issuer()).signed_by(&rs256()).algorithm(Algorithm::RS256)
    };
    assert_eq!(code(&auth, &by(strict)).await, ErrorCode::AlgorithmUnsupported);
}

#[tokio::test]
async fn the_mode_of_dpop_is_the_issuers() {
    let tenants = tenants(3);
    let [allowed, required, disabled] = &tenants[..] else { panic!() };
    let auth = builder(&tenants)
        .issuer(allowed.issuer())
        .issuer(TrustedIssuer::new(required.issuer()).dpop(DpopMode::Required))
        .issuer(TrustedIssuer::new(disabled.issuer()).dpop(DpopMode::Disabled))
        .build()
        .unwrap();
    auth.warm_up().await.unwrap();
    let bearer = |tenant: &Tenant| format!("Bearer {}", token(tenant).mint());
    let judge = |field: &str| {
        let request = RequestView::new().authorization([field.as_bytes()]);
        auth.authenticate_now(&request).unwrap()
    };
    let lines = |error: &Error| -> Vec<String> {
        let challenge = error.challenge();
        let lines = challenge.headers().filter(|(name, _)| *name == "www-authenticate");
        lines.map(|(_, line)| line.split(' ').next().unwrap().to_owned()).collect()
    };
    judge(&bearer(allowed)).unwrap();
    judge(&bearer(disabled)).unwrap();
    let error = judge(&bearer(required)).unwrap_err();
    assert_eq!((error.code(), lines(&error)), (ErrorCode::SchemeUnsupported, vec!["DPoP".into()]));
    let error = judge(&format!("DPoP {}", token(disabled).mint())).unwrap_err();
    assert_eq!(
        (error.code(), lines(&error)),
        (ErrorCode::SchemeUnsupported, vec!["Bearer".into()])
    );
    let error = judge(&format!("DPoP {}", token(required).mint())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofMissing);
    // Nor is it accepted as Bearer after it was verified with the other scheme.
    let text = token(required).mint();
    for scheme in ["DPoP", "Bearer", "DPoP", "Bearer"] {
        let error = judge(&format!("{scheme} {text}")).unwrap_err();
        let expected = match scheme {
            "DPoP" => ErrorCode::DpopProofMissing,
            _ => ErrorCode::SchemeUnsupported,
        };
        assert_eq!(error.code(), expected, "{scheme}");
    }
    // Whose token it would be is not known yet.
    let error = auth.authenticate_now(&RequestView::new()).unwrap().unwrap_err();
    assert_eq!(lines(&error), ["Bearer", "DPoP"]);
    // A token that was accepted is told what its issuer's schemes are.
    let token = judge(&bearer(disabled)).unwrap();
    let error = auth.authorize(&token, &organization("org_a1")).unwrap_err();
    assert_eq!(lines(&error), ["Bearer"]);
}

#[tokio::test]
async fn an_outage_of_one_is_an_outage_of_one() {
    let tenants = tenants(3);
    let auth = all(&tenants);
    tenants[1].fail(Failure::Unreachable);
    assert_eq!(code(&auth, &token(&tenants[1])).await, ErrorCode::KeysUnavailable);
    for tenant in [&tenants[0], &tenants[2]] {
        auth.verify(&token(tenant).mint()).await.unwrap();
    }
    assert!(matches!(auth.health(), Health::Unavailable { .. }), "the worst one");
    let health = |tenant: &Tenant| auth.health_of(tenant.issuer()).unwrap();
    assert!(matches!(health(&tenants[0]), Health::Ready { .. }));
    assert!(!health(&tenants[1]).is_available());
    assert!(auth.health_of("https://stranger.test/").is_none());
    assert_eq!(auth.warm_up().await.unwrap_err().code(), ErrorCode::KeysUnavailable);

    tenants[1].recover();
    tenants[0].clock().advance(Duration::from_secs(60));
    auth.warm_up().await.unwrap();
    assert!(matches!(auth.health(), Health::Ready { .. }));

    // A key that one has withdrawn is forgotten for that one alone.
    let before: Vec<_> = tenants.iter().map(|tenant| token(tenant).mint()).collect();
    for text in &before {
        auth.verify(text).await.unwrap();
    }
    tenants[2].add_key(SigningKey::generate(Algorithm::ES256).unwrap());
    tenants[2].withdraw_old_keys();
    auth.refresh().await.unwrap();
    assert!(auth.verify(&before[0]).await.is_ok() && auth.verify(&before[1]).await.is_ok());
    assert_eq!(auth.verify(&before[2]).await.unwrap_err().code(), ErrorCode::KeyUnknown);
}

/// However many hang, one that answers is asked at once.
#[tokio::test(start_paused = true)]
async fn hanging_issuers_do_not_hold_up_others() {
    let tenants = tenants(101);
    let (good, hanging) = tenants.split_first().unwrap();
    let auth = all(&tenants);
    for tenant in hanging {
        tenant.fail(Failure::Hang);
    }
    // Twice, so that all of them are known to fail, and are asked again.
    for _ in 0..2 {
        let asked: Vec<_> = hanging
            .iter()
            .map(|tenant| {
                let (auth, text) = (auth.clone(), token(tenant).mint());
                tokio::spawn(async move { auth.verify(&text).await.unwrap_err().code() })
            })
            .collect();
        for asked in asked {
            assert_eq!(asked.await.unwrap(), ErrorCode::KeysUnavailable);
        }
        tenants[0].clock().advance(Duration::from_secs(60));
    }
    let again = {
        let (auth, hanging) = (auth.clone(), hanging.to_vec());
        tokio::spawn(async move {
            let texts: Vec<_> = hanging.iter().map(|tenant| token(tenant).mint()).collect();
            let asked = texts.into_iter().map(|text| {
                let auth = auth.clone();
                tokio::spawn(async move { auth.verify(&text).await.is_err() })
            });
            for asked in asked.collect::<Vec<_>>() {
                assert!(asked.await.unwrap());
            }
        })
    };
    tokio::task::yield_now().await;
    let began = tokio::time::Instant::now();
    auth.verify(&token(good).mint()).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    again.await.unwrap();
}

/// Keys are fetched on a tokio runtime. Without one there is an error, and no panic.
#[test]
fn without_a_runtime_there_are_no_keys() {
    let tenants = tenants(3);
    for count in [1, 3] {
        let auth = all(&tenants[..count]);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for outcome in [
            std::pin::pin!(auth.warm_up()).as_mut().poll(&mut context),
            std::pin::pin!(auth.refresh()).as_mut().poll(&mut context),
        ] {
            match outcome {
                std::task::Poll::Ready(Err(error)) => {
                    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{count}");
                }
                std::task::Poll::Ready(Ok(())) => assert_eq!(count, 3, "none was asked before"),
                std::task::Poll::Pending => panic!("{count}: it would never end"),
            }
        }
    }
    assert_eq!(fetches(&tenants), 0);
}

#[tokio::test]
async fn those_that_nobody_needs_are_not_asked() {
    let tenants = tenants(5);
    let auth = all(&tenants);
    auth.verify(&token(&tenants[3]).mint()).await.unwrap();
    auth.refresh().await.unwrap();
    let asked = tenants.iter().filter(|tenant| tenant.fetches().metadata > 0).count();
    assert_eq!((asked, tenants[3].fetches().metadata), (1, 2));
    assert!(matches!(auth.health(), Health::Ready { .. }));
}

#[tokio::test]
async fn keys_may_be_elsewhere_or_at_hand() {
    let tenants = tenants(2);
    let [at, fixed] = &tenants[..] else { panic!() };
    let auth = builder(&tenants)
        .issuer(
            TrustedIssuer::new(at.issuer())
                .key_set_url(format!("{}.well-known/jwks.json", at.issuer())),
        )
        .issuer(TrustedIssuer::new(fixed.issuer()).key_set(fixed.key_set_json()))
        .build()
        .unwrap();
    for tenant in &tenants {
        auth.verify(&token(tenant).mint()).await.unwrap();
    }
    assert_eq!((at.fetches().metadata, at.fetches().key_set), (0, 1));
    assert_eq!((fixed.fetches().metadata, fixed.fetches().key_set), (0, 0));
    let stranger = token(fixed).header("kid", "other");
    assert_eq!(code(&auth, &stranger).await, ErrorCode::KeyUnknown);

    // The metadata leads to another host, which may be so unless it is forbidden.
    let (one, keys) = (Tenant::named("one"), Tenant::named("keys"));
    let metadata = json!({ "issuer": one.issuer(), "jwks_uri": format!("{}.well-known/jwks.json", keys.issuer()) });
    let answer = auth0_core::HttpResponse::json(metadata.to_string());
    one.fail_at(auth0_core::testing::Document::Metadata, Failure::Answer(answer));
    let trusting = |demanded| {
        let issuer = TrustedIssuer::new(one.issuer()).same_origin_keys(demanded);
        one.builder_with([&keys]).issuer(issuer).build().unwrap()
    };
    trusting(false).verify(&one.token().mint()).await.unwrap();
    let error = refusal(&trusting(true), &one.token()).await;
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert!(error.cause().unwrap().contains("origin"), "{error:?}");
}

/// A token as a provider issues it: its claims replace all others.
fn of_provider(tenant: &Tenant, claims: serde_json::Value) -> String {
    let mut payload = claims;
    payload["iss"] = tenant.issuer().into();
    payload["exp"] = 1_767_225_600_u64.saturating_add(3600).into();
    tenant.token().without_header("typ").raw_payload(payload.to_string()).mint()
}

fn seen(token: &AccessToken) -> (Option<&str>, Vec<&str>, Vec<&str>) {
    (token.client_id(), token.scopes().collect(), token.permissions().collect())
}

#[tokio::test]
async fn other_providers_by_configuration() {
    let tenants = tenants(5);
    let [keycloak, entra, okta, cognito, google] = &tenants[..] else { panic!() };
    let auth = builder(&tenants)
        .issuer(TrustedIssuer::new(keycloak.issuer()).permissions_claim(["realm_access", "roles"]))
        .issuer(
            TrustedIssuer::new(entra.issuer())
                .audience("api://orders")
                .scope_claim(["scp"])
                .client_id_claim(["appid"])
                .permissions_claim(["roles"]),
        )
        .issuer(
            TrustedIssuer::new(okta.issuer())
                .audience("api://default")
                .scope_claim(["scp"])
                .client_id_claim(["cid"]),
        )
        .issuer(
            TrustedIssuer::new(cognito.issuer())
                .client_ids(["4l9rvl4mv5es1eep1qe97cautn"])
                .permissions_claim(["cognito:groups"])
                .require(claim("token_use").equals("access")),
        )
        .issuer(google.issuer())
        .build()
        .unwrap();
    let verify = async |tenant: &Tenant, claims| auth.verify(&of_provider(tenant, claims)).await;

    let token = verify(
        keycloak,
        json!({
            "sub": "f:1", "aud": [API, "account"], "azp": "orders-web", "typ": "Bearer",
            "scope": "email profile", "realm_access": { "roles": ["admin", "offline_access"] },
            "resource_access": { "orders": { "roles": ["reader"] } },
        }),
    );
    let token = token.await.unwrap();
    let expected = (Some("orders-web"), vec!["email", "profile"], vec!["admin", "offline_access"]);
    assert_eq!(seen(&token), expected);

    let token = verify(
        entra,
        json!({
            "sub": "x", "aud": "api://orders", "appid": "6e74172b", "tid": "t", "ver": "1.0",
            "scp": "Orders.Read Orders.Write", "roles": ["Approver"],
        }),
    );
    let token = token.await.unwrap();
    let scopes = vec!["Orders.Read", "Orders.Write"];
    assert_eq!(seen(&token), (Some("6e74172b"), scopes, vec!["Approver"]));

    let token = verify(
        okta,
        json!({ "sub": "ann@acme.com", "aud": "api://default", "cid": "0oa1", "uid": "00u", "scp": ["orders", "openid"] }),
    );
    let token = token.await.unwrap();
    assert_eq!(seen(&token), (Some("0oa1"), vec!["orders", "openid"], vec![]));
    assert!(token.has_scope("orders"));

    let of_cognito = |client: &str, usage: &str| {
        json!({
            "sub": "aaaa", "client_id": client, "token_use": usage, "scope": "orders/read",
            "cognito:groups": ["staff"], "username": "ann",
        })
    };
    let ours = "4l9rvl4mv5es1eep1qe97cautn";
    let token = verify(cognito, of_cognito(ours, "access")).await.unwrap();
    assert_eq!(seen(&token), (Some(ours), vec!["orders/read"], vec!["staff"]));
    assert_eq!(token.audiences().count(), 0);
    let error = verify(cognito, of_cognito("another", "access")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AudienceMismatch);
    let error = verify(cognito, of_cognito(ours, "id")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RequirementNotMet);
    let mut other_api = of_cognito(ours, "access");
    other_api["aud"] = "https://other.com".into();
    let error = verify(cognito, other_api).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AudienceMismatch, "an audience counts if there is one");

    let service = json!({ "sub": "1098", "aud": API, "azp": "1098", "email": "svc@acme.iam" });
    assert_eq!(verify(google, service).await.unwrap().client_id(), Some("1098"));
    let id_token = json!({ "sub": "1", "aud": "me", "azp": "me" });
    let error = verify(google, id_token).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenTypeInvalid);

    // Without an audience, only where that was said.
    for tenant in [keycloak, google] {
        let error = verify(tenant, json!({ "sub": "1", "client_id": ours })).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::AudienceMismatch);
    }
    // What stands there has to be of the right type.
    for (scp, told) in [
        (json!(1), "a string or an array of strings"),
        (json!([1]), "a string or an array of strings"),
        (json!(["orders", "read write"]), "a space"),
        (json!({ "a": 1 }), "a string or an array of strings"),
    ] {
        let claims = json!({ "sub": "x", "aud": "api://default", "scp": scp });
        let error = verify(okta, claims).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClaimsInvalid);
        assert!(error.cause().unwrap().contains(told), "{error:?}");
    }
    // Where Auth0 has it, it means nothing any more.
    let claims =
        json!({ "sub": "x", "aud": "api://default", "scope": "admin", "permissions": ["p"] });
    let token = verify(okta, claims).await.unwrap();
    assert_eq!(seen(&token), (None, vec![], vec!["p"]));
}

#[test]
fn ten_thousand_are_configured_in_little_time_and_memory() {
    let names = (0..10_000).map(|number| format!("tenant-{number}.eu.auth0.com"));
    let auth = Auth0::builder().domains(names).audience(API).build().unwrap();
    let issuers: HashSet<&str> = auth.issuers().collect();
    assert_eq!(issuers.len(), 10_000);
    assert_eq!(auth.issuers().nth(7), Some("https://tenant-7.eu.auth0.com/"), "in order");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in `iss`, no other issuer than the one that it equals is taken for it.
    #[test]
    fn an_issuer_is_equal_or_it_is_none(text in "(https://)?(tenant-[0-3]|TENANT-0|x)(\\.test)?(/|//|/\\.|%2F|\u{0}| )?") {
        let tenants = tenants(3);
        let auth = all(&tenants);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let token = token(&tenants[0]).issuer(&text).mint();
        let outcome = runtime.block_on(auth.verify(&token));
        let is_ours = auth.issuers().any(|issuer| issuer == text);
        prop_assert_eq!(outcome.is_ok(), text == tenants[0].issuer());
        if let Err(error) = outcome {
            prop_assert_eq!(error.code() == ErrorCode::IssuerMismatch, !is_ours);
        }
    }
}
