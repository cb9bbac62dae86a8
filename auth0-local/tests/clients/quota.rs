use crate::kit::{API, Answer, Parameters, acme, token};
use auth0_local::{Client, LocalTenant, Quota};
use std::time::Duration;

async fn start() -> LocalTenant {
    let limited = Client::confidential("limited", "s3cret");
    acme()
        .client(limited.token_quota(Quota::new().per_hour(3).per_day(4)))
        .client(Client::confidential("other", "s3cret"))
        .organization_quota("org_acme", Quota::new().per_hour(2))
        .start()
        .await
        .unwrap()
}

fn machine(client: &'static str) -> Parameters {
    Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", "s3cret"),
        ("audience", API),
    ])
}

fn client_quota(answer: &Answer) -> (u16, String) {
    (answer.status, answer.header("auth0-client-quota-limit").to_owned())
}

#[tokio::test]
async fn the_quota_of_a_client_counts_down() {
    let tenant = start().await;
    let hour = |remaining: u32, ends: u32, day: u32, day_ends: u32| {
        format!("b=per_hour;q=3;r={remaining};t={ends},b=per_day;q=4;r={day};t={day_ends}")
    };
    // The clock follows the system, so that a second may pass.
    let clock = tenant.tenant().clock();
    for remaining in [2, 1, 0] {
        let answer = token(&tenant, &machine("limited")).await;
        let (status, header) = client_quota(&answer);
        assert_eq!(status, 200);
        assert!(header.starts_with(&format!("b=per_hour;q=3;r={remaining};t=3")), "{header}");
        assert!(header.contains(&format!(",b=per_day;q=4;r={};t=86", remaining + 1)), "{header}");
    }
    let refused = token(&tenant, &machine("limited")).await;
    assert_eq!((refused.status, refused.text("error")), (429, "too_many_requests".into()));
    assert_eq!(refused.text("error_description"), "Client quota exceeded");
    let header = refused.header("auth0-client-quota-limit");
    assert!(header.starts_with("b=per_hour;q=3;r=0;t=3"), "{header}");
    assert!(header.contains("per_day;q=4;r=1"), "a refusal is not counted: {header}");

    // A wrong request is not counted, and neither is another client.
    clock.advance(Duration::from_secs(3600));
    for (form, status) in [
        (machine("limited").with("client_secret", "other"), 401),
        (machine("limited").with("scope", "\""), 400),
        (machine("other"), 200),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(client_quota(&answer), (status, String::new()), "{form:?}");
    }
    let (status, header) = client_quota(&token(&tenant, &machine("limited")).await);
    assert_eq!((status, header), (200, hour(2, 3600, 0, 82_800)), "{:?}", hour(0, 0, 0, 0));
    let refused = token(&tenant, &machine("limited")).await;
    assert_eq!(refused.status, 429, "the day is exhausted");
    clock.advance(Duration::from_secs(82_800));
    assert_eq!(token(&tenant, &machine("limited")).await.status, 200);
}

#[tokio::test]
async fn the_quota_of_an_organization_is_shared() {
    let tenant = start().await;
    let of = |client: &'static str| machine(client).with("organization", "org_acme");
    let name = "auth0-organization-quota-limit";
    let answer = token(&tenant, &of("other")).await;
    assert!(answer.header(name).starts_with("b=per_hour;q=2;r=1;t=3"), "{answer:?}");
    let answer = token(&tenant, &of("limited")).await;
    assert!(answer.header(name).starts_with("b=per_hour;q=2;r=0;t=3"), "{answer:?}");
    assert!(client_quota(&answer).1.contains("per_hour;q=3;r=2"), "{answer:?}");
    for client in ["other", "limited", "any"] {
        let refused = token(&tenant, &of(client)).await;
        assert_eq!((refused.status, refused.text("error")), (429, "too_many_requests".into()));
        assert_eq!(refused.text("error_description"), "Organization quota exceeded");
    }
    let answer = token(&tenant, &machine("limited")).await;
    assert_eq!(answer.header(name), "");
    assert!(client_quota(&answer).1.contains("per_hour;q=3;r=1"), "refusals are not counted");
    let other = token(&tenant, &machine("other").with("organization", "org_other")).await;
    assert_eq!((other.status, other.header(name)), (200, ""));
}

#[tokio::test]
async fn of_parallel_requests_as_many_succeed_as_the_quota_allows() {
    let tenant = start().await;
    let requests: Vec<_> = (0..12)
        .map(|_| {
            let request = crate::kit::client().post(crate::kit::url(&tenant, "oauth/token"));
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            tokio::spawn(request.body(machine("limited").encoded()).send())
        })
        .collect();
    let mut good = 0;
    for request in requests {
        good += usize::from(request.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!(good, 3);
}
