//! The URL that a proof must name, from the `Host` header, the target or `:authority`.
use crate::client::start;
use auth0_axum::{Dpop, testing::Tenant};
use wire_tests::client::{get_over_http2, send};

/// A proof for one URL does not pass at another, whatever the `Host` header has.
#[tokio::test]
async fn the_host_header_does_not_change_the_path() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed()).await {
        let authorization = format!("DPoP {}", client.token);
        let mut count = 0;
        for host in [
            "api/token?",
            "api/token#",
            "api/token",
            "user@api",
            "api:99999",
            "api:80:80",
            "api?",
            "api#",
            "api\\token",
            "[::1",
            "%zz",
            "a,b@c",
            "",
            "api api",
        ] {
            // Proofs for the URLs that joined strings would make.
            for htu in ["http://api/token", &format!("http://{host}/scope"), "http://api/scope"] {
                let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
                let lines =
                    [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
                let host = format!("host: {host}\r\n");
                let answer = send(client.server, "GET /scope", &host, &lines).await;
                assert!(matches!(answer.status, 400 | 401), "{server} {host} {htu}: {answer:?}");
                count += 1;
            }
        }
        assert_eq!(count, 42);
        // Two hosts, and the absolute form (RFC 9112 §3.2.2).
        let url = client.url("/token");
        for (target, host, htu, status) in [
            ("/token", "host: a\r\nhost: a\r\n", "http://a/token", 401),
            ("/token", "host: a\r\nhost: b\r\n", "http://b/token", 401),
            ("/token", "host: API.example:80\r\n", "http://api.example/token", 200),
            ("/token", "host: [::1]:8080\r\n", "http://[::1]:8080/token", 200),
            (&url, &*format!("host: {}\r\n", client.server), &url, 200),
            ("http://other/token", "host: api\r\n", "http://other/token", 401),
            ("http://other/token", "host: api\r\n", "http://api/token", 401),
            ("http://api/token", "host: api\r\n", "http://api/token", 200),
            ("http://api/token", "host: api/scope?\r\n", "http://api/token", 401),
            // Whether TLS protects the connection is unknown: a proxy may have ended it.
            ("https://api/token", "host: api\r\n", "https://api/token", 200),
            ("https://api/token", "host: api\r\n", "http://api/token", 401),
        ] {
            let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
            let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            let answer = send(client.server, &format!("GET {target}"), host, &lines).await;
            // A server itself may refuse two Host headers, or a malformed one.
            let is_refused = status == 401 && answer.status == 400;
            assert!(
                answer.status == status || is_refused,
                "{server} {target} {host} {htu}: {answer:?}"
            );
        }
    }
}

/// HTTP/2 has `:authority`, and `Host` may be sent too but must not differ (RFC 9113 §8.3.1).
#[tokio::test]
async fn over_http2_the_authority_counts() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed()).await {
        let authorization = format!("DPoP {}", client.token);
        for (url, host, htu, status) in [
            ("http://api.example/token", None, "http://api.example/token", 200),
            ("http://api.example/token?q", None, "http://api.example/token", 200),
            ("http://api.example/token", None, "http://api.example/scope", 401),
            ("http://api.example/token", None, "http://other.example/token", 401),
            ("http://api.example/token", Some("api.example"), "http://api.example/token", 200),
            ("http://api.example/token", Some("api.example:80"), "http://api.example/token", 200),
            ("https://api.example/token", None, "https://api.example/token", 200),
            ("https://api.example/token", None, "http://api.example/token", 401),
            ("http://api.example/token", Some("other.example"), "http://api.example/token", 401),
            ("http://api.example/token", Some("other.example"), "http://other.example/token", 401),
            (
                "http://api.example/token",
                Some("api.example/scope?"),
                "http://api.example/token",
                401,
            ),
        ] {
            let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
            let mut lines =
                vec![("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            lines.extend(host.map(|host| ("host", host.as_bytes())));
            let answer = get_over_http2(client.server, url, &lines).await;
            assert_eq!(answer, status, "{server} {url} {host:?} {htu}");
        }
    }
}
