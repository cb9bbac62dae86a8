//! The part of a request that selects the customer, in every spelling.
use crate::{
    customers::By,
    world::{
        Expected::{self, Accepted, Untrusted},
        World, check_untrusted, token,
    },
};
use wire_tests::client::{get_over_http2, send};

/// A token that was accepted at its own host and is remembered is refused at another host.
#[tokio::test]
async fn each_customer_has_its_own_host() {
    for starts_at_own in [true, false] {
        let world = World::new(By::Host);
        let servers = world.start().await;
        for (tenant, own, other) in [
            (&world.acme, "acme.api.test", "globex.api.test"),
            (&world.globex, "globex.api.test", "acme.api.test"),
        ] {
            let token = token(tenant);
            if starts_at_own {
                servers.at(own, &token, Accepted).await;
                servers.at(own, &token, Accepted).await;
            }
            for _ in 0..2 {
                servers.at(other, &token, Untrusted).await;
                servers.at(own, &token, Accepted).await;
            }
            servers.at(other, &token, Untrusted).await;
        }
        // Where `None` would look like a user who has not logged in.
        let token = token(&world.acme);
        servers.expect(Untrusted, "/maybe", &["globex.api.test"], &token, &[]).await;
        servers.expect(Accepted, "/maybe", &["acme.api.test"], &token, &[]).await;
        servers.expect(Untrusted, "/maybe", &["globex.api.test"], &token, &[]).await;
    }
}

#[tokio::test]
async fn a_host_is_a_name_in_every_spelling() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    let token = token(&world.acme);
    for (expected, hosts) in [
        (Accepted, &["acme.api.test"][..]),
        (Accepted, &["ACME.Api.Test"]),
        (Accepted, &["acme.api.test:443"]),
        (Accepted, &["acme.api.test:8443"]),
        (Accepted, &["acme.api.test."]),
        (Accepted, &["%61cme.api.test"]),
        // An unknown customer, and hosts of no customer.
        (Untrusted, &["initech.api.test"]),
        (Untrusted, &["api.test"]),
        (Untrusted, &[".api.test"]),
        (Untrusted, &["www.acme.api.test"]),
        (Untrusted, &["acme.api.test.evil.test"]),
        (Untrusted, &["evil.test"]),
        (Untrusted, &["127.0.0.1"]),
        (Untrusted, &["acme.api.test:https"]),
        (Untrusted, &["acme.api.test/"]),
        (Untrusted, &["globex.api.test@acme.api.test"]),
        (Untrusted, &["acme.api.test,globex.api.test"]),
        (Untrusted, &[""]),
    ] {
        servers.expect(expected, "/token", hosts, &token, &[]).await;
    }
    // The target may name the host too (RFC 9112 §3.2.2).
    let absolute = "http://acme.api.test/token";
    servers.expect(Accepted, absolute, &["acme.api.test"], &token, &[]).await;
    servers.expect(Untrusted, absolute, &["globex.api.test"], &token, &[]).await;
    servers
        .expect(Untrusted, "http://globex.api.test/token", &["acme.api.test"], &token, &[])
        .await;
    let authorization = format!("Bearer {token}");
    let lines = [("authorization", authorization.as_bytes())];
    for (server, address) in servers.0 {
        // Two lines count as no host, and actix-web refuses the request.
        for second in ["acme.api.test", "globex.api.test"] {
            let hosts = format!("host: acme.api.test\r\nhost: {second}\r\n");
            let answer = send(address, "GET /token", &hosts, &lines).await;
            match server {
                "actix" => assert_eq!(answer.status, 400, "{answer:?}"),
                _ => check_untrusted(&answer, &format!("{server}: {hosts}{answer:?}")),
            }
        }
        // And over HTTP/2.
        for (url, status) in [
            ("http://acme.api.test/token", 200),
            ("http://globex.api.test/token", 401),
            ("http://initech.api.test/token", 401),
        ] {
            assert_eq!(get_over_http2(address, url, &lines).await, status, "{server}: {url}");
        }
    }
}

/// No keys are fetched of an issuer that is not trusted for the request.
#[tokio::test]
async fn an_untrusted_issuer_triggers_no_fetch() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    for host in ["acme.api.test", "globex.api.test", "other.api.test", "evil.test"] {
        servers.at(host, &token(&world.untrusted), Untrusted).await;
    }
    servers.at("globex.api.test", &token(&world.acme), Untrusted).await;
    for tenant in [&world.acme, &world.globex, &world.untrusted] {
        let fetches = tenant.fetches();
        assert_eq!((fetches.metadata, fetches.key_set), (0, 0), "{}", tenant.issuer());
    }
}

#[tokio::test]
async fn each_customer_has_its_own_path() {
    let world = World::new(By::Path);
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    for _ in 0..2 {
        for (path, of_acme, of_globex) in [
            ("/customers/acme/token", Accepted, Untrusted),
            ("/customers/globex/token", Untrusted, Accepted),
            ("/customers/acme/token?customer=/customers/globex/", Accepted, Untrusted),
            ("/customers/initech/token", Untrusted, Untrusted),
            // Not decoded: the resolver decides how to read it.
            ("/customers/%61cme/token", Untrusted, Untrusted),
            ("/customers/ACME/token", Untrusted, Untrusted),
            ("/token", Untrusted, Untrusted),
            ("/token?/customers/acme/", Untrusted, Untrusted),
        ] {
            servers.expect(of_acme, path, &["api.test"], &acme, &[]).await;
            servers.expect(of_globex, path, &["api.test"], &globex, &[]).await;
        }
    }
}

#[tokio::test]
async fn each_customer_has_its_own_header() {
    let world = World::new(By::Header("X-Tenant"));
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    type Headers = &'static [(&'static str, &'static [u8])];
    let rows: [(Headers, Expected, Expected); 9] = [
        (&[("X-Tenant", b"acme")], Accepted, Untrusted),
        (&[("x-tenant", b"globex")], Untrusted, Accepted),
        (&[("X-TENANT", b"acme")], Accepted, Untrusted),
        (&[("X-Tenant", b"initech")], Untrusted, Untrusted),
        (&[("X-Tenant", b"")], Untrusted, Untrusted),
        (&[("X-Tenant", b"ac\xffme")], Untrusted, Untrusted),
        // Which of the two the client means is unknown.
        (&[("X-Tenant", b"acme"), ("X-Tenant", b"acme")], Untrusted, Untrusted),
        (&[("X-Tenant", b"acme"), ("X-Tenant", b"globex")], Untrusted, Untrusted),
        (&[], Untrusted, Untrusted),
    ];
    for _ in 0..2 {
        for (headers, of_acme, of_globex) in rows {
            servers.expect(of_acme, "/token", &["api.test"], &acme, headers).await;
            servers.expect(of_globex, "/token", &["api.test"], &globex, headers).await;
        }
    }
}

/// The issuer of a token may select the customer. An untrusted issuer stays untrusted.
#[tokio::test]
async fn a_token_may_select_its_customer() {
    let world = World::new(By::Issuer);
    let servers = world.start().await;
    for _ in 0..2 {
        servers.at("api.test", &token(&world.acme), Accepted).await;
        servers.at("api.test", &token(&world.globex), Accepted).await;
        servers.at("api.test", &token(&world.untrusted), Untrusted).await;
    }
    assert_eq!(world.customers.resolved(), 6, "once for each of the two at each server");
    assert_eq!(world.untrusted.fetches().metadata, 0);
}

/// A resolver key is remembered, and a credential must not be.
#[tokio::test]
async fn a_resolver_cannot_read_credentials() {
    let world = World::new(By::Header("Authorization"));
    let token = token(&world.acme);
    let line: &'static str = format!("Bearer {token}").leak();
    world.customers.add(line, [world.acme.issuer()]);
    let servers = world.start().await;
    servers.at("api.test", &token, Untrusted).await;
    assert_eq!(world.customers.resolved(), 0);
}

#[tokio::test]
async fn a_forwarded_host_counts_from_a_trusted_proxy_only() {
    let world = World::new(By::Host);
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    type Headers = &'static [(&'static str, &'static [u8])];
    // The host, what is forwarded, and what the tokens of acme and of globex get: from a proxy, and from
    // a client.
    type Row = (&'static str, Headers, [[Expected; 2]; 2]);
    const ACME: [Expected; 2] = [Accepted, Untrusted];
    const GLOBEX: [Expected; 2] = [Untrusted, Accepted];
    const NEITHER: [Expected; 2] = [Untrusted, Untrusted];
    let rows: [Row; 9] = [
        ("gateway.internal", &[("X-Forwarded-Host", b"acme.api.test")], [ACME, NEITHER]),
        ("gateway.internal", &[("X-Forwarded-Host", b"ACME.api.test:443")], [ACME, NEITHER]),
        ("gateway.internal", &[("Forwarded", b"host=globex.api.test")], [GLOBEX, NEITHER]),
        ("acme.api.test", &[("X-Forwarded-Host", b"globex.api.test")], [GLOBEX, ACME]),
        ("globex.api.test", &[("X-Forwarded-Host", b"acme.api.test")], [ACME, GLOBEX]),
        ("acme.api.test", &[("X-Forwarded-Host", b"evil.test")], [NEITHER, ACME]),
        ("acme.api.test", &[], [ACME, ACME]),
        (
            "acme.api.test",
            &[("X-Forwarded-Host", b"acme.api.test"), ("X-Forwarded-Host", b"globex.api.test")],
            [NEITHER, ACME],
        ),
        (
            "acme.api.test",
            &[("Forwarded", b"host=globex.api.test"), ("X-Forwarded-Host", b"acme.api.test")],
            [NEITHER, ACME],
        ),
    ];
    let proxies = [&["127.0.0.1"][..], &["10.0.0.1"], &[]];
    for (proxies, from) in proxies.into_iter().zip([0, 1, 1]) {
        let servers =
            world.start_with(|builder| builder.trusted_proxies(proxies.iter().copied())).await;
        for (host, headers, expected) in rows {
            let [of_acme, of_globex] = expected[from];
            servers.expect(of_acme, "/token", &[host], &acme, headers).await;
            servers.expect(of_globex, "/token", &[host], &globex, headers).await;
        }
    }
}
