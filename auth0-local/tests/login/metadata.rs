use crate::kit::{Answer, client, start, url};
use auth0_local::LocalTenant;
use serde_json::{Value, json};

async fn metadata(tenant: &LocalTenant, name: &str) -> Value {
    let request = client().get(url(tenant, &format!(".well-known/{name}")));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()
}

#[tokio::test]
async fn both_documents_name_the_endpoints() {
    let tenant = start().await;
    let metadata = metadata(&tenant, "oauth-authorization-server").await;
    assert_eq!(metadata, self::metadata(&tenant, "openid-configuration").await);
    for (name, expected) in [
        ("issuer", json!(tenant.issuer())),
        ("jwks_uri", json!(url(&tenant, ".well-known/jwks.json"))),
        ("authorization_endpoint", json!(url(&tenant, "authorize"))),
        ("token_endpoint", json!(url(&tenant, "oauth/token"))),
        ("userinfo_endpoint", json!(url(&tenant, "userinfo"))),
        ("revocation_endpoint", json!(url(&tenant, "oauth/revoke"))),
        ("end_session_endpoint", json!(url(&tenant, "oidc/logout"))),
        ("device_authorization_endpoint", json!(url(&tenant, "oauth/device/code"))),
        ("mfa_challenge_endpoint", json!(url(&tenant, "mfa/challenge"))),
        ("backchannel_authentication_endpoint", json!(url(&tenant, "bc-authorize"))),
        ("backchannel_token_delivery_modes_supported", json!(["poll"])),
        ("pushed_authorization_request_endpoint", json!(url(&tenant, "oauth/par"))),
        ("require_pushed_authorization_requests", json!(false)),
        ("request_parameter_supported", json!(true)),
        ("request_object_signing_alg_values_supported", json!(["RS256", "RS384", "PS256"])),
        ("registration_endpoint", Value::Null),
        (
            "grant_types_supported",
            json!([
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:openid:params:grant-type:ciba",
                "http://auth0.com/oauth/grant-type/passwordless/otp",
                "password",
                "http://auth0.com/oauth/grant-type/password-realm",
                "http://auth0.com/oauth/grant-type/mfa-otp",
                "http://auth0.com/oauth/grant-type/mfa-oob",
                "http://auth0.com/oauth/grant-type/mfa-recovery-code",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
            ]),
        ),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("scopes_supported", json!(["openid", "profile", "email", "offline_access"])),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
    ] {
        assert_eq!(metadata[name], expected, "{name}");
    }
    let algorithms = metadata["dpop_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("ES256")), "{algorithms:?}");
    assert_eq!(tenant.stats().metadata.served, 2, "one endpoint has both URLs");
}

#[tokio::test]
async fn registration_is_named_if_it_is_on() {
    let tenant = LocalTenant::builder().dynamic_registration().start().await.unwrap();
    let metadata = metadata(&tenant, "openid-configuration").await;
    assert_eq!(metadata["registration_endpoint"], url(&tenant, "oidc/register"));
}
