//! Tokens for the service itself.
use crate::kit::{API, DAY, DOWN, SECOND, acme, advance, claims, client};
use auth0_client::{Client, ErrorKind, Limits};
use auth0_local::{Client as Registered, ClientGrant, LocalTenant, Quota};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_token_is_requested_once_and_renewed_before_its_end() {
    let tenant = acme().start().await.unwrap();
    let orders = client(&tenant, "service").machine(API).scopes(["b", "a"]).build().unwrap();
    let first = orders.token().await.unwrap();
    let payload = claims(&tenant, first.encoded());
    assert_eq!(payload["sub"], "service@clients");
    assert_eq!((&payload["aud"], &payload["scope"]), (&API.into(), &"a b".into()));
    assert!(first.has_scope("a") && first.has_scope("b") && !first.is_dpop());

    // Not renewed before three quarters of its life.
    advance(&tenant, DAY * 7 / 10);
    assert_eq!(orders.token().await.unwrap().encoded(), first.encoded());
    assert_eq!(tenant.token_requests().total(), 1);
    // Renewed in the background: the first serves until the second is there.
    advance(&tenant, DAY * 16 / 100);
    assert_eq!(orders.token().await.unwrap().encoded(), first.encoded());
    while tenant.token_requests().total() < 2
        || orders.token().await.unwrap().encoded() == first.encoded()
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(tenant.token_requests().total(), 2);
    // Requested anew after its end.
    advance(&tenant, DAY * 2);
    let third = orders.token().await.unwrap();
    assert_eq!(tenant.token_requests().total(), 3);
    assert!(claims(&tenant, third.encoded())["exp"].as_u64() > payload["exp"].as_u64());
}

#[tokio::test]
async fn what_a_token_depends_on() {
    let tenant = acme().start().await.unwrap();
    let client = client(&tenant, "service");
    let source = |scopes: &[&str], organization: Option<&str>, api: &str| {
        let builder = client.machine(api).scopes(scopes);
        let builder = match organization {
            Some(name) => builder.organization(name),
            None => builder,
        };
        builder.build().unwrap()
    };
    for (scopes, organization, api, count) in [
        (&["a", "b"][..], None, API, 1),
        (&["b", "a"], None, API, 1),
        (&["b a", "a"], None, API, 1),
        (&["a"], None, API, 2),
        (&["a"], Some("org_acme"), API, 3),
        (&["a"], Some("org_other"), API, 4),
        (&["a"], Some("org_acme"), DOWN, 5),
        (&["a"], Some("org_acme"), API, 5),
    ] {
        let token = source(scopes, organization, api).token().await.unwrap();
        let payload = claims(&tenant, token.encoded());
        assert_eq!(payload["aud"], api);
        assert_eq!(payload.get("org_id").and_then(|id| id.as_str()), organization);
        assert_eq!(tenant.token_requests().total(), count, "{scopes:?} {organization:?} {api}");
    }
}

/// A tenant whose machine may read reports for any organization.
async fn limited() -> (LocalTenant, Client) {
    let machine = Registered::confidential("limited", crate::kit::SECRET)
        .default_organization("org_default")
        .grant(ClientGrant::new(API).scopes(["read:messages", "write:messages"]))
        .grant(ClientGrant::new(DOWN).scopes(["read:a"]).organizations_required());
    let tenant = acme().client(machine).start().await.unwrap();
    let client = client(&tenant, "limited");
    (tenant, client)
}

#[tokio::test]
async fn client_grants_decide() {
    let (tenant, client) = limited().await;
    let all = client.machine(API).build().unwrap().token().await.unwrap();
    let scopes: Vec<&str> = all.scopes().collect();
    assert_eq!(scopes, ["read:messages", "write:messages"], "those of the grant");
    let down = client.machine(DOWN).build().unwrap().token().await.unwrap();
    assert_eq!(claims(&tenant, down.encoded())["org_id"], "org_default");
    let named =
        client.machine(DOWN).organization("org_acme").build().unwrap().token().await.unwrap();
    assert_eq!(claims(&tenant, named.encoded())["org_id"], "org_acme");

    for (source, status) in [
        (client.machine(API).scopes(["admin"]), 403),
        (client.machine(API).organization("org_acme"), 403),
        (client.machine("https://far.test"), 403),
        (client.machine("https://unknown.test"), 403),
    ] {
        let source = source.build().unwrap();
        let before = tenant.token_requests().total();
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Denied, Some(status)), "{error}");
        // It is for the operator to correct, and not for the caller.
        assert_eq!(error.reply().status(), 502);
        assert_eq!(tenant.token_requests().total(), before + 1, "it is not repeated");
    }
    // The organization is no id.
    let named = client.machine(DOWN).organization("no id").build().unwrap();
    let error = named.token().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Misconfigured), "{error:?}");
}

/// The numbers of the quotas are in the limits of the error, and the client waits for the next bucket.
#[tokio::test]
async fn a_quota_is_counted_down_to_its_end() {
    let machine = Registered::confidential("counted", crate::kit::SECRET)
        .token_quota(Quota::new().per_hour(3).per_day(100));
    let tenant = acme()
        .client(machine)
        .organization_quota("org_small", Quota::new().per_hour(1))
        .start()
        .await
        .unwrap();
    let client = client(&tenant, "counted");
    let source = |scope: &str| client.machine(API).scopes([scope]).build().unwrap();
    for scope in ["a", "b", "c"] {
        source(scope).token().await.unwrap();
    }
    let exhausted = source("d");
    let error = exhausted.token().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Throttled, Some(429)), "{error}");
    let wait = error.retry_after().unwrap();
    assert!(wait <= HOUR && wait > HOUR - 10 * SECOND, "{wait:?}");
    let Limits { quotas, .. } = error.limits();
    let buckets: Vec<_> = quotas.iter().map(|it| (&*it.bucket, it.quota, it.remaining)).collect();
    assert_eq!(buckets, [("per_hour", 3, 0), ("per_day", 100, 97)]);
    assert!(quotas.iter().all(|quota| !quota.is_of_organization));
    assert_eq!(
        error.reply().headers().find(|(name, _)| *name == "retry-after").unwrap().1,
        wait.as_secs().to_string()
    );

    // Within that time, nothing is sent for this token. What is in memory is still served.
    let before = tenant.token_requests().total();
    let again = exhausted.token().await.unwrap_err();
    assert!(again.retry_after().unwrap() <= wait, "{again}");
    source("a").token().await.unwrap();
    assert_eq!(tenant.token_requests().total(), before);
    // After it, there are tokens again.
    advance(&tenant, wait + SECOND);
    exhausted.token().await.unwrap();

    // The quota of an organization stops the tokens of this organization only.
    let other = crate::kit::client(&tenant, "service");
    let of = |name: &str, scope: &str| {
        other.machine(API).organization(name).scopes([scope]).build().unwrap()
    };
    of("org_small", "a").token().await.unwrap();
    let error = of("org_small", "b").token().await.unwrap_err();
    assert!(error.limits().quotas[0].is_of_organization, "{error}");
    of("org_large", "b").token().await.unwrap();
}

/// A quota that ends within the deadline is waited for.
#[tokio::test]
async fn a_short_wait_is_no_error() {
    use auth0_local::{Endpoint, Fault, Throttle};
    let tenant = acme().start().await.unwrap();
    let wire = crate::kit::Wire::new();
    for (limit, seconds) in [
        (Throttle::Policy, 3),
        (Throttle::ClientQuota, 4),
        (Throttle::OrganizationQuota, 5),
        (Throttle::Tenant, 6),
    ] {
        let fault = Fault::throttled(limit, SECOND * seconds).times(1).unwrap();
        tenant.set_fault(Endpoint::Token, fault);
        let client = crate::kit::builder(&tenant, "service")
            .client_secret(crate::kit::SECRET)
            .http_client(wire.clone());
        let source = client.build().unwrap().machine(API).build().unwrap();
        let before = auth0_core::time::Clock::monotonic(tenant.tenant().clock());
        let requests = tenant.token_requests().total();
        wire.run(&tenant, source.token()).await.unwrap();
        let passed = auth0_core::time::Clock::monotonic(tenant.tenant().clock()) - before;
        assert!(passed >= SECOND * (seconds - 1), "{limit:?}: {passed:?}");
        assert!(passed < SECOND * (seconds + 3), "{limit:?}: {passed:?}");
        assert_eq!(tenant.token_requests().total(), requests + 2, "{limit:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_sent_once_in_ten_seconds() {
    let tenant = acme().start().await.unwrap();
    let client = crate::kit::builder(&tenant, "service").client_secret("wrong").build().unwrap();
    for api in [API, DOWN, API] {
        let error = client.machine(api).build().unwrap().token().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidClient, Some("access_denied")));
        assert_eq!(error.reply().status(), 502);
        assert!(!format!("{error} {error:?}").contains("wrong"));
    }
    assert_eq!(tenant.token_requests().total(), 1);
    advance(&tenant, 11 * SECOND);
    assert!(client.machine(API).build().unwrap().token().await.is_err());
    assert_eq!(tenant.token_requests().total(), 2);
}
