//! Faults of the token endpoint as Auth0's limits and edges show them.
use crate::{
    kit::{API, Answer, Parameters, acme, token},
    signed::now,
};
use auth0_local::{Endpoint, Fault, LocalTenant, Throttle};
use serde_json::json;
use std::time::Duration;

async fn ask(tenant: &LocalTenant) -> Answer {
    let form = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "any"),
        ("client_secret", "any"),
        ("audience", API),
    ]);
    token(tenant, &form).await
}

#[tokio::test]
async fn limits_answer_as_documented() {
    let tenant = acme().start().await.unwrap();
    let (policy, client, organization) =
        ("auth0-ratelimit", "auth0-client-quota-limit", "auth0-organization-quota-limit");
    for (limit, error, description, name, value) in [
        (Throttle::Tenant, "Too Many Requests", "", "retry-after", ""),
        (
            Throttle::Policy,
            "too_many_requests",
            "Rate limit exceeded.",
            policy,
            "client;q=10;t=7;r=0",
        ),
        (Throttle::Policy, "too_many_requests", "Rate limit exceeded.", "retry-after", "7"),
        (
            Throttle::ClientQuota,
            "too_many_requests",
            "Client quota exceeded",
            client,
            "b=per_hour;q=10;r=0;t=7",
        ),
        (
            Throttle::OrganizationQuota,
            "too_many_requests",
            "Organization quota exceeded",
            organization,
            "b=per_hour;q=10;r=0;t=7",
        ),
    ] {
        tenant.set_fault(Endpoint::Token, Fault::throttled(limit, Duration::from_secs(7)));
        let answer = ask(&tenant).await;
        assert_eq!((answer.status, answer.text("error")), (429, error.into()), "{limit:?}");
        assert_eq!(answer.text("error_description"), description);
        assert_eq!(answer.header(name), value, "{answer:?}");
        let is_tenant = limit == Throttle::Tenant;
        let remaining = if is_tenant { "0" } else { "99" };
        assert_eq!(answer.header("x-ratelimit-limit"), "100");
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining);
        let reset: u64 = answer.header("x-ratelimit-reset").parse().unwrap();
        let ahead = reset - now(&tenant);
        assert!(if is_tenant { (6..=7).contains(&ahead) } else { ahead <= 1 }, "{ahead}");
    }
    tenant.set_fault(Endpoint::Token, Fault::throttled(Throttle::Tenant, Duration::MAX));
    let answer = ask(&tenant).await;
    assert_eq!(answer.json()["statusCode"], 429);
    assert_eq!(answer.header("x-ratelimit-reset"), u64::MAX.to_string());
}

#[tokio::test]
async fn a_fault_ends_after_its_requests() {
    let tenant = acme().start().await.unwrap();
    for (text, status, kind, body) in [
        ("500x2", 500, "application/json", "local_fault"),
        ("html:502x2", 502, "text/html; charset=utf-8", "<!doctype html>"),
        ("htmlx2", 200, "text/html; charset=utf-8", "<!doctype html>"),
        ("empty:500x2", 500, "", ""),
        ("redirectx2", 302, "", ""),
        ("wrongx2", 200, "application/json", "\"access_token\":42"),
        ("garbagex2", 200, "application/json", "not JSON"),
        ("emptyx2", 200, "application/json", "{}"),
        ("quota:5x2", 429, "application/json", "Client quota exceeded"),
    ] {
        tenant.set_fault(Endpoint::Token, text.parse().unwrap());
        for _ in 0..2 {
            let answer = ask(&tenant).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{text}");
            assert!(answer.body.contains(body), "{text}: {}", answer.body);
            if body.is_empty() {
                assert_eq!(answer.body, "", "{text}");
            }
        }
        assert_eq!(ask(&tenant).await.text("token_type"), "Bearer", "{text}");
    }
    let before = tenant.stats().token;
    assert_eq!((before.faulted, before.served), (18, 9));
}

#[tokio::test]
async fn of_parallel_requests_exactly_so_many_fail() {
    let tenant = acme().start().await.unwrap();
    tenant.set_fault(Endpoint::Token, Fault::status(503).unwrap().times(4).unwrap());
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let request = crate::kit::client().post(crate::kit::url(&tenant, "oauth/token"));
            tokio::spawn(request.body("").send())
        })
        .collect();
    let mut failed = 0;
    for request in requests {
        failed += usize::from(request.await.unwrap().unwrap().status() == 503);
    }
    assert_eq!(failed, 4);
}

#[tokio::test]
async fn the_rest_of_a_fault_is_shown() {
    let tenant = acme().start().await.unwrap();
    let url = crate::kit::url(&tenant, "__local/faults");
    let set = |body: &'static str| crate::kit::client().post(&url).body(body);
    let answer = Answer::of(set(r#"{"token":"500x3"}"#).send().await.unwrap()).await;
    assert_eq!(answer.json()["token"], "500x3");
    ask(&tenant).await;
    let answer = Answer::of(set("{}").send().await.unwrap()).await;
    assert_eq!(answer.json()["token"], "500x2");
    for text in [
        "500x0",
        "500x",
        "x3",
        "nonex3",
        "500x4294967296",
        "html:200",
        "empty:99",
        "quota:x",
        "policy:-1",
    ] {
        let body = json!({ "token": text }).to_string();
        let answer =
            Answer::of(crate::kit::client().post(&url).body(body).send().await.unwrap()).await;
        assert_eq!(answer.status, 400, "{text}");
    }
}
