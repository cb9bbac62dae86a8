//! Other providers than Auth0, by configuration.
use super::{API, builder, tenants};
use crate::common::NOW;
use auth0_core::policy::claim;
use auth0_core::{ErrorCode, TrustedIssuer, VerifiedToken};
use auth0_testing::Tenant;
use serde_json::json;

#[tokio::test]
async fn other_providers_can_be_configured() {
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
    assert_eq!(error.code(), ErrorCode::TokenTypeInvalid);
    let mut other_api = of_cognito(ours, "access");
    other_api["aud"] = "https://other.com".into();
    let error = verify(cognito, other_api).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AudienceMismatch, "an audience counts if there is one");

    let service = json!({ "sub": "1098", "aud": API, "azp": "1098", "email": "svc@acme.iam" });
    assert_eq!(verify(google, service).await.unwrap().client_id(), Some("1098"));
    let id_token = json!({ "sub": "1", "aud": "me", "azp": "me" });
    let error = verify(google, id_token).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AudienceMismatch);
    assert!(error.cause().unwrap().contains("may be an ID token"), "{error:?}");

    // Without an audience, only where client ids are configured.
    for tenant in [keycloak, google] {
        let error = verify(tenant, json!({ "sub": "1", "client_id": ours })).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::AudienceMismatch);
    }
    // A mapped claim of another type counts as absent, and a name with a space in it is not two scopes.
    for (scp, expected) in [
        (json!(1), vec![]),
        (json!([1]), vec![]),
        (json!(["orders", "read write"]), vec!["orders"]),
        (json!({ "a": 1 }), vec![]),
    ] {
        let claims = json!({ "sub": "x", "aud": "api://default", "scp": scp });
        assert_eq!(seen(&verify(okta, claims).await.unwrap()).1, expected, "{scp}");
    }
    // With a mapped claim, that of Auth0 means nothing.
    let claims =
        json!({ "sub": "x", "aud": "api://default", "scope": "admin", "permissions": ["p"] });
    let token = verify(okta, claims).await.unwrap();
    assert_eq!(seen(&token), (None, vec![], vec!["p"]));
}

/// Returns a token as a provider issues it: these claims replace all others.
fn of_provider(tenant: &Tenant, claims: serde_json::Value) -> String {
    let mut payload = claims;
    payload["iss"] = tenant.issuer().into();
    payload["exp"] = (NOW + 3600).into();
    tenant.token().without_header("typ").raw_payload(payload.to_string()).mint()
}

/// Returns client, scopes and permissions.
fn seen(token: &VerifiedToken) -> (Option<&str>, Vec<&str>, Vec<&str>) {
    (token.client_id(), token.scopes().collect(), token.permissions().collect())
}
