//! How long a resolution is remembered.
use crate::{
    customers::By,
    world::{
        Expected::{Accepted, Untrusted},
        Servers, World, token,
    },
};
use auth0_axum::Auth0;
use std::{sync::Mutex, time::Duration};
use wire_tests::{client::send, servers};

/// A layer and an extractor share one verification, whether the token is remembered or not.
#[tokio::test]
async fn a_resolver_runs_once_for_a_request() {
    const HOSTS: [&str; 4] = ["a.api.test", "b.api.test", "c.api.test", "d.api.test"];
    for tokens in [0, 100] {
        let world = World::new(By::Host);
        for name in ["a", "b", "c", "d"] {
            world.customers.add(name, [world.acme.issuer()]);
        }
        let token = token(&world.acme);
        let authorization = format!("Bearer {token}");
        let lines = [("authorization", authorization.as_bytes())];
        let Servers(servers) = world.start_with(|builder| builder.token_cache(tokens)).await;
        for (server, address) in servers {
            let ask = async |path: &str, host: &str| {
                let before = (world.customers.keys(), world.customers.resolved());
                let host = format!("host: {host}\r\n");
                let answer = send(address, &format!("GET {path}"), &host, &lines).await;
                assert_eq!(answer.status, 200, "{server}: {answer:?}");
                (world.customers.keys() - before.0, world.customers.resolved() - before.1)
            };
            // Each host is a separate key, and its first request runs the resolver.
            for host in HOSTS {
                assert_eq!(ask("/layer", host).await.1, 1, "{server}: {host}");
            }
            for host in HOSTS {
                let (keys, resolved) = ask("/layer", host).await;
                assert_eq!(resolved, 0, "{server}: {host}");
                if tokens == 0 {
                    assert_eq!(keys, ask("/token", host).await.0, "{server}: verified once");
                }
            }
        }
        world.acme.clock().advance(Duration::from_secs(61));
        let before = world.customers.resolved();
        for (server, address) in servers {
            let answer = send(address, "GET /layer", "host: a.api.test\r\n", &lines).await;
            assert_eq!(answer.status, 200, "{server}: {answer:?}");
        }
        assert_eq!(
            world.customers.resolved() - before,
            servers.len(),
            "each server, after the lifetime"
        );
    }
}

/// A customer who is removed is refused at once after a call, even with a remembered token.
#[tokio::test]
async fn a_removed_customer_is_refused_after_a_call_or_in_time() {
    let world = World::new(By::Host);
    let handles: Mutex<Vec<Auth0>> = Mutex::default();
    let start = || {
        let auth = world.builder().build().unwrap();
        handles.lock().unwrap().push(auth.clone());
        auth
    };
    let servers = Servers(servers::start(start).await);
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    servers.at("acme.api.test", &acme, Accepted).await;
    servers.at("globex.api.test", &globex, Accepted).await;
    world.customers.remove("acme");
    world.customers.remove("globex");
    servers.at("acme.api.test", &acme, Accepted).await;
    for auth in &*handles.lock().unwrap() {
        auth.forget_resolved_issuers();
    }
    servers.at("acme.api.test", &acme, Untrusted).await;
    servers.at("globex.api.test", &globex, Untrusted).await;
    // Without the call, when the lifetime of the resolution ends.
    world.customers.add("acme", [world.acme.issuer()]);
    world.acme.clock().advance(Duration::from_secs(11));
    servers.at("acme.api.test", &acme, Accepted).await;
    world.customers.remove("acme");
    world.acme.clock().advance(Duration::from_secs(61));
    servers.at("acme.api.test", &acme, Untrusted).await;
}
