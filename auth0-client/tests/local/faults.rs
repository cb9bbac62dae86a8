//! What the caller gets when the tenant fails.
use crate::kit::{API, DAY, SECOND, SECRET, Wire, acme, advance, builder};
use auth0_client::{Client, Error, ErrorKind, TokenSource};
use auth0_local::{Document, Endpoint, Fault, LocalTenant, Throttle};
use std::time::Duration;

async fn start() -> (LocalTenant, Wire) {
    (acme().start().await.unwrap(), Wire::new())
}

fn new(tenant: &LocalTenant, wire: &Wire) -> Client {
    let client = builder(tenant, "service").client_secret(SECRET).http_client(wire.clone());
    client.build().unwrap()
}

fn source(client: &Client) -> TokenSource {
    client.machine(API).build().unwrap()
}

fn status(code: u16) -> Fault {
    Fault::status(code).unwrap()
}

/// A request without effect is repeated once after a failure; one of a user never is.
#[tokio::test]
async fn each_fault_of_the_token_endpoint() {
    let (tenant, wire) = start().await;
    for (fault, kind, tries, reply) in [
        (status(500), ErrorKind::Unavailable, 2, 503),
        (status(503), ErrorKind::Unavailable, 2, 503),
        (status(599), ErrorKind::Unavailable, 2, 503),
        (Fault::html_with_status(502).unwrap(), ErrorKind::Unavailable, 2, 503),
        (Fault::empty_with_status(500).unwrap(), ErrorKind::Unavailable, 2, 503),
        (Fault::reset(), ErrorKind::Unavailable, 2, 503),
        (Fault::lost(), ErrorKind::Unavailable, 2, 503),
        (Fault::huge(), ErrorKind::Malformed, 1, 502),
        (Fault::html(), ErrorKind::Malformed, 1, 502),
        (Fault::garbage(), ErrorKind::Malformed, 1, 502),
        (Fault::wrong(), ErrorKind::Malformed, 1, 502),
        (Fault::empty(), ErrorKind::Malformed, 1, 502),
        (Fault::redirect(), ErrorKind::Malformed, 1, 502),
        (Fault::empty_with_status(400).unwrap(), ErrorKind::Malformed, 1, 502),
        (Fault::html_with_status(403).unwrap(), ErrorKind::Malformed, 1, 502),
        (status(400), ErrorKind::Misconfigured, 1, 502),
        (status(401), ErrorKind::InvalidClient, 1, 502),
        (status(403), ErrorKind::Denied, 1, 502),
        (status(404), ErrorKind::Misconfigured, 1, 502),
        (status(418), ErrorKind::Misconfigured, 1, 502),
        (Fault::rate_limited(60 * SECOND), ErrorKind::Throttled, 1, 503),
        (Fault::throttled(Throttle::Tenant, 60 * SECOND), ErrorKind::Throttled, 1, 503),
        (Fault::throttled(Throttle::Policy, 60 * SECOND), ErrorKind::Throttled, 1, 503),
        (Fault::throttled(Throttle::ClientQuota, 60 * SECOND), ErrorKind::Throttled, 1, 503),
        (Fault::throttled(Throttle::OrganizationQuota, 60 * SECOND), ErrorKind::Throttled, 1, 503),
    ] {
        tenant.set_fault(Endpoint::Token, fault);
        let client = new(&tenant, &wire);
        let before = tenant.stats().token.total();
        let error = wire.run(&tenant, source(&client).token()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let sent = tenant.stats().token.total();
        assert_eq!(sent - before, tries, "{fault}");
        assert_eq!(error.reply().status(), reply, "{fault}");
        if kind == ErrorKind::Throttled {
            let wait = error.retry_after().unwrap();
            assert!(wait > 55 * SECOND && wait <= 60 * SECOND, "{fault}: {wait:?}");
            assert!(error.until().is_some());
        }
        // The grant of a user.
        let client = new(&tenant, &wire);
        let request =
            client.grant("password").parameter("username", "a").parameter("password", "b");
        let error = wire.run(&tenant, request.send()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        assert_eq!(tenant.stats().token.total(), sent + 1, "{fault}: sent once");
    }
    assert_eq!(tenant.stats().redirect_target, 0, "no redirect is followed");
}

/// Waits for an answer that never comes: time passes as soon as the tenant has the next request.
async fn without_answer(tenant: &LocalTenant, endpoint: Endpoint, source: &TokenSource) -> Error {
    let mut seen = tenant.stats().requests(endpoint).total();
    let passing = async {
        loop {
            while tenant.stats().requests(endpoint).total() == seen {
                tokio::task::yield_now().await;
            }
            seen += 1;
            advance(tenant, 5 * SECOND);
        }
    };
    tokio::select! {
        result = source.token() => result.unwrap_err(),
        () = passing => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn a_tenant_that_hangs() {
    let (tenant, wire) = start().await;
    let orders = source(&new(&tenant, &wire));
    tenant.set_fault(Endpoint::Token, Fault::hang());
    let error = without_answer(&tenant, Endpoint::Token, &orders).await;
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert_eq!(tenant.stats().token.total(), 2, "5 seconds each");
    assert_eq!(error.reply().status(), 503);
    tenant.clear_faults();
    wire.idle().await;
    orders.token().await.unwrap();

    let client = new(&tenant, &wire);
    tenant.set_fault(Document::Metadata, Fault::hang());
    let error = without_answer(&tenant, Endpoint::Metadata, &source(&client)).await;
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::DeadlineExceeded),
        "{error}"
    );
    tenant.clear_faults();
    // A call that follows at once would join the request that is just ending.
    wire.idle().await;
    source(&client).token().await.unwrap();
}

#[tokio::test]
async fn a_slow_tenant() {
    let (tenant, wire) = start().await;
    tenant.set_fault(Endpoint::Token, Fault::slow(Duration::from_millis(20)));
    source(&new(&tenant, &wire)).token().await.unwrap();
    assert_eq!(tenant.token_requests().total(), 1);
}

/// Each fault passes: a token in memory serves meanwhile, and a call without one recovers at once.
#[tokio::test]
async fn a_token_in_memory_serves_while_the_tenant_fails() {
    let (tenant, wire) = start().await;
    for fault in [status(500), Fault::reset(), Fault::rate_limited(60 * SECOND), Fault::garbage()] {
        let client = new(&tenant, &wire);
        let orders = source(&client);
        let token = orders.token().await.unwrap();
        tenant.set_fault(Endpoint::Token, fault);
        for _ in 0..5 {
            advance(&tenant, DAY * 19 / 100);
            let served = wire.run(&tenant, orders.token()).await.unwrap();
            assert_eq!(served.encoded(), token.encoded(), "{fault}");
        }
        tenant.clear_faults();
        advance(&tenant, DAY);
        orders.token().await.unwrap();
    }
}

#[tokio::test]
async fn the_last_minute_of_a_token() {
    let (tenant, wire) = start().await;
    for fault in [status(503), Fault::reset(), Fault::html(), status(403), status(401)] {
        let client = new(&tenant, &wire);
        let orders = source(&client);
        let token = orders.token().await.unwrap();
        tenant.set_fault(Endpoint::Token, fault);
        advance(&tenant, DAY - 30 * SECOND);
        let served = wire.run(&tenant, orders.token()).await.unwrap();
        assert_eq!(served.encoded(), token.encoded(), "{fault}");
        advance(&tenant, 31 * SECOND);
        assert!(wire.run(&tenant, orders.token()).await.is_err(), "{fault}: it has expired");
        tenant.clear_faults();
    }
}

#[tokio::test]
async fn each_fault_of_the_metadata() {
    let (tenant, wire) = start().await;
    for fault in [
        status(500),
        status(404),
        Fault::garbage(),
        Fault::wrong(),
        Fault::empty(),
        Fault::html(),
        Fault::redirect(),
        Fault::reset(),
        Fault::huge(),
        Fault::rate_limited(SECOND),
    ] {
        tenant.set_fault(Document::Metadata, fault);
        let (client, before) = (new(&tenant, &wire), tenant.token_requests().total());
        let error = wire.run(&tenant, source(&client).token()).await.unwrap_err();
        let expected = match fault == status(404) {
            true => ErrorKind::Misconfigured,
            false => ErrorKind::Unavailable,
        };
        assert_eq!(error.kind(), expected, "{fault}: {error}");
        assert_eq!(tenant.token_requests().total(), before);
        // The first request fails, the second does not.
        tenant.set_fault(Document::Metadata, fault.times(1).unwrap());
        wire.run(&tenant, source(&new(&tenant, &wire)).token()).await.unwrap_or_else(|error| {
            panic!("{fault}: {error}");
        });
        // Known endpoints stay in use.
        let client = new(&tenant, &wire);
        source(&client).token().await.unwrap();
        tenant.set_fault(Document::Metadata, fault);
        advance(&tenant, DAY);
        wire.run(&tenant, source(&client).token()).await.unwrap();
        tenant.clear_faults();
    }
    assert_eq!(tenant.stats().redirect_target, 0);
}

/// A limit of the token endpoint holds back every request to it, and ends.
#[tokio::test]
async fn a_limit_of_the_token_endpoint_is_one_of_all_requests() {
    let (tenant, wire) = start().await;
    let client = new(&tenant, &wire);
    tenant.set_fault(
        Endpoint::Token,
        Fault::throttled(Throttle::Tenant, 30 * SECOND).times(1).unwrap(),
    );
    let error = source(&client).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    let other = client.machine(API).scopes(["other"]).build().unwrap();
    assert_eq!(other.token().await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(client.refresh("any").send().await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(tenant.stats().token.total(), 1, "none was sent");
    advance(&tenant, 31 * SECOND);
    other.token().await.unwrap();
    source(&client).token().await.unwrap();
}
