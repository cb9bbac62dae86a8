//! Rules and keys that one issuer has for itself.
use super::{builder, code, refusal, tenants, token};
use crate::common::{fetches, www_authenticate};
use auth0_core::policy::{claim, organization};
use auth0_core::{
    Algorithm, DpopMode, Error, ErrorCode, TrustedIssuer, adapter::RequestView,
    transport::HttpResponse,
};
use auth0_testing::{Document, Failure, Profile, SigningKey, Tenant};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn each_issuer_has_rules_of_its_own() {
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

    // RS256 is accepted of the others only; no key is looked up.
    let rs256 = || SigningKey::generate(Algorithm::RS256).unwrap();
    let by = |tenant: &Tenant| {
        good().issuer(tenant.issuer()).signed_by(&rs256()).algorithm(Algorithm::RS256)
    };
    assert_eq!(code(&auth, &by(strict)).await, ErrorCode::AlgorithmUnsupported);
}

#[tokio::test]
async fn each_issuer_has_a_dpop_mode_of_its_own() {
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
    let authenticate = |header: &str| {
        let request = RequestView::new().authorization([header.as_bytes()]);
        auth.authenticate_now(&request).unwrap()
    };
    let schemes = |error: &Error| -> Vec<String> {
        let lines = www_authenticate(error).into_iter();
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    authenticate(&bearer(allowed)).unwrap();
    authenticate(&bearer(disabled)).unwrap();
    let error = authenticate(&bearer(required)).unwrap_err();
    assert_eq!(
        (error.code(), schemes(&error)),
        (ErrorCode::SchemeUnsupported, vec!["DPoP".into()])
    );
    let error = authenticate(&format!("DPoP {}", token(disabled).mint())).unwrap_err();
    assert_eq!(
        (error.code(), schemes(&error)),
        (ErrorCode::SchemeUnsupported, vec!["Bearer".into()])
    );
    let error = authenticate(&format!("DPoP {}", token(required).mint())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofMissing);
    // It is not accepted as Bearer either after it was verified with the other scheme.
    let text = token(required).mint();
    for scheme in ["DPoP", "Bearer", "DPoP", "Bearer"] {
        let error = authenticate(&format!("{scheme} {text}")).unwrap_err();
        let expected = match scheme {
            "DPoP" => ErrorCode::DpopProofMissing,
            _ => ErrorCode::SchemeUnsupported,
        };
        assert_eq!(error.code(), expected, "{scheme}");
    }
    // Without a token, the issuer is not known.
    let error = auth.authenticate_now(&RequestView::new()).unwrap().unwrap_err();
    assert_eq!(schemes(&error), ["Bearer", "DPoP"]);
    // A refusal of an accepted token names the schemes of its issuer.
    let token = authenticate(&bearer(disabled)).unwrap();
    let error = auth.authorize(&token, &organization("org_a1")).unwrap_err();
    assert_eq!(schemes(&error), ["Bearer"]);
}

#[tokio::test]
async fn keys_may_be_at_another_url_or_configured() {
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
    assert_eq!((fetches(at), fetches(fixed)), ((0, 1), (0, 0)));
    let unknown = token(fixed).header("kid", "other");
    assert_eq!(code(&auth, &unknown).await, ErrorCode::KeyUnknown);

    // The metadata may lead to another host unless the configuration forbids it.
    let (one, keys) = (Tenant::named("one"), Tenant::named("keys"));
    let metadata = json!({ "issuer": one.issuer(), "jwks_uri": format!("{}.well-known/jwks.json", keys.issuer()) });
    let answer = HttpResponse::json(metadata.to_string());
    one.fail_at(Document::Metadata, Failure::Answer(answer));
    let trusting = |is_required| {
        let issuer = TrustedIssuer::new(one.issuer()).same_origin_keys(is_required);
        one.builder_with([&keys]).issuer(issuer).build().unwrap()
    };
    trusting(false).verify(&one.token().mint()).await.unwrap();
    let error = refusal(&trusting(true), &one.token()).await;
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert!(error.cause().unwrap().contains("origin"), "{error:?}");
}
