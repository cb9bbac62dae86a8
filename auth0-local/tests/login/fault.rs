use crate::kit::{Browser, Parameters, acme, client, log_in, start, token, url};
use auth0_local::{Document, Endpoint, Fault, LocalTenant};
use std::time::Duration;

#[tokio::test]
async fn every_endpoint_can_fail_and_is_counted() {
    let tenant = acme().dynamic_registration().start().await.unwrap();
    let get = ["authorize", "userinfo", "v2/logout", "oidc/logout", "mfa/authenticators"]
        .map(|path| (path, false));
    let post = [
        "oauth/token",
        "oauth/revoke",
        "oidc/register",
        "oauth/device/code",
        "bc-authorize",
        "oauth/par",
        "passwordless/start",
        "mfa/challenge",
        "mfa/associate",
    ];
    let post = post.map(|path| (path, true));
    for (path, is_post) in get.into_iter().chain(post) {
        let endpoint = match path {
            "authorize" => Endpoint::Authorize,
            "userinfo" => Endpoint::UserInfo,
            "v2/logout" | "oidc/logout" => Endpoint::Logout,
            "oauth/token" => Endpoint::Token,
            "oauth/revoke" => Endpoint::Revoke,
            "oauth/device/code" => Endpoint::Device,
            "bc-authorize" => Endpoint::Backchannel,
            "oauth/par" => Endpoint::PushedRequest,
            "passwordless/start" => Endpoint::Passwordless,
            "mfa/authenticators" | "mfa/challenge" | "mfa/associate" => Endpoint::Mfa,
            _ => Endpoint::Register,
        };
        let ask = async || {
            let url = url(&tenant, path);
            let request = if is_post { client().post(url) } else { client().get(url) };
            request.send().await.unwrap().status().as_u16()
        };
        let before = tenant.stats().requests(endpoint);
        let healthy = ask().await;
        assert_ne!(healthy, 503, "{path}");
        tenant.set_fault(endpoint, "503".parse().unwrap());
        assert_eq!(ask().await, 503, "{path}");
        tenant.set_fault(endpoint, Fault::redirect());
        assert_eq!(ask().await, 302, "{path}");
        tenant.clear_faults();
        assert_eq!(ask().await, healthy, "{path}");
        let after = tenant.stats().requests(endpoint);
        let counted = (after.served - before.served, after.faulted - before.faulted);
        assert_eq!(counted, (2, 2), "{path}");
    }
    tenant.set_fault(Document::KeySet, Fault::status(500).unwrap());
    let keys = client().get(url(&tenant, ".well-known/jwks.json")).send().await.unwrap();
    assert_eq!(keys.status(), 500);
}

async fn is_reset(tenant: &LocalTenant, form: &Parameters) -> bool {
    let request = client().post(url(tenant, "oauth/token")).body(form.encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.is_err()
}

#[tokio::test]
async fn a_lost_response_took_effect_and_a_reset_request_did_not() {
    let tenant = start().await;
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let refresh = Parameters::of_refresh(&login.text("refresh_token"));
    tenant.set_fault(Endpoint::Token, Fault::reset());
    assert!(is_reset(&tenant, &refresh).await);
    tenant.clear_faults();
    let next = token(&tenant, &refresh).await;
    assert_eq!(next.status, 200, "the token was not used");

    let refresh = Parameters::of_refresh(&next.text("refresh_token"));
    tenant.set_fault(Endpoint::Token, Fault::lost());
    assert!(is_reset(&tenant, &refresh).await);
    tenant.clear_faults();
    assert_eq!(token(&tenant, &refresh).await.status, 403, "the token was used");
}

#[tokio::test]
async fn a_slow_endpoint_responds_in_the_end() {
    let tenant = start().await;
    tenant.set_fault(Endpoint::Authorize, Fault::slow(Duration::from_millis(1)));
    let answer = Browser::default().authorize(&tenant, &Parameters::of_login()).await;
    assert_eq!(answer.parameter("code").len(), 43);
    assert_eq!(tenant.stats().authorize.faulted, 1);
}
